#!/bin/bash
# A passphrase, a private key and a password that nothing may give away: not the most verbose output, not an error, not the
# arguments and the environment of the program and its children, not a core dump, not the cache and the home.
. "$(dirname "$0")/../support/t.sh"
. "$T_TOP/tests/support/job.sh"
. "$T_TOP/tests/support/attack.sh"

passphrase=canary-passphrase-4711
password=canary-password-0815
seed=c0ffee11c0ffee22c0ffee33c0ffee44c0ffee55c0ffee66c0ffee77c0ffee88
unset MANIFESTO_PASSPHRASE
hex() {
	od -An -tx1 -v | tr -d ' \n'
}
octets() { # HEX
	"$(t_python)" -c 'import sys; sys.stdout.buffer.write(bytes.fromhex(sys.argv[1]))' "$1"
}
seed_base64=$(octets "$seed" | base64)
# As octets, in hexadecimal digits, in base64, and in the base64 of PKCS #8 (behind 16 other octets).
in_pkcs8=$(octets "302e020100300506032b657004220420$seed" | base64 | cut -c24-60)
needles=("$(hex <<<"$passphrase" | sed 's/0a$//')" "$seed" "$(printf %s "$seed" | hex)" "$(printf %s "${seed_base64:0:40}" | hex)" "$(printf %s "$in_pkcs8" | hex)")
password_needles=("$(printf %s "$password" | hex)" "$(printf 'alice:%s' "$password" | base64 | tr -d '=\n' | hex)")
holds() { # FILE NEEDLE...: does one of the needles stand in the file?
	local file=$1 digits
	shift
	digits=$(hex <"$file")
	for needle; do
		case $digits in *"$needle"*) return 0 ;; esac
	done
	return 1
}
clean() { # NAME FILE
	if holds "$2" "${needles[@]}" "${password_needles[@]}"; then not_ok "$1" "in $2"; else ok "$1"; fi
}
clean_output() { # NAME
	clean "$1: standard output" "$T/stdout"
	clean "$1: standard error" "$T/stderr"
}
printf '%s and %s' "$passphrase" "$seed_base64" >sample
check 'the search finds what is there' holds sample "${needles[3]}"
check 'in each of the two' holds sample "${needles[0]}"

# --- the key, under the passphrase; what a child sees is written down
octets "302e020100300506032b657004220420$seed" | openssl pkey -inform DER -out seed.pem
printf '%s\n' "$passphrase" >passphrase
manifesto key import -q --passphrase-file passphrase alice seed.pem
check 'the key is the canary' test "$(manifesto key show alice --json | jq -r '.keys[0].publicKey')" = "$(openssl pkey -in seed.pem -pubout)"
spy=$T/bin/spy # writes down what it and the program that started it show
cat >"$spy" <<-'END'
	#!/bin/sh
	cat /proc/self/environ /proc/$$/cmdline /proc/$PPID/cmdline /proc/$PPID/environ >>"$SPIED" 2>/dev/null
END
chmod +x "$spy"
export SPIED=$T/spied
: >"$SPIED"

lab registry-tls notary
image=$REGISTRY_TLS/acme/app:1.0
make_image layout >/dev/null
push_image oci:layout:1.0 "$image" --dest-creds "$REGISTRY_TLS_USER:$REGISTRY_TLS_PASSWORD" >/dev/null 2>&1

# --- each way to give the passphrase, with the most verbose output; and failures
layout=oci:layout:1.0
echo content >content
run manifesto -vv put --init --passphrase-file passphrase $layout qa content
check_status 'a put' 0
clean_output 'put -vv'
run env MANIFESTO_PASSPHRASE="$passphrase" manifesto -vv put $layout of-environment content
check_status 'the passphrase in a variable' 0
clean_output 'a variable'
run env MANIFESTO_PASSPHRASE_ALICE="$passphrase" manifesto -vv put $layout of-own content
check_status 'in the variable of the key' 0
clean_output 'the variable of the key'
run env MANIFESTO_PASSPHRASE=wrong REGISTRY_PASSWORD="$password" manifesto -vv put --passphrase-cmd "spy; cat '$T/passphrase'" $layout of-command content
check_status 'from a command' 0
clean_output 'a command'
run env MANIFESTO_PASSPHRASE="$passphrase-wrong" manifesto -vv put $layout wrong content
check_status 'a wrong passphrase' 11
clean_output 'a wrong passphrase'
run env MANIFESTO_NEW_PASSPHRASE="$passphrase" manifesto -vv key passwd --passphrase-cmd "spy; cat '$T/passphrase'" alice
check_status 'passwd' 0
clean_output 'passwd'
run env REGISTRY_USERNAME=alice REGISTRY_PASSWORD="$password" MANIFESTO_PASSPHRASE="$passphrase" manifesto -vv --cacert "$CA" --trust-server "$NOTARY" put --init "$image" qa content
check_status 'a wrong password' 5
clean_output 'a wrong password'
mkdir -p "$HOME/.docker"
ln -s "$spy" "$T/bin/docker-credential-spy"
jq -n --arg r "$REGISTRY_TLS" '{credHelpers: {($r): "spy"}}' >"$HOME/.docker/config.json"
run env REGISTRY_PASSWORD="$password" MANIFESTO_TRUST_PASSWORD="$password" MANIFESTO_PASSPHRASE="$passphrase" MANIFESTO_PASSPHRASE_ALICE="$passphrase" MANIFESTO_NEW_PASSPHRASE="$passphrase" manifesto -vv --cacert "$CA" --trust-server "$NOTARY" put --init "$image" qa content
clean_output 'a credential helper'
rm "$HOME/.docker/config.json"
cat >signer <<-END
	#!/bin/sh
	'$spy'
	exec '$T_TOP/docs/examples/openssl-signer.sh' "\$@"
END
chmod +x signer
openssl genpkey -algorithm ed25519 -out other.pem
run env MANIFESTO_PASSPHRASE="$passphrase" REGISTRY_PASSWORD="$password" manifesto -vv key add bob "command:$T/signer" "$T/other.pem"
check_status 'a program that signs' 0
clean_output 'a program that signs'
check 'the children were there' test "$(grep -ac 'MANIFESTO_HOME=' "$SPIED")" -gt 0
clean 'arguments and environment of children and of the program' "$SPIED"

# --- a program that waits for the network after it has signed
# shellcheck disable=SC2153
proxy N "$NOTARY"
waits() { # NAME COMMAND...
	local name=$1 pid i
	shift
	faults N '{"method":"POST","path":"/_trust/tuf/$","action":"delay","ms":60000,"count":1}'
	"$@" >"$T/stdout" 2>"$T/stderr" </dev/null &
	pid=$!
	for ((i = 0; i < 200; i++)); do
		grep -q '"POST"' "$T/N.log" && break
		sleep 0.05
	done
	[ $i != 200 ] || not_ok "$name: it waits"
	run "$(t_python)" "$T_TOP/tests/support/memory.py" $pid "${needles[@]}"
	if grep -aq __asan_init "$T_MANIFESTO"; then
		ok "$name: a sanitizer keeps the environment and what was freed"
	elif [ "$(id -u)" = 0 ]; then
		check_status "$name: nothing is in its memory but in what core dumps leave out" 0
	else
		check_status "$name: its memory cannot be read" 2
	fi
	kill -ABRT $pid
	wait $pid 2>/dev/null
	status=$?
	check_status "$name: it ends" 134
	check "$name: without a core file" test -z "$(find . -maxdepth 1 -name 'core*')"
}
ulimit -c unlimited 2>/dev/null
cp -r layout other
image=oci:other:1.0
export MANIFESTO_TRUST_SERVER=http://$N
lab registry
gun=$REGISTRY/acme/app:1.0
push_image oci:layout:1.0 "$gun" >/dev/null 2>&1
run manifesto put --init --passphrase-file passphrase "$gun" qa content
check_status 'a repository on a Notary server' 0
waits 'a passphrase from a file' manifesto put --passphrase-file passphrase "$gun" one content
waits 'from a variable' env MANIFESTO_PASSPHRASE="$passphrase" manifesto put "$gun" two content
waits 'from a command' manifesto put --passphrase-cmd 'cat passphrase' "$gun" three content
mkfifo pipe
cat passphrase >pipe &
waits 'from a descriptor' manifesto put --passphrase-fd 9 "$gun" four content 9<pipe
openssl pkey -in seed.pem -outform DER | openssl pkey -inform DER -out again.pem
CANARY=$(cat again.pem)
export CANARY
machine env
run manifesto key add alice env:CANARY
check_status 'a key in a variable' 0
manifesto trust pin "$gun" "$(MANIFESTO_HOME=$T/home/manifesto manifesto trust show --json "$gun" | jq -r '.pinned[0]')" >/dev/null 2>&1
waits 'a key in a variable' manifesto put "$gun" five content

# --- what stays on the disk: the imported file and the passphrase are the test's own
while read -r file; do
	if holds "$file" "${needles[@]}" "${password_needles[@]}"; then not_ok 'nothing is left on the disk' "$file"; fi
done < <(find "$HOME" layout other tmp run -type f)
ok 'what is left on the disk was searched'

t_done
