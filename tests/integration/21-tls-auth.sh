#!/bin/bash
# TLS with a private CA; passwords and bearer tokens from every source; no secret appears in the output.
. "$(dirname "$0")/../support/t.sh"
. "$T_TOP/tests/support/job.sh"
. "$T_TOP/tests/support/attack.sh"

lab registry-tls registry-mtls notary-tls registry-token notary-token
password=$REGISTRY_TLS_PASSWORD
make_image layout >/dev/null
push_image oci:layout:1.0 "$REGISTRY_TLS/acme/app:1.0" --dest-creds "$REGISTRY_TLS_USER:$password" >/dev/null 2>&1
for repository in team/app public/app; do
	push_image oci:layout:1.0 "$REGISTRY_TOKEN/$repository:1.0" --dest-creds "$TOKEN_WRITER" >/dev/null 2>&1
done
image=$REGISTRY_TLS/acme/app:1.0
printf 'second' >second

# --- TLS
export MANIFESTO_TRUST_SERVER=$NOTARY_TLS REGISTRY_USERNAME=$REGISTRY_TLS_USER REGISTRY_PASSWORD=$password
refused 'an unknown CA' 4 put --init "$image" qa-approval "$approval"
check_stderr_has 'the certificate is the reason' certificate
check_stderr_has 'the way out is named' --cacert
refused 'an unknown CA of the trust server' 4 list "${image%:*}@sha256:$(sum second)"
check_stderr_has 'it is named' "$NOTARY_TLS"
check_stderr_has 'and the way out' --cacert
refused 'another CA' 4 --cacert "$OTHER_CA" put --init "$image" qa-approval "$approval"
check_stderr_has 'the certificate is the reason there, too' certificate
refused 'a CA file that is not there' 1 --cacert none put --init "$image" qa-approval "$approval"
refused 'a CA file without a certificate' 1 --cacert second put --init "$image" qa-approval "$approval"
refused 'plain HTTP with a server that speaks TLS' 4 --cacert "$CA" --trust-server "http://${NOTARY_TLS#https://}" list "$image"
run manifesto --cacert "$CA" put --init "$image" qa-approval "$approval"
check_status 'with the CA the first put works' 0
export MANIFESTO_CACERT=$CA
refused 'no variable names a CA' 4 list "$image"
unset MANIFESTO_CACERT
get_is 'get' "$approval" --cacert "$CA" "$image" qa-approval
get_is 'get by name' "$approval" --cacert "$CA" "$image" qa-approval
run manifesto --cacert "$CA" list "$image"
check_stdout_has 'list' qa-approval
refused 'a cached answer does not stand in for TLS that fails' 4 list "$image"

# A server with a certificate of the CA for another name.
openssl req -x509 -config "$LAB/tls/openssl.cnf" -extensions person -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 \
	-subj /CN=other.example -addext 'subjectAltName = DNS:other.example' -CA "$CA" -CAkey "$LAB/tls/ca.key" \
	-keyout other.key -out other.crt 2>/dev/null
"$(t_python)" "$T_TOP/tests/support/faultserver.py" --port-file port --tls-cert other.crt --tls-key other.key >/dev/null 2>&1 &
server=$!
for ((i = 0; i < 100; i++)); do
	[ -s port ] && break
	sleep 0.05
done
refused 'a certificate for another name' 4 --cacert "$CA" --trust-server "https://127.0.0.1:$(cat port)" list "$image"
check_stderr_has 'the message names the server' "127.0.0.1:$(cat port)"
kill $server

# --- client certificates
mkdir certificates
cp "$CA" certificates/ca.crt
cp "$CLIENT_CERT" certificates/lab.cert
cp "$CLIENT_KEY" certificates/lab.key
mutual=$REGISTRY_MTLS/acme/app:1.0
skopeo --insecure-policy copy --quiet --dest-cert-dir certificates oci:layout:1.0 "docker://$mutual" >/dev/null
refused 'a registry that wants a client certificate' 4 --cacert "$CA" put --init "$mutual" qa-approval second
check_stderr_has 'the certificate is the reason' certificate
refused 'a certificate without its key' 1 --cacert "$CA" --client-cert "$CLIENT_CERT" put --init "$mutual" qa-approval second
refused 'a certificate file that is not there' 1 --cacert "$CA" --client-cert none --client-key "$CLIENT_KEY" put --init "$mutual" qa-approval second
check 'nothing was made for them' test "$(http_status --cacert "$CA" "$NOTARY_TLS/v2/$REGISTRY_MTLS/acme/app/_trust/tuf/root.json")" = 404
run manifesto --cacert "$CA" --client-cert "$CLIENT_CERT" --client-key "$CLIENT_KEY" put --init "$mutual" qa-approval second
check_status 'with the certificate put works' 0
cold
get_is 'get' second --cacert "$CA" --client-cert "$CLIENT_CERT" --client-key "$CLIENT_KEY" "$mutual" qa-approval

# --- passwords
export CI=true # nothing is asked
man() {
	run manifesto --cacert "$CA" "$@"
}
unauthorised() { # NAME ARGUMENTS...
	local name=$1
	shift
	refused "$name" 5 --cacert "$CA" "$@"
}
unset REGISTRY_USERNAME REGISTRY_PASSWORD
unauthorised 'no password' get "$image" qa-approval
check_stderr_has 'the registry is named' "$REGISTRY_TLS"
REGISTRY_PASSWORD=wrong unauthorised 'a wrong password' -u "$REGISTRY_TLS_USER" get "$image" qa-approval
REGISTRY_PASSWORD=wrong unauthorised 'a put with a wrong password' -u "$REGISTRY_TLS_USER" put "$image" x second
REGISTRY_PASSWORD=$password unauthorised 'a wrong user' -u nobody get "$image" qa-approval
refused 'a user without a password' 2 --cacert "$CA" -u "$REGISTRY_TLS_USER" get "$image" qa-approval
REGISTRY_PASSWORD=$password get_is '-u and REGISTRY_PASSWORD' "$approval" --cacert "$CA" -u "$REGISTRY_TLS_USER" "$image" qa-approval
printf '%s\n' "$password" >password
run_with password manifesto --cacert "$CA" -u "$REGISTRY_TLS_USER" --password-stdin get "$image" qa-approval
check_stdout_file '--password-stdin' "$approval"
printf '%s' "$password" >password
REGISTRY_USERNAME=$REGISTRY_TLS_USER run_with password manifesto --cacert "$CA" --password-stdin get "$image" qa-approval
check_stdout_file 'without a newline, and the user from the environment' "$approval"
get_is '-u USER:PASSWORD' "$approval" --cacert "$CA" -u "$REGISTRY_TLS_USER:$password" "$image" qa-approval
check_stderr_has 'warns' 'process list'
check_stderr_lacks 'without showing it' "$password"

# A password is for the registry that the run is about, and no other.
proxy E "http://127.0.0.1:1"
# shellcheck disable=SC2153 # set by proxy
faults E '{"path":"/v2/","action":"status","status":401,"headers":{"WWW-Authenticate":"Basic realm=\"x\""}}'
REGISTRY_PASSWORD=$password refused 'an image on another registry' 5 --cacert "$CA" -u "$REGISTRY_TLS_USER" --store "$REGISTRY_TLS/acme/app" get "$E/acme/app:1.0" qa-approval
REGISTRY_PASSWORD=$password run manifesto --cacert "$CA" -u "$REGISTRY_TLS_USER" verify --require qa-approval "$image" "$E/acme/app:1.0"
check_status 'an image beside one of the registry' 3
check 'was asked for' grep -q '"/v2/acme/app/manifests/1.0"' "$T/E.log"
check 'and got no password' test "$(grep -ci '"authorization"' "$T/E.log")" = 0

# --- Docker's configuration
mkdir -p "$HOME/.docker" docker
docker_config() { # FILE, with the configuration on stdin
	cat >"$1/config.json"
}
encoded=$(printf '%s' "$REGISTRY_TLS_USER:$password" | base64 -w 0)
docker_config "$HOME/.docker" <<<"{\"auths\": {\"$REGISTRY_TLS\": {\"auth\": \"$encoded\"}, \"other.example\": {\"auth\": \"eDp5\"}}}"
get_is 'auths' "$approval" --cacert "$CA" "$image" qa-approval
man put "$image" auths second
check_status 'put with it' 0
docker_config "$HOME/.docker" <<<"{\"auths\": {\"https://$REGISTRY_TLS/v2/\": {\"auth\": \"$encoded\"}}}"
get_is 'auths by URL' "$approval" --cacert "$CA" "$image" qa-approval
docker_config docker <<<"{\"auths\": {\"$REGISTRY_TLS\": {\"auth\": \"$(printf 'robot:wrong' | base64)\"}}}"
DOCKER_CONFIG=$T/docker unauthorised 'DOCKER_CONFIG names another directory' get "$image" qa-approval
check_stderr_has 'the file with the password is named' "$T/docker/config.json"
docker_config docker <<<'{"auths": {"x"'
DOCKER_CONFIG=$T/docker unauthorised 'a configuration that is no JSON' get "$image" qa-approval
check_stderr_has 'it is named' "$T/docker/config.json"
rm "$HOME/.docker/config.json"
cat >"$T/bin/docker-credential-lab" <<END
#!/bin/sh
cat >>$T/helper.asked
echo " \$1" >>$T/helper.asked
printf '{"ServerURL": "x", "Username": "%s", "Secret": "%s"}' '$REGISTRY_TLS_USER' '$password'
END
cat >"$T/bin/docker-credential-none" <<'END'
#!/bin/sh
echo 'credentials not found in native keychain'
exit 1
END
printf '#!/bin/sh\necho pass store is uninitialized; exit 2\n' >"$T/bin/docker-credential-broken"
printf '#!/bin/sh\necho "{\\"Secret\\": \\"secret-of-the-helper"; echo it broke >&2; exit 2\n' >"$T/bin/docker-credential-halfway"
chmod +x "$T/bin/docker-credential-"*
docker_config docker <<<"{\"credHelpers\": {\"$REGISTRY_TLS\": \"lab\"}, \"credsStore\": \"broken\"}"
export DOCKER_CONFIG=$T/docker
get_is 'credHelpers' "$approval" --cacert "$CA" "$image" qa-approval
check 'the helper was asked for the registry' grep -qxF "$REGISTRY_TLS get" <(paste -sd '' helper.asked)
docker_config docker <<<'{"credsStore": "lab"}'
get_is 'credsStore' "$approval" --cacert "$CA" "$image" qa-approval
docker_config docker <<<'{"credsStore": "none"}'
unauthorised 'a store that has nothing' get "$image" qa-approval
docker_config docker <<<'{"credsStore": "broken"}'
unauthorised 'a helper that fails' get "$image" qa-approval
check_stderr_has 'is named' docker-credential-broken
check_stderr_has 'its own words are there' 'pass store is uninitialized'
docker_config docker <<<'{"credsStore": "halfway"}'
unauthorised 'a helper that fails in the middle of its answer' get "$image" qa-approval
check_stderr_has 'its own words are there' 'it broke'
check_stderr_lacks 'expected JSON with Username' secret-of-the-helper
docker_config docker <<<'{"credsStore": "not-installed"}'
unauthorised 'a helper that is not there' get "$image" qa-approval
check_stderr_has 'is named' docker-credential-not-installed
REGISTRY_PASSWORD=$password get_is '-u goes before the configuration' "$approval" --cacert "$CA" -u "$REGISTRY_TLS_USER" "$image" qa-approval
unset DOCKER_CONFIG

# --- bearer tokens, from both servers
export MANIFESTO_TRUST_SERVER=$NOTARY_TOKEN
image=$REGISTRY_TOKEN/team/app:1.0
log=$LAB/log/issuer.log
as() { # USER:PASSWORD: the user from here on
	export REGISTRY_USERNAME=${1%%:*} REGISTRY_PASSWORD=${1#*:} MANIFESTO_TRUST_USERNAME=${1%%:*} MANIFESTO_TRUST_PASSWORD=${1#*:}
}
asked() { # what the issuer granted since the last call, a line for each service and right
	tail -n "+$((seen + 1))" "$log" | jq -r '. as $t | if .access == [] then "\(.service) none" else .access[] | "\($t.service) \(.name) \(.actions | sort | join(","))" end' | sort -u
	seen=$(wc -l <"$log")
}
seen=$(wc -l <"$log")
unauthorised 'the first put without credentials' put --init "$image" qa-approval "$approval"
as "$TOKEN_READER"
unauthorised 'the first put of a reader' put --init "$image" qa-approval "$approval"
check 'nothing was stored for them' test "$(curl -s --cacert "$CA" -H "Authorization: Bearer $(curl -s -u "$TOKEN_READER" \
	"$ISSUER?service=lab-registry&scope=repository:team/app:pull" | jq -r .token)" "https://$REGISTRY_TOKEN/v2/team/app/tags/list" | jq -c .tags)" = '["1.0"]'
as "$TOKEN_WRITER"
asked >/dev/null
man put --init "$image" qa-approval "$approval"
check_status 'the first put of a writer' 0
check 'one token serves all of it at the registry' test "$(tail -n "+$((seen + 1))" "$log" | grep -c lab-registry)" = 1
asked >scopes
check 'it pushes to the registry' grep -qx 'lab-registry team/app pull,push' scopes
check 'and to the trust server' grep -qx "lab-notary $REGISTRY_TOKEN/team/app pull,push" scopes
for command in "get $image qa-approval" "list $image" "trust show $image"; do
	for cache in warm cold; do
		[ $cache = warm ] || cold
		# shellcheck disable=SC2086 # a command with its arguments
		man $command
		check_status "${command%% 127*}, $cache, by a writer" 0
		asked >scopes
		check 'no token for more than to pull was asked for' test -z "$(grep -v ' pull$' scopes)"
	done
done
check 'but one to pull was' grep -qx "lab-notary $REGISTRY_TOKEN/team/app pull" scopes
as "$TOKEN_READER"
cold
get_is 'a reader gets' "$approval" --cacert "$CA" "$image" qa-approval
unauthorised 'but may not put' put "$image" x second
check_stderr_has 'the answer is named' 401
as reader:wrong
unauthorised 'a wrong password at the issuer' get "$image" qa-approval
as admin:admin:pw
get_is 'a password with a colon' "$approval" --cacert "$CA" "$image" qa-approval
unset MANIFESTO_TRUST_USERNAME MANIFESTO_TRUST_PASSWORD
unauthorised 'what is given for the registry is not for the trust server' get "$image" qa-approval
check_stderr_has 'which is named, with its option' "${NOTARY_TOKEN#https://} were found: use --trust-user"
get_is '--trust-user with a password' "$approval" --cacert "$CA" --trust-user admin:admin:pw "$image" qa-approval
check_stderr_has 'which the process list shows' MANIFESTO_TRUST_PASSWORD
printf '%s\n' admin:pw >password
run_with password manifesto --cacert "$CA" --trust-user admin --trust-password-stdin get "$image" qa-approval
check_stdout_file '--trust-password-stdin' "$approval"
unset REGISTRY_USERNAME REGISTRY_PASSWORD
cold
MANIFESTO_TRUST_USERNAME=admin MANIFESTO_TRUST_PASSWORD=admin:pw unauthorised 'nor the other way round' get "$image" qa-approval
check_stderr_has 'the registry is named, with its option' "$REGISTRY_TOKEN were found: use -u"
unauthorised 'nobody reads what is not public' get "$image" qa-approval
export DOCKER_CONFIG=$T/docker
writer=$(printf '%s' "$TOKEN_WRITER" | base64 -w 0)
docker_config docker <<<"{\"auths\": {\"$REGISTRY_TOKEN\": {\"auth\": \"$writer\"}, \"${NOTARY_TOKEN#https://}\": {\"auth\": \"$writer\"}}}"
man put "$image" docker second
check_status 'a put with auths for both' 0
docker_config docker <<<"{\"auths\": {\"$REGISTRY_TOKEN\": {\"auth\": \"$writer\"}}}"
unauthorised 'one for the registry is not for the trust server' get "$image" docker
check_stderr_has 'which is named' "${NOTARY_TOKEN#https://}"
docker_config docker <<<"{\"auths\": {\"$REGISTRY_TOKEN\": {\"identitytoken\": \"$TOKEN_IDENTITY\"}, \"${NOTARY_TOKEN#https://}\": {\"identitytoken\": \"$TOKEN_IDENTITY\"}}}"
man put "$image" identity second
check_status 'a put with identity tokens' 0
get_is 'get with them' second --cacert "$CA" "$image" identity
man put --init "$REGISTRY_TOKEN/public/app:1.0" qa-approval second
check_status 'a put to a public repository' 0
unset DOCKER_CONFIG
cold
get_is 'anybody reads what is public' second --cacert "$CA" "$REGISTRY_TOKEN/public/app:1.0" qa-approval
unauthorised 'and may not put there' put "$REGISTRY_TOKEN/public/app:1.0" qa-approval "$approval"

# --- no secret appears in the output
as "$TOKEN_WRITER"
cold
: >shown
for command in "put $image again $approval" "get $image again" "list --json $image"; do
	# shellcheck disable=SC2086 # a command with its arguments
	man -v -v $command
	check_status "-v -v ${command%% *}" 0
	check_stderr_has 'it shows requests' ' 200, '
	cat "$T/stderr" >>shown
done
as reader:guessed-password
man -v -v get "$image" again
cat "$T/stderr" >>shown
as "$REGISTRY_TLS_USER:$password"
man -v -v --trust-server "$NOTARY_TLS" put "$REGISTRY_TLS/acme/app:1.0" again "$approval"
check_status '-v -v put with a password' 0
cat "$T/stderr" >>shown
for secret in "$password" "$encoded" "$writer" writer:pw guessed-password eyJ 'Bearer ey' 'Basic ' "$MANIFESTO_PASSPHRASE" refresh-of-writer; do
	check "'$secret' is not shown" test -z "$(grep -F -e "$secret" shown)"
done

t_done
