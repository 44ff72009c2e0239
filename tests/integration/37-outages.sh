#!/bin/bash
# Servers that are down, are other servers, or refuse access; images, tags and records that do not exist. Each case has its own status.
. "$(dirname "$0")/../support/t.sh"
. "$T_TOP/tests/support/attack.sh"

lab registry registry-tls registry-token notary notary-tls notary-token
make_image image >/dev/null
push_image oci:image:1.0 "$REGISTRY/acme/app:1.0" >/dev/null
push_image oci:image:1.0 "$REGISTRY_TLS/acme/app:1.0" --dest-creds "$REGISTRY_TLS_USER:$REGISTRY_TLS_PASSWORD" >/dev/null
push_image oci:image:1.0 "$REGISTRY_TOKEN/acme/app:1.0" --dest-creds "$TOKEN_WRITER" >/dev/null
echo '{"approved":true}' >approval.json
image=$REGISTRY/acme/app:1.0
tls=$REGISTRY_TLS/acme/app:1.0
token=$REGISTRY_TOKEN/acme/app:1.0

with() { # USER:PASSWORD
	export REGISTRY_USERNAME=${1%%:*} REGISTRY_PASSWORD=${1#*:} MANIFESTO_TRUST_USERNAME=${1%%:*} MANIFESTO_TRUST_PASSWORD=${1#*:}
}
without() {
	unset REGISTRY_USERNAME REGISTRY_PASSWORD MANIFESTO_TRUST_USERNAME MANIFESTO_TRUST_PASSWORD
}
run manifesto put -q --no-passphrase --init --key alice --trust-server "$NOTARY" "$image" qa-approval approval.json
[ "$status" = 0 ] || t_bail 'first put'
export REGISTRY_USERNAME=$REGISTRY_TLS_USER REGISTRY_PASSWORD=$REGISTRY_TLS_PASSWORD
run manifesto put -q --no-passphrase --init --key alice --cacert "$CA" --trust-server "$NOTARY_TLS" "$tls" qa-approval approval.json
[ "$status" = 0 ] || t_bail 'first put with TLS'
with "$TOKEN_WRITER"
run manifesto put -q --no-passphrase --init --key alice --cacert "$CA" --trust-server "$NOTARY_TOKEN" "$token" qa-approval approval.json
[ "$status" = 0 ] || t_bail 'first put with tokens'
without

# Expects the same status from get, list and put, each with an empty cache.
all_refused() { # NAME STATUS TEXT IMAGE OPTIONS...
	local name=$1 want=$2 text=$3 to=$4
	shift 4
	rm -rf home/cache
	get_refused "$name" "$want" "$text" "$@" "$to" qa-approval
	refuses "$name: list" "$want" "$text" manifesto list "$@" "$to"
	refuses "$name: put" "$want" "$text" manifesto put -q "$@" "$to" new-type approval.json
}
plain=(--trust-server "$NOTARY")
secure=(--cacert "$CA" --trust-server "$NOTARY_TLS")

# --- what does not exist
all_refused 'a tag that is not there' 3 'nope' "$REGISTRY/acme/app:nope" "${plain[@]}"
refuses 'a repository that is not there' 3 '' manifesto list "${plain[@]}" "$REGISTRY/acme/none:1.0"
refuses 'put to a repository that is not there' 3 '' manifesto put -q "${plain[@]}" "$REGISTRY/acme/none:1.0" qa-approval approval.json
get_refused 'a record that is not there' 3 'nope' "${plain[@]}" "$image" nope
absent=sha256:$(printf '%064d' 7)
refuses 'put to a digest that is not there' 3 "$absent" manifesto put -q "${plain[@]}" "$REGISTRY/acme/app@$absent" qa-approval approval.json
get_refused 'a record of a digest that is not there' 3 'qa-approval' "${plain[@]}" "$REGISTRY/acme/app@$absent" qa-approval
push_image oci:image:1.0 "$REGISTRY/acme/bare:1.0" >/dev/null
refuses 'no trust repository, and no --init' 3 'trust repository' manifesto put -q "${plain[@]}" "$REGISTRY/acme/bare:1.0" qa-approval approval.json
refuses 'a get where there is none' 3 'trust repository' manifesto get "${plain[@]}" "$REGISTRY/acme/bare:1.0" qa-approval
refuses 'a role that is not there' 2 'nope' manifesto put -q "${plain[@]}" --role nope "$image" qa-approval approval.json
refuses 'a platform of an image without any' 3 'linux/arm64' manifesto get "${plain[@]}" --platform linux/arm64 "$image" qa-approval

# --- no server
free=$(comm -13 <(awk '{ print $2 }' /proc/net/tcp | sort) <(printf '0100007F:%04X\n' 9 | sort) | head -1)
dead=127.0.0.1:$((16#${free#*:}))
all_refused 'no trust server at that port' 4 'refused' "$image" --trust-server "http://$dead"
refuses 'put where no registry is' 4 'refused' manifesto put -q "${plain[@]}" "$dead/acme/app:1.0" qa-approval approval.json
refuses 'a host that has no address' 4 'resolve' manifesto list --timeout 10s --trust-server https://no-such-host.invalid "$image"
refuses 'the registry taken for a trust server' 8 '' manifesto get --trust-server "http://$REGISTRY" "$image" qa-approval
refuses 'and --init on it' 8 '' manifesto put -q --init --trust-server "http://$REGISTRY" "$image" qa-approval approval.json
refuses 'the trust server taken for a registry' 3 '' manifesto put -q --init --key alice --no-passphrase --trust-server "$NOTARY" "${NOTARY#http://}/acme/app:1.0" qa-approval approval.json

# --- TLS
all_refused 'an unknown CA' 4 'certificate' "$tls" --trust-server "$NOTARY_TLS"
all_refused 'another CA' 4 'certificate' "$tls" --cacert "$OTHER_CA" --trust-server "$NOTARY_TLS"
with "$REGISTRY_TLS_USER:$REGISTRY_TLS_PASSWORD"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=elsewhere.example \
	-addext 'subjectAltName=DNS:elsewhere.example' -addext basicConstraints=critical,CA:TRUE \
	-keyout elsewhere.key -out elsewhere.crt 2>/dev/null || t_bail 'a certificate for another name'
proxy W "http://$REGISTRY" --tls-cert elsewhere.crt --tls-key elsewhere.key
refuses 'a certificate of another name' 4 'certificate' manifesto list --cacert elsewhere.crt --trust-server "https://$W" "$image"
refuses 'a registry with a certificate of another name' 4 'certificate' \
	manifesto put -q --cacert elsewhere.crt --trust-server "$NOTARY" "$W/acme/app:1.0" qa-approval approval.json
check 'which was not notified' test ! -s "$T/W.log"
refuses 'TLS to a server that speaks none' 4 '' manifesto list --cacert "$CA" --trust-server "https://${NOTARY#http://}" "$image"
refuses 'no TLS to a server that speaks it' 4 '' manifesto list --trust-server "http://${NOTARY_TLS#https://}" "$image"
refuses 'a CA file that is not there' 1 'no-file' manifesto list --cacert no-file --trust-server "$NOTARY_TLS" "$image"
refuses 'a CA file without a certificate' 1 'approval.json' manifesto list --cacert approval.json --trust-server "$NOTARY_TLS" "$image"
refuses 'plain HTTP to another host' 2 'plain HTTP' manifesto list --trust-server http://notary.example "$image"
run manifesto get "${secure[@]}" "$tls" qa-approval
check_stdout_file 'with the right CA and password it works' approval.json

# --- credentials
with "$REGISTRY_TLS_USER:wrong"
all_refused 'a wrong password' 5 '401' "$tls" "${secure[@]}"
check 'the password is not shown' test "$(grep -c wrong "$T/stderr")" = 0
without
all_refused 'no password' 5 '' "$tls" "${secure[@]}"
tokens=(--cacert "$CA" --trust-server "$NOTARY_TOKEN")
all_refused 'no password for a token' 5 '' "$token" "${tokens[@]}"
with writer:wrong
all_refused 'a wrong password for a token' 5 '' "$token" "${tokens[@]}"
with "$TOKEN_READER"
gets 'a reader reads' approval.json "${tokens[@]}" "$token" qa-approval
refuses 'but does not write' 5 '' manifesto put -q "${tokens[@]}" "$token" new-type approval.json
without

# --- -vv shows decisions
run manifesto get -vv "${plain[@]}" "$image" qa-approval
check_stderr_has 'which root is trusted' 'trusted by the pin'
check_stderr_has 'where a file came from' 'from the trust repository, verified'

# --- content that takes its time: a terminal shows how far it is
terminal() { # COMMAND...
	run "$(t_python)" "$T_TOP/tests/cli/terminal.py" -- env TERM=xterm "$@"
}
proxy S "http://$REGISTRY" --read-rate 6000000
big=$S/acme/app:1.0
head -c 24000000 /dev/urandom >big
terminal manifesto put --init --no-passphrase --key alice "${plain[@]}" "$big" big big
check_status 'an upload that takes some seconds' 0
check_stdout_has 'is shown on a terminal, with its size' 'of 24.0 MB, '
check_stdout_has 'and the time left' ' left'
head -c 3000000 /dev/urandom >big
terminal manifesto put -q "${plain[@]}" "$big" quiet big
check_stdout_lacks 'not with -q' 'MB/s'
head -c 3000000 /dev/urandom >big
terminal manifesto put --json "${plain[@]}" "$big" json big
check_stdout_lacks 'nor with --json' 'MB/s'
head -c 3000000 /dev/urandom >big
run manifesto put "${plain[@]}" "$big" pipe big
check_status 'without a terminal' 0
check_stderr_lacks 'nothing is shown' 'MB/s'

# --- the servers go down
lab_server stop registry
all_refused 'the registry is down' 4 'refused' "$image" "${plain[@]}"
lab_server restart registry
lab_server stop notary
all_refused 'the trust server is down' 4 'refused' "$image" "${plain[@]}"
run manifesto get "${plain[@]}" "$image" nope
check_status 'a missing record cannot be distinguished from an outage, which is reported' 4
lab_server stop registry
all_refused 'both are down' 4 'refused' "$image" "${plain[@]}"
refuses 'a trust server named by a variable' 4 'refused' env MANIFESTO_TRUST_SERVER="$NOTARY" manifesto list "$image"

t_done
