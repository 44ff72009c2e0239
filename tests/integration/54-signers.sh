#!/bin/bash
# Keys that are elsewhere: an ssh-agent, a token, a program, a variable, a descriptor. With each kind the same commands sign, what it
# gives is verified before it is published, and each failure says what to do, at once and without a terminal.
. "$(dirname "$0")/../support/t.sh"
. "$T_TOP/tests/support/job.sh"
. "$T_TOP/tests/support/attack.sh"

signer=$T_TOP/docs/examples/openssl-signer.sh
image=oci:image:1.0
make_image image >/dev/null

# There is no terminal.
alone() {
	setsid -w "$@"
}

# A command ends with 11 without waiting for anybody (the limit is for slow machines), says TEXT and changes nothing.
fails() { # NAME TEXT COMMAND...
	local name=$1 text=$2 since took
	shift 2
	since=$(date +%s%N)
	refuses "$name" 11 "$text" alone "$@"
	took=$((($(date +%s%N) - since) / 1000000))
	[ $took -lt 10000 ] || not_ok "$name: at once" "$took ms"
}

# --- an agent, which does not have our terminal
agents=()
start_agent() {
	eval "$(ssh-agent -s -a "$T/run/agent-${#agents[@]}")" >/dev/null
	agents+=("$SSH_AGENT_PID")
	export SSH_AUTH_SOCK
}
root_of() { # IMAGE
	curl -s "$NOTARY/v2/${1%:*}/_trust/tuf/root.json" | jq -r '.signed as $s | $s.keys[$s.roles.root.keyids[0]].keyval.public' | base64 -d
}
stop_all() {
	kill "${agents[@]}" 2>/dev/null
	t_exit
}
trap stop_all EXIT
start_agent
ssh-keygen -q -t ed25519 -N '' -C agent -f agent
ssh-keygen -q -t ecdsa -b 256 -N '' -C agent -f agent-ec
ssh-keygen -q -t rsa -b 2048 -N '' -C agent -f agent-rsa
ssh-add -q agent agent-ec agent-rsa
ssh_fingerprint() { # FILE
	ssh-keygen -l -f "$1.pub" | cut -d' ' -f2
}
fingerprint=$(ssh_fingerprint agent)

run manifesto key add alice "ssh-agent:$fingerprint"
check_status 'a key of the agent is added by the fingerprint of ssh-add -l' 0
check_file_mode 'the reference is for nobody else' 600 "$MANIFESTO_HOME/keys/alice.key"
check_json 'which names the place' '.manifesto == "key reference" and .v == 1 and .type == "ed25519" and (.source | startswith("ssh-agent:SHA256:"))' "$MANIFESTO_HOME/keys/alice.key"
run manifesto key show alice --json
check_json 'key show has the place' '.keys[0] | .source | startswith("ssh-agent:SHA256:")'
ours=$(jq -r '.keys[0].fingerprint' "$T/stdout")
jq -r '.keys[0].publicKey' "$T/stdout" >alice.pem
for spelling in "$ours" "sha256:$ours" "${ours:0:16}" "$(sed 's/../&:/g; s/:$//' <<<"${ours^^}")"; do
	run manifesto key add "again-${#spelling}" "ssh-agent:$spelling"
	check_status "and by our fingerprint as ${spelling:0:24}" 0
	rm -f "$MANIFESTO_HOME/keys/again-${#spelling}.key"
done
run env -u SSH_AUTH_SOCK manifesto key list
check_status 'the list needs no agent' 0
check_stdout_has 'and shows where the key is' "ssh-agent:$fingerprint"

run alone manifesto put --init $image qa-approval "$approval"
check_status 'a put signed by the agent' 0
get_is 'it verifies' "$approval" $image qa-approval
run alone manifesto trust refresh $image --within 100y
check_status 'roles are re-signed by the agent' 0
get_is 'and verify' "$approval" $image qa-approval

# --- a token (SoftHSM), behind a module that writes down what it is asked
softhsm=$(find /usr/lib -name libsofthsm2.so -print -quit)
mkdir tokens
printf 'directories.tokendir = %s/tokens\nobjectstore.backend = file\nlog.level = ERROR\n' "$T" >softhsm.conf
allow_softhsm_leaks
export SOFTHSM2_CONF=$T/softhsm.conf TOKEN_MODULE=$softhsm TOKEN_LOG=$T/token.log TOKEN_MODE=
# shellcheck disable=SC2046 # flags
gcc -D_GNU_SOURCE -shared -fPIC -o token.so "$T_TOP/tests/support/token.c" $(pkg-config --cflags p11-kit-1)
softhsm2-util --init-token --free --label team --pin 1234 --so-pin 4321 >/dev/null
token_key() { # ID LABEL TYPE [options]
	local id=$1 label=$2 type=$3
	shift 3
	pkcs11-tool --module "$softhsm" --token-label team --login --pin 1234 --keypairgen --key-type "EC:$type" --id "$id" \
		--label "$label" "$@" >/dev/null 2>&1 || t_bail "a key '$label' on the token"
}
token_key 01 release edwards25519
token_key 02 root prime256v1
token_key 03 always prime256v1 --always-auth
module="module-path=$T/token.so"
MANIFESTO_PASSPHRASE='' run alone manifesto key add token 'pkcs11:token=team;object=release'
check_status 'a key of a token is added by its name, without the PIN' 0
MANIFESTO_PASSPHRASE='' run alone manifesto key add token-p256 "pkcs11:token=team;id=%02?$module"
check_status 'and by its number, in a module that is named' 0
run manifesto key add token-always "pkcs11:token=team;object=always;type=private?$module"
check_status 'and one that wants the PIN for each signature' 0
run manifesto key add token-ed25519 "pkcs11:token=team;object=release?$module"
check_status 'one key may have several names' 0

# --- the other kinds
openssl genpkey -algorithm ed25519 -out ed25519.key
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out p256.key
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out p384.key
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-521 -out p521.key
openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa.key 2>/dev/null
types=(ed25519 p256 p384 p521 rsa)
run manifesto key add agent-p256 "ssh-agent:$(ssh_fingerprint agent-ec)"
check_status 'an ECDSA P-256 key of the agent' 0
for type in "${types[@]}"; do
	CI_KEY=$(cat "$type.key")
	export CI_KEY
	run manifesto key add "command-$type" "command:$signer" "$T/$type.key"
	check_status "a command that signs with $type" 0
	run manifesto key add "env-$type" env:CI_KEY
	check_status "a variable with a key of $type" 0
	run bash -c "exec manifesto key add fd-$type fd:9 9<$type.key"
	check_status "a descriptor with a key of $type" 0
done
unset CI_KEY

# The public key of each gets a role of its own.
signs() { # KEY COMMAND...
	local key=$1
	shift
	run manifesto role add "$image" "role-$key" --types "of-$key" --key "$key"
	[ "$status" = 0 ] || not_ok "a role for $key"
	echo "$key" >content
	run alone "$@" manifesto put --key "$key" --role "role-$key" "$image" "of-$key" content
	if [ "$status" = 0 ]; then ok "$key signs"; else not_ok "$key signs"; fi
	check_stdout_has "$key: as itself" "Signed by $key ("
	get_is "$key: it verifies" content "$image" "of-$key"
}
signs_with() { # TYPE
	local CI_KEY
	signs "command-$1" env
	signs "env-$1" env "CI_KEY=$(cat "$1.key")"
	signs "fd-$1" bash -c "exec \"\$@\" 9<$1.key" -
}
export MANIFESTO_PASSPHRASE_TOKEN=1234 MANIFESTO_PASSPHRASE_TOKEN_P256=1234 MANIFESTO_PASSPHRASE_TOKEN_ALWAYS=1234
export MANIFESTO_PASSPHRASE_TOKEN_ED25519=1234 MANIFESTO_PASSPHRASE_SEC_NOTARY_ROOT=1234 MANIFESTO_PASSPHRASE_SEC=1234
signs token env
for type in ed25519 p256 p384 rsa; do signs_with $type; done
fails 'a key whose algorithm does not fit the repository' 'no signature scheme for ecdsa keys of 521 bits' \
	manifesto role add $image other --types other --key command-p521

# A Notary server takes each type of key.
lab registry notary
export MANIFESTO_TRUST_SERVER=$NOTARY
image=$REGISTRY/acme/app:1.0
push_image oci:image:1.0 "$image" >/dev/null 2>&1
manifesto key add alice-notary-root "ssh-agent:$(ssh_fingerprint agent-ec)" >/dev/null
run alone manifesto put --init "$image" qa-approval "$approval"
check_status 'the agent is the root and the writer of a Notary repository' 0
get_is 'which verifies' "$approval" "$image" qa-approval
root_of "$image" >root.pem
check 'the certificate is signed by the agent' test "$(openssl x509 -in root.pem -pubkey -noout)" = "$(ssh-keygen -e -m PKCS8 -f agent-ec.pub)"
check 'and verifies with its own key' openssl verify -CAfile root.pem -check_ss_sig root.pem
for type in "${types[@]}"; do signs_with "$type"; done
signs agent-p256 env
signs token env
signs token-p256 env
: >"$TOKEN_LOG"
signs token-always env
check 'its PIN is given at each signature' test "$(grep -c '^login again' "$TOKEN_LOG")" = "$(grep -c '^sign' "$TOKEN_LOG")"

manifesto key add bob "command:$signer" "$T/ed25519.key" >/dev/null
manifesto key add bob-notary-root "command:$signer" "$T/ed25519.key" >/dev/null
push_image oci:image:1.0 "$REGISTRY/acme/bob:1.0" >/dev/null 2>&1
fails 'a key whose algorithm does not fit the role' 'expected an ecdsa or rsa key, got ed25519' \
	manifesto put --init --key bob "$REGISTRY/acme/bob:1.0" qa-approval "$approval"

# A token is the root of a Notary repository.
manifesto key add sec-notary-root "pkcs11:token=team;object=root?$module" >/dev/null
manifesto key add sec "pkcs11:token=team;object=release?$module" >/dev/null
sec=$REGISTRY/acme/sec:1.0
push_image oci:image:1.0 "$sec" >/dev/null 2>&1
: >"$TOKEN_LOG"
MANIFESTO_KEY=sec run alone manifesto put --init "$sec" qa-approval "$approval"
check_status 'a token is the root and the writer of a Notary repository' 0
get_is 'which verifies' "$approval" "$sec" qa-approval
root_of "$sec" >root.pem
check 'the certificate is of the key on the token' test "$(openssl x509 -in root.pem -pubkey -noout)" = \
	"$(manifesto key show sec-notary-root --json | jq -r '.keys[0].publicKey')"
check 'and verifies with it' openssl verify -CAfile root.pem -check_ss_sig root.pem
check 'several files, two keys: one session' test "$(grep -c '^session' "$TOKEN_LOG")" = 1
check 'and the PIN was given once' test "$(grep -c '^login' "$TOKEN_LOG")" = 1
MANIFESTO_KEY=sec run alone manifesto trust rotate "$sec" root --key token-p256
check_status 'a root on a token is renewed' 0

# --- one connection, one PIN, one question in a run over many images
unset MANIFESTO_TRUST_SERVER
image=oci:image:1.0
for i in 1 2 3; do
	make_image image --tag "$i.0" --seed "$i" >/dev/null
	manifesto put -q "oci:image:$i.0" qa-approval "$approval"
done
manifesto role add $image cosigners --types qa-approval --key token-ed25519 >/dev/null 2>&1
for name in one two three; do
	make_image "$name" >/dev/null
	manifesto put -q --init --key token-ed25519 "oci:$name:1.0" qa-approval "$approval" 2>/dev/null || t_bail "a repository $name"
done
: >"$TOKEN_LOG"
run alone manifesto trust refresh oci:one oci:two oci:three --within 100y
check_status 'three repositories are re-signed with the token' 0
check 'over one session' test "$(grep -c '^session' "$TOKEN_LOG")" = 1
check 'with one PIN' test "$(grep -c '^login' "$TOKEN_LOG")" = 1
check 'several files of each are signed' test "$(grep -c '^sign' "$TOKEN_LOG")" -ge 9
between() { # MODE
	[ -z "${between_pid-}" ] || kill "$between_pid" 2>/dev/null
	rm -f "$T/run/between"
	: >agent.log
	setpriv --pdeathsig KILL "$(t_python)" "$T_TOP/tests/support/agent.py" "$T/run/between" "$SSH_AUTH_SOCK" "$T/agent.log" "$1" &
	between_pid=$!
	agents+=("$between_pid")
	until [ -S "$T/run/between" ]; do sleep 0.02; done
}
between pass
run alone env SSH_AUTH_SOCK="$T/run/between" manifesto put $image many "$approval"
check_status 'a put through the agent' 0
check 'record and files were signed' test "$(grep -c 'request 13' agent.log)" -gt 1
check 'over one connection' test "$(grep -c connect agent.log)" = 1
check 'without asking for the list of keys' test "$(grep -c 'request 11' agent.log)" = 0

# --- failures of an agent
publish=(manifesto put "$image" qa-approval agent.pub)
fails 'no agent' 'SSH_AUTH_SOCK is not set' env -u SSH_AUTH_SOCK "${publish[@]}"
fails 'an agent that is gone' 'connect to the ssh-agent' env SSH_AUTH_SOCK="$T/run/none" "${publish[@]}"
fails 'a socket that is none' 'connect to the ssh-agent' env SSH_AUTH_SOCK="$T/agent.pub" "${publish[@]}"
fails 'a socket with a long name' 'connect to the ssh-agent' env SSH_AUTH_SOCK="/$(printf '%0120d' 0)" "${publish[@]}"
ssh-add -q -d agent.pub 2>/dev/null
fails 'a key that the agent does not hold' 'does not hold key' "${publish[@]}"
check_stderr_has 'the hint says how to add it' 'ssh-add FILE'
fails 'nor can it be added' 'does not hold key' manifesto key add absent "ssh-agent:$fingerprint"
printf '#!/bin/sh\necho secret\n' >askpass
printf '#!/bin/sh\nexit 1\n' >refuse
chmod 755 askpass refuse
ssh-add -q agent 2>/dev/null
SSH_ASKPASS=$T/askpass SSH_ASKPASS_REQUIRE=force ssh-add -x >/dev/null 2>&1
fails 'a locked agent' 'locked' "${publish[@]}"
check_stderr_has 'the hint says how to unlock it' 'ssh-add -X'
SSH_ASKPASS=$T/askpass SSH_ASKPASS_REQUIRE=force ssh-add -X >/dev/null 2>&1
first=$SSH_AUTH_SOCK
SSH_ASKPASS=$T/refuse SSH_ASKPASS_REQUIRE=force start_agent
ssh-add -q -c agent 2>/dev/null
fails 'an agent whose user refuses' 'refuses to sign' "${publish[@]}"
SSH_AUTH_SOCK=$first
for row in 'wrong:signature does not verify' 'other:signature does not verify' 'garbage:malformed answer' 'huge:malformed answer' \
	'short:closed the connection'; do
	between "${row%%:*}"
	fails "an agent between that gives ${row%%:*}" "${row#*:}" env SSH_AUTH_SOCK="$T/run/between" "${publish[@]}"
done
between silent
refuses 'an agent that is silent' 11 'gave no answer in time' alone env SSH_AUTH_SOCK="$T/run/between" \
	manifesto put --timeout 1s "$image" qa-approval agent.pub
run manifesto key add malformed ssh-agent:SHA256:short
check_status 'a malformed fingerprint is a usage error' 2

# --- failures of a token
manifesto role add $image guards --types guarded --key token-ed25519 >/dev/null 2>&1
publish=(manifesto put --key token-ed25519 --role guards "$image" guarded agent.pub)
run alone "${publish[@]}"
check_status 'a put with the token' 0
publish[-1]=long
date +%N >long
fails 'no PIN' 'the PIN of the token' env -u MANIFESTO_PASSPHRASE -u MANIFESTO_PASSPHRASE_TOKEN_ED25519 "${publish[@]}"
: >"$TOKEN_LOG"
fails 'a wrong PIN' 'refuses the PIN' env MANIFESTO_PASSPHRASE_TOKEN_ED25519=9999 "${publish[@]}"
check 'is tried once' test "$(grep -c '^login' "$TOKEN_LOG")" = 1
warns() { # NAME MODE TEXT
	run alone env TOKEN_MODE="$2" "${publish[@]}"
	check_status "$1: it signs" 0
	check_stderr_has "$1: with a warning" "$3"
	date +%N >long
}
warns 'few tries are left' few 'few tries are left'
warns 'one try is left' final 'after one more wrong PIN'
: >"$TOKEN_LOG"
fails 'a PIN that is locked' 'has locked its PIN' env TOKEN_MODE=locked "${publish[@]}"
check 'no PIN is given to it' test "$(grep -c '^login' "$TOKEN_LOG")" = 0
fails 'a PIN that gets locked' 'has locked its PIN' env TOKEN_MODE=locks "${publish[@]}"
fails 'a PIN that has expired' 'has expired' env TOKEN_MODE=expired "${publish[@]}"
fails 'a token that is removed meanwhile' 'was removed' env TOKEN_MODE=removed "${publish[@]}"
fails 'a token that lies' 'signature does not verify' env TOKEN_MODE=lies "${publish[@]}"
fails 'a token that gives nothing' 'verify the new signature' env TOKEN_MODE=empty "${publish[@]}"
mkdir none
sed "s,$T/tokens,$T/none," softhsm.conf >none.conf
fails 'a token that is not there' 'no token is there' env SOFTHSM2_CONF="$T/none.conf" "${publish[@]}"
mv token.so token.so.away
fails 'a module that is not there' 'load the PKCS #11 module' "${publish[@]}"
mv token.so.away token.so
# A sanitizer's runtime must be the first library.
ldd "$T_MANIFESTO" | grep -q libasan ||
	fails 'no p11-kit' 'which is not installed' env LD_PRELOAD="$T/token.so" TOKEN_MODE=none "${publish[@]}"
fails 'a key that is not on the token' "no private key on the token 'team'" env MANIFESTO_PASSPHRASE_ABSENT=1234 manifesto key add absent "pkcs11:token=team;object=none?$module"
fails 'several keys that fit' "several public keys on the token 'team'" manifesto key add several "pkcs11:token=team?$module"
for uri in 'pkcs11:token=team;object=release?pin-value=1234' 'pkcs11:token=team;object=release?pin-source=file:pin' 'pkcs11:' \
	'pkcs11:token=%' 'pkcs11:token=team;unknown=1'; do
	run manifesto key add malformed "$uri"
	check_status "no URI of a key: $uri" 2
done
check 'nothing was stored for them' test ! -e "$MANIFESTO_HOME/keys/malformed.key"

# --- failures of a command
cp "$signer" signer
run manifesto key add command ./signer
check_status 'a place without a scheme is a usage error' 2
run manifesto key add command command:./signer ed25519.key
check_status 'a command with a relative path' 0
check_json 'is stored with the whole one' ".source == \"command:$T/./signer\" and .arguments == [\"ed25519.key\"]" "$MANIFESTO_HOME/keys/command.key"
manifesto role add $image commands --types commanded --key command >/dev/null 2>&1
publish=(manifesto put --key command --role commands "$image" commanded agent.pub)
run alone "${publish[@]}"
check_status 'a put with the command' 0
publish[-1]=long
program() { # SCRIPT
	printf '#!/bin/sh\n%s\n' "$1" >signer.new
	chmod 755 signer.new
	mv signer.new signer
}
flawed() { # NAME TEXT SCRIPT
	program "$3"
	fails "a command that $1" "$2" "${publish[@]}"
}
openssl genpkey -algorithm ed25519 -out ed25519-other.key
openssl pkey -in p256.key -pubout -out other.pem
other=$(jq -Rs . <other.pem)
flawed 'fails with a reason' 'it ended with status 3: no such key' 'echo no such key >&2; exit 3'
flawed 'refuses' 'the service says "no"' 'echo "{\"error\":\"the service says \\\"no\\\"\"}"'
flawed 'refuses with a status' 'it ended with status 1: not now' 'echo "{\"error\":\"not now\"}"; exit 1'
flawed 'dies' 'it ended with status 137' 'kill -9 $$'
flawed 'says nothing' 'its answer' ':'
flawed 'gives no JSON' 'its answer' 'echo signature'
flawed 'gives two documents' 'its answer' 'echo "{\"signature\":\"QQ==\"} {}"'
flawed 'gives one member twice' 'its answer' 'echo "{\"signature\":\"QQ==\",\"signature\":\"QQ==\"}"'
flawed 'gives more than that' "member 'signature' alone" 'echo "{\"signature\":\"QQ==\",\"more\":1}"'
flawed 'gives something else' 'signature' "printf '%s\\n' '{\"publicKey\":$other}'"
flawed 'gives a number' 'signature' 'echo "{\"signature\":1}"'
flawed 'gives no base64' 'base64' 'echo "{\"signature\":\"*\"}"'
flawed 'gives too much' 'more than 65536 bytes' 'head -c 70000 /dev/zero | tr "\0" " "'
flawed 'gives a wrong signature' 'signature does not verify' "echo '{\"signature\":\"$(head -c 64 /dev/zero | base64 -w 0)\"}'"
flawed 'signs with another key' 'signature does not verify' "exec $signer $T/ed25519-other.key"
program 'exec sleep 60'
refuses 'a command that hangs' 11 'gave no answer within' alone "${publish[@]}" --timeout 1s
rm signer
fails 'a command that is missing' 'no such program' "${publish[@]}"
echo text >signer
fails 'a command that is no program' 'no such program' "${publish[@]}"
program "echo '{\"publicKey\":\"none\"}'"
fails 'a command whose public key is none' 'command' manifesto key add other command:./signer

# --- failures of variables and descriptors
publish=(manifesto put --key env-ed25519 --role role-env-ed25519 "$image" of-env-ed25519 long)
fails 'a variable that is not set' "'CI_KEY' is not set" "${publish[@]}"
fails 'a variable that is empty' "'CI_KEY' is empty" env CI_KEY= "${publish[@]}"
fails 'a variable without a key' "read from 'env:CI_KEY'" env CI_KEY=text "${publish[@]}"
fails 'a variable with another key' 'was replaced in the meantime' env CI_KEY="$(cat p256.key)" "${publish[@]}"
openssl pkcs8 -topk8 -in ed25519.key -passout pass:sesame -out locked.key
run alone env CI_KEY="$(cat locked.key)" MANIFESTO_PASSPHRASE_ENV_ED25519=sesame "${publish[@]}"
check_status 'a key with a passphrase in a variable' 0
date +%N >long
fails 'and with a wrong one' 'passphrase' env CI_KEY="$(cat locked.key)" MANIFESTO_PASSPHRASE_ENV_ED25519=wrong "${publish[@]}"
run alone env CI_KEY="$(cat "$MANIFESTO_HOME/keys/alice-root.key")" manifesto key add root-again env:CI_KEY
check_status 'a key file of manifesto in a variable' 0
publish=(manifesto put --key fd-ed25519 --role role-fd-ed25519 "$image" of-fd-ed25519 long)
fails 'a descriptor that is closed' 'fd:9' "${publish[@]}"
fails 'a descriptor that is empty' 'is empty' bash -c 'exec "$@" 9</dev/null' - "${publish[@]}"
for source in env: env:1A 'env:A B' fd: fd:x fd:-1 fd:123456 command: ssh-agent: gpg:me ''; do
	run manifesto key add malformed "$source"
	check_status "no place of a key: '$source'" 2
done
run manifesto key add env-ed25519 env:CI_KEY
check_status 'a name that is taken is a conflict' 12
run alone manifesto key export env-ed25519 out --role targets --gun g
check_status 'a key that is elsewhere cannot be exported' 11

# --- what children get
program "env >$T/child.env; ls -l /proc/self/fd >$T/child.fds; exec $signer $T/ed25519.key"
publish=(manifesto put --key command --role commands "$image" commanded long)
run alone env CI_KEY="$(cat ed25519.key)" REGISTRY_PASSWORD=canary MANIFESTO_TRUST_PASSWORD=canary MANIFESTO_PASSPHRASE_COMMAND=canary \
	OF_THE_COMMAND=kept "${publish[@]}"
check_status 'a command with variables of ours' 0
check 'it has its own variables' grep -qx OF_THE_COMMAND=kept child.env
check 'and none of our secrets' test "$(grep -cE 'canary|PRIVATE KEY|^CI_KEY|^MANIFESTO_PASSPHRASE' child.env)" = 0
check 'and no socket' test "$(grep -c socket: child.fds)" = 0
date +%N >long
manifesto key generate locked >/dev/null 2>&1
manifesto role add $image lockers --types locked --key locked >/dev/null 2>&1
run alone env CI_KEY="$(cat ed25519.key)" manifesto put --key locked --role lockers "$image" locked long \
	--passphrase-cmd "env >$T/child.env; echo 'correct horse'"
check_status 'a passphrase from a command' 0
check 'which does not get the key in the variable' test "$(grep -cE 'PRIVATE KEY|^CI_KEY' child.env)" = 0
run alone env -u MANIFESTO_PASSPHRASE MANIFESTO_PASSPHRASE_LOCKED='correct horse' manifesto put --key locked --role lockers "$image" locked signer
check_status 'a variable with the passphrase of one key' 0
run alone env MANIFESTO_PASSPHRASE_LOCKED=wrong manifesto put --key locked --role lockers "$image" locked "$approval"
check_status 'it counts before the one for all keys' 11

t_done
