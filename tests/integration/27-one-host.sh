#!/bin/bash
# A password that is given on the command line or in REGISTRY_* belongs to one host. Every other server that asks for one, whatever
# was requested of it, gets none: nothing in its log looks like the password. And uploads, with the quirks of registries.
. "$(dirname "$0")/../support/t.sh"
. "$T_TOP/tests/support/attack.sh"

canary=CANARY-7f3a
lab registry notary
proxy P "http://$REGISTRY"
proxy S "http://$REGISTRY"
proxy N "$NOTARY"
# Token servers that the registry and the trust server name: hosts of their own.
proxy R http://127.0.0.1:9
proxy K http://127.0.0.1:9
export MANIFESTO_TRUST_SERVER=http://$N
# shellcheck disable=SC2153 # set by proxy
repository=$P/acme/app
image=$repository:1.0
make_image image >/dev/null
push_image oci:image:1.0 "$REGISTRY/acme/app:1.0" >/dev/null
echo '{"n":1}' >one.json
put --no-passphrase --init "$image" qa one.json
put --no-passphrase --init --store "$S/acme/store" "$image" qa one.json

basic='"status":401,"headers":{"WWW-Authenticate":"Basic realm=\"r\""}'
bearer() { # PROXY: a challenge that names it as the token server
	printf '"status":401,"headers":{"WWW-Authenticate":"Bearer realm=\\"http://%s/token\\",service=\\"s\\",scope=\\"repository:acme/app:pull,push\\""}' "$1"
}
encoded=$(printf 'robot:%s' "$canary" | base64 -w 0)
saw_it() { # PROXY...
	local name
	for name; do ! grep -qF -e "$canary" -e "$encoded" "$T/$name.log" || return 0; done
	return 1
}
forget() {
	local name
	for name in P S N R K; do : >"$T/$name.log"; done
	rm -rf home/cache
}
no_warning() {
	! grep -qi warning "$T/stderr"
}
n=0
# Each command, the password given in each of the three ways.
commands() { # OPTIONS: of --store
	local line
	while read -r line; do
		n=$((n + 1))
		echo "{\"n\":$n}" >new.json
		rm -rf home/cache
		# shellcheck disable=SC2086 # words
		case $((n % 3)) in
		0) run manifesto $line --timeout 5s $1 -u "robot:$canary" ;;
		1) REGISTRY_USERNAME=robot REGISTRY_PASSWORD=$canary run manifesto $line --timeout 5s $1 ;;
		2)
			echo "$canary" >password
			run_with password manifesto $line --timeout 5s $1 -u robot --password-stdin
			;;
		esac
	done <<-END
		get $image qa
		list $image
		put $image more$n new.json
		verify --require qa $image
		sign --yes $image qa
		history $image
		status $repository
		repair $repository
		list --all $repository
		withdraw --reason stop $image qa
		put --reinstate $image qa new.json
		rm $image qa
		put --force $image qa new.json
		trust show $image
		trust refresh $image
		role list $image
	END
}

# --- the trust server, and the token server that it names
for path in / /timestamp /snapshot /targets 'tuf/$'; do
	for kind in basic bearer; do
		forget
		challenge=$basic
		[ $kind = basic ] || challenge=$(bearer "$K")
		faults K '{"path":"/","action":"local","to":"/token"}'
		faults P "{\"path\":\"/\",\"action\":\"status\",$basic,\"count\":1}"
		faults N "{\"path\":\"$path\",\"action\":\"status\",$challenge}"
		commands ''
		check "$path, $kind: the trust server asks for a login" grep -q '"rule": 0' "$T/N.log"
		[ $kind = basic ] || check "$path, $kind: its token server is asked for a token" grep -q '/token' "$T/K.log"
		check "$path, $kind: neither gets the registry's password" eval '! saw_it N K'
	done
done
faults N
faults P "{\"path\":\"/\",\"action\":\"status\",$basic,\"count\":1}"
run manifesto list -u "robot:$canary" "$image"
check 'the registry does' saw_it P

# --- a second registry: that of the image, where --store names another one
for kind in basic bearer; do
	forget
	challenge=$basic
	[ $kind = basic ] || challenge=$(bearer "$R")
	faults R '{"path":"/","action":"local","to":"/token"}'
	faults P "{\"path\":\"/\",\"action\":\"status\",$challenge}"
	faults S "{\"path\":\"/\",\"action\":\"status\",$basic,\"without\":\"authorization\"}"
	commands "--store $S/acme/store"
	commands "--store $S/acme/store"
	check "--store, $kind: the image's registry asks for a login" grep -q '"rule": 0' "$T/P.log"
	check "--store, $kind: it gets no password, nor does its token server" eval '! saw_it P R'
	faults P
	run manifesto put --force --store "$S/acme/store" -u "robot:$canary" "$image" qa one.json
	check "--store, $kind: the store does" saw_it S
done

# --- two registries in one run: the first one's
faults P "{\"path\":\"/\",\"action\":\"status\",$basic,\"count\":1}"
faults S "{\"path\":\"/\",\"action\":\"status\",$basic}"
forget
run manifesto verify --require qa -u "robot:$canary" "$image" "$S/acme/app:1.0"
check 'verify of two: the first registry gets the password' saw_it P
check 'the second asks for a login' grep -q '"rule": 0' "$T/S.log"
check 'and gets none' eval '! saw_it S'

# --- a registry's own token server, as docker login sends it; and hosts that it sends uploads and downloads to
forget
faults R '{"path":"/","action":"local","to":"/token"}'
faults P "{\"path\":\"/\",\"action\":\"status\",$(bearer "$R"),\"count\":1}"
run manifesto list -u "robot:$canary" "$image"
check "the registry's own token server gets it" saw_it R
forget
faults P "{\"path\":\"/\",\"action\":\"status\",$basic,\"count\":1}" \
	"{\"method\":\"POST\",\"path\":\"/uploads/\",\"action\":\"status\",\"status\":202,\"headers\":{\"Location\":\"http://$S/v2/x/up?a=b\"}}"
run manifesto put --force -u "robot:$canary" "$image" qa new.json
check 'an upload at another host: it asks for a login' grep -q '"rule": 0' "$T/S.log"
check 'and gets none' eval '! saw_it S'

# --- uploads
faults S
upload() { # NAME RULE...
	local name=$1
	shift
	forget
	n=$((n + 1))
	echo "{\"upload\":$n}" >new.json
	faults P "{\"path\":\"/\",\"action\":\"status\",$basic,\"count\":1}" "$@"
	REGISTRY_USERNAME=robot REGISTRY_PASSWORD=$canary run manifesto put "$image" "upload$n" new.json
	check_status "$name: put" 0
	check "$name: no warning" no_warning
	cp "$T/P.log" asked
	faults P
	rm -rf home/cache
	gets "$name: get" new.json "$image" "upload$n"
	check "$name: no other host gets the password" eval '! saw_it S N'
}
for code in 307 308; do
	for method in POST PUT DELETE HEAD; do
		for to in '' "http://$S"; do
			upload "$code of a $method, ${to:+to another host}" \
				"{\"method\":\"$method\",\"path\":\"/v2/\",\"action\":\"moved\",\"status\":$code,\"to\":\"$to\",\"count\":1}" \
				"{\"method\":\"$method\",\"path\":\"/v2/\",\"skip\":1,\"action\":\"moved\",\"status\":$code,\"to\":\"$to\",\"count\":1}"
		done
	done
done
for location in '?relative=1' 'one/two' "//$P/v2/acme/app/blobs/uploads/x"; do
	forget
	faults P "{\"path\":\"/\",\"action\":\"status\",$basic,\"count\":1}" \
		"{\"method\":\"POST\",\"path\":\"/uploads/\",\"action\":\"replace\",\"headers\":{\"location\":\"$location\"}}" \
		'{"method":"PUT","path":"/uploads/","action":"status","status":201}'
	run manifesto put -u "robot:$canary" "$image" "relative$n" new.json
	check "a Location '$location' is resolved against the request" grep -q '"method": "PUT", "path": "/v2/acme/app/blobs/uploads/\(?relative=1&\|one/two?\|x?\)digest=' "$T/P.log"
done
for code in 405 411 413 415 501; do
	upload "$code for a PUT with a body: in parts" \
		"{\"method\":\"PUT\",\"path\":\"/blobs/uploads/\",\"sends\":true,\"action\":\"status\",\"status\":$code}"
	check "$code: by PATCH" test "$(grep -c '"method": "PATCH"' asked)" = 2
done
upload 'an upload that the registry does not know' "{\"method\":\"PUT\",\"path\":\"/blobs/uploads/\",\"action\":\"status\",\"status\":404,
	\"body\":\"{\\\"errors\\\":[{\\\"code\\\":\\\"BLOB_UPLOAD_UNKNOWN\\\"}]}\",\"count\":2}"
presigned="http://$S/v2/acme/app/blobs/sha256:$(sha256sum <new.json | cut -c1-64)?token=$(printf '%08000d' 1)"
forget
faults P "{\"path\":\"/\",\"action\":\"status\",$basic,\"count\":1}" \
	"{\"method\":\"GET\",\"path\":\"/blobs/sha256:\",\"action\":\"status\",\"status\":307,\"headers\":{\"Location\":\"$presigned\"}}"
REGISTRY_USERNAME=robot REGISTRY_PASSWORD=$canary gets 'a presigned URL of 8 KiB' new.json "$image" "upload$n"
check 'the other host was asked' grep -q 'token=0000' "$T/S.log"
check 'and got no password' eval '! saw_it S'

t_done
