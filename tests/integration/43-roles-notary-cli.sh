#!/bin/bash
# Teams across programs: manifesto uses delegations of the notary program, and notary uses those of manifesto.
. "$(dirname "$0")/../support/t.sh"
. "$T_TOP/tests/support/job.sh"
. "$T_TOP/tests/support/notary.sh"

lab registry notary
export MANIFESTO_TRUST_SERVER=$NOTARY
printf 'second\0version\377' >second
printf 'third' >third
make_image layout >/dev/null

served() { # GUN ROLE
	curl -s -m 20 "$NOTARY/v2/$1/_trust/tuf/$2.json"
}
key_of() { # NAME: NAME.key and NAME.crt
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj "/CN=$1" -keyout "$1.key" -out "$1.crt" 2>/dev/null
	openssl x509 -in "$1.crt" -pubkey -noout >"$1.pub"
}
fp() { # FILE.pub
	openssl pkey -pubin -in "$1" -outform DER | sha256sum | cut -d' ' -f1
}
for name in ours theirs other; do key_of $name; done

# --- manifesto's repository and role; notary lists it, signs in it, adds one of its own
gun=$REGISTRY/acme/ours
image=$gun:1.0
subject=$(push_image oci:layout:1.0 "$image" 2>/dev/null)
target=qa-approval/sha256-${subject#sha256:}
run manifesto put --init "$image" contact "$approval"
check_status 'manifesto makes a repository' 0
run manifesto role add "$image" qa --key ours.pub --types qa-approval
check_status 'and a role' 0
notary_in cli delegation list "$gun"
check_status 'notary lists the delegations' 0
check 'with role, path and threshold' grep -qE '^targets/qa +qa-approval/ +[0-9a-f]{64} +1$' "$T/stdout"
mkdir -p qa/private
notary_in qa key import -r delegation ours.key
check_status 'notary has the key of the role' 0
notary_in qa add -p -r targets/qa "$gun" "$target" second
check_status 'notary signs in the role' 0
push_blob "http://$REGISTRY" acme/ours second
get_is 'manifesto reads that' second "$image" qa-approval
run manifesto role list --json "$image"
check_json 'the role is published' '.roles[1] | .name == "targets/qa" and .version == 1 and .entries == 1 and .state == "current"'

mkdir -p cli/private
run manifesto key export alice "$T/cli/private" --role targets --gun "$gun"
check_status 'the targets key is exported' 0
notary_in cli delegation add -p "$gun" targets/security theirs.crt --paths security-review/
check_status 'notary adds a role' 0
notary_in cli delegation add -p "$gun" targets/releases other.crt --all-paths
check_status 'and that of docker trust' 0
served "$gun" targets | jq '.signed.delegations' >before.json
run manifesto role list "$image"
check 'manifesto lists both' grep -cqE '^targets/(security +security-review|releases +"") +1 of 1' "$T/stdout"
run manifesto role keys "$image" security
check 'a certificate is shown as such' grep -qE "^$(fp theirs.pub) +ecdsa +yes" "$T/stdout"
run manifesto key import theirs theirs.key
run manifesto role mine --json "$image"
check_json 'its key can sign' '.roles[] | select(.name == "targets/security") | .canSign and .mine == "theirs"'
run manifesto put "$image" security-review third
check_status 'manifesto signs in the role of notary' 0
check_stdout_has 'there' 'in targets/security'
notary_in cli list "$gun"
check_stdout_has 'notary reads it' targets/security

printf '{"schema": "manifesto/teams/v1", "others": "remove", "roles": {}}' >none.json
run manifesto role apply --dry-run --force -f none.json "$image"
check_status 'a file that declares no roles' 0
check 'would remove those that are teams, and not that of docker trust' test \
	"$(sed -n 's/^  role removed: //p' "$T/stdout" | sort | tr '\n' ' ')" = 'targets/qa targets/security '

# --- a change keeps what notary wrote
run manifesto role add "$image" security --key other.pub --types waiver
check_status 'manifesto adds a key and a type' 0
served "$gun" targets | jq '.signed.delegations' >after.json
# shellcheck disable=SC2016 # variables of jq
check 'the certificates are byte for byte what notary wrote' jq -e -n --slurpfile a before.json --slurpfile b after.json \
	'[$a[0].keys | to_entries[] | select(.value.keytype == "ecdsa-x509")] | length == 2 and all(. as $k | $b[0].keys[$k.key] == $k.value)'
# shellcheck disable=SC2016
check 'the other roles are untouched' jq -e -n --slurpfile a before.json --slurpfile b after.json \
	'[$a[0].roles[] | select(.name != "targets/security")] == [$b[0].roles[] | select(.name != "targets/security")]'
check 'a key that is listed as a certificate is used in that form' jq -e '.roles[] | select(.name == "targets/security") | .keyids | length == 2' after.json
check 'no key was added for it' test "$(jq '.keys | length' after.json)" = 3
notary_in cli delegation list "$gun"
check 'notary reads the change' grep -qE '^targets/security +security-review/' "$T/stdout"
notary_in cli list "$gun"
check_status 'and the repository' 0
check_stdout_has 'with what is in it' targets/security

# --- notary removes a key that signed: manifesto's readers refuse, and its administrators repair the role
id=$(served "$gun" targets | jq -r '.signed.delegations.roles[] | select(.name == "targets/security") | .keyids[0]')
# notary names x509 keys by their canonical IDs
canonical=$(notary -s "$NOTARY" -d "$T/cli" delegation list "$gun" | grep -A1 '^targets/security' | grep -oE '[0-9a-f]{64}' | head -n 1)
notary_in cli delegation remove -p "$gun" targets/security "$canonical" --yes
check_status "notary removes key $id" 0
refused 'the file in the role is not well signed' 6 get "$image" security-review
run manifesto role list --json "$image"
check_json 'role list says so' '.roles[] | select(.name == "targets/security") | .state == "invalid" and (.problem | contains("0 of the 1"))'
run manifesto role mine "$image"
check_stdout_has 'role mine names no way, as the key is elsewhere' 'none of its keys is on this machine'
run manifesto key import other other.key
run manifesto role mine "$image"
check_stdout_has 'and with the key the way' "manifesto role sign --force $image targets/security"
refused 'it is not started again without --force' 6 role sign "$image" security
run manifesto role sign --force "$image" security --propose empty.json
check_status 'an empty file cannot be proposed' 2
run manifesto role sign --force "$image" security
check_status 'it is when it is asked for' 0
refused 'its records are gone' 3 get "$image" security-review
run manifesto put "$image" security-review second
check_status 'new ones can be made' 0
get_is 'and read' second "$image" security-review
notary_in fresh list "$gun"
check_stdout_has 'by notary, too' targets/security

# --- what manifesto removes is removed for notary too
run manifesto role remove --force "$image" qa
check_status 'manifesto removes a role' 0
notary_in cli delegation list "$gun"
check 'notary does not list it' test "$(grep -c targets/qa "$T/stdout")" = 0
notary_in cli list "$gun"
check_status 'notary reads on' 0
notary_in fresh list "$gun"
check 'without its targets' test "$(grep -c targets/qa "$T/stdout")" = 0
notary_in cli delegation remove -p --yes "$gun" targets/releases
check_status 'notary removes one, too' 0
run manifesto role list --json "$image"
check_json 'manifesto sees that' '[.roles[].name] == ["targets", "targets/security"]'

# --- a repository of notary whose snapshot the client signs
gun=$REGISTRY/acme/theirs
image=$gun:1.0
push_image oci:layout:1.0 "$image" >/dev/null 2>&1
notary_in owner init "$gun"
notary_in owner add -p "$gun" "contact/x" third
check_status 'notary makes a repository' 0
run manifesto trust pin "$image" "$(served "$gun" root | jq -r '.signed.keys[.signed.roles.root.keyids[0]].keyval.public' | base64 -d |
	openssl x509 -pubkey -noout | openssl pkey -pubin -outform DER | sha256sum | cut -d' ' -f1)"
check_status 'pin it' 0
refused 'without the key of targets no role' 11 role add "$image" qa --key ours.pub --types qa-approval
manifesto key import theirs-targets "$(grep -l '^role: targets$' owner/private/*.key | head -n 1)" >/dev/null
refused 'without that of the snapshot neither' 11 role add "$image" qa --key ours.pub --types qa-approval
manifesto key import theirs-snapshot "$(grep -l '^role: snapshot$' owner/private/*.key | head -n 1)" >/dev/null
run manifesto role add "$image" qa --key ours.pub --key theirs.pub --types qa-approval
check_status 'with both' 0
notary_in owner delegation list "$gun"
check_stdout_has 'notary lists it' targets/qa
run manifesto put "$image" qa-approval second
check_status 'manifesto signs in it' 0
check_stdout_has 'with the key of the role' 'Signed by theirs'
run manifesto role remove "$image" qa --key ours.pub
check_status 'a key that did not sign goes' 0
manifesto key import ours ours.key >/dev/null
run manifesto role add "$image" qa --key ours
run manifesto role remove "$image" qa --key theirs
check_status 'one that did goes, as another is here' 0
check_stdout_has 'which signs the file' 'signed anew: targets/qa'
get_is 'and is read' second "$image" qa-approval
notary_in visitor list "$gun"
check_stdout_has 'by notary, too' targets/qa

t_done
