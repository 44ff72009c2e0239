#!/bin/bash
# Other programs and a repository whose roles are spread over shards: the notary program reads it and publishes into it.
. "$(dirname "$0")/../support/t.sh"
. "$T_TOP/tests/support/job.sh"
. "$T_TOP/tests/support/notary.sh"

lab registry notary
export MANIFESTO_TRUST_SERVER=$NOTARY
ln -sf "${T_MANIFESTO%/*}/tests/support/manifesto-few" bin/manifesto
gun=$REGISTRY/acme/app
echo content >content
echo theirs >theirs
declare -A subject
for i in {1..8}; do
	make_image layout --tag "$i" --seed "$i" >/dev/null
	subject[$i]=$(push_image "oci:layout:$i" "$gun:$i" 2>/dev/null)
done
name() { # TYPE IMAGE: the target's
	printf '%s/%s' "$1" "${subject[$2]/:/-}"
}
served() { # ROLE
	curl -s -m 20 "$NOTARY/v2/$gun/_trust/tuf/$1.json"
}
served_id() { # KEY: the ID under which the role's file has it
	manifesto key export "$1" -o "$1.pem" >/dev/null
	served targets/qa | jq -r --arg raw "$(openssl pkey -pubin -in "$1.pem" -outform DER | tail -c 32 | base64)" '.signed.delegations.keys | to_entries[] | select(.value.keyval.public == $raw).key'
}
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj /CN=team -keyout team.key -out team.crt 2>/dev/null
openssl x509 -in team.crt -pubkey -noout >team.pub
manifesto key import team team.key >/dev/null
manifesto put -q --init "$gun:1" note content || t_bail 'the first record'
manifesto role add -q "$gun:1" qa --key team.pub --types approval || t_bail 'a role'
for i in {1..6}; do
	manifesto put -q "$gun:$i" approval content || t_bail "put $i"
	manifesto put -q "$gun:$i" note content || t_bail "put $i"
done
root=$(served root | jq -r '.signed.version')
check 'both roles have shards' test "$(served targets | jq '[.signed.delegations.roles[] | select(.name | contains("/_h"))] | length') $(served targets/qa | jq '[.signed.delegations.roles[]] | length')" = '16 16'

# --- it reads
notary_in cli list "$gun"
check_status 'notary lists it' 0
check '... with all records' test "$(grep -c sha256- stdout)" = 12
check '... each with its length' test "$(awk '$3 == 8' stdout | wc -l)" = 12
for type in note approval; do
	notary_in cli lookup "$gun" "$(name $type 4)"
	check_status "notary lookup finds the $type" 0
	check_stdout_has '... with the hash of the content' "sha256:$(sum content)"
done
run_with content notary -s "$NOTARY" -d "$T/cli" verify "$gun" "$(name approval 5)"
check_status 'notary verify accepts the content' 0
run_with theirs notary -s "$NOTARY" -d "$T/cli" verify "$gun" "$(name approval 5)"
check_status '... and no other' 1

# --- it publishes into the role
mkdir -p qa/private owner/private
notary_in qa key import -r delegation team.key
manifesto key export alice "$T/owner/private" --role targets --gun "$gun" >/dev/null || t_bail 'the key of targets'
notary_in qa addhash -p -r targets/qa "$gun" "$(name approval 7)" "$(stat -c %s theirs)" --sha256 "$(sum theirs)"
check_status 'notary signs a new record in the role' 0
push_blob "http://$REGISTRY" acme/app theirs
get_is 'which is read' theirs "$gun:7" approval
notary_in qa add -p -r targets/qa "$gun" "$(name approval 2)" theirs
check_status 'and one that is in a shard' 0
get_is 'which is read, too: the role itself goes before its shards' theirs "$gun:2" approval
notary_in cli lookup "$gun" "$(name approval 2)"
check_stdout_has 'as notary says' "sha256:$(sum theirs)"
notary_in owner add -p "$gun" v1.0 theirs
check_status 'and a name of its own in targets' 0
notary_in owner add -p "$gun" "$(name note 8)" theirs
check_status 'and a record' 0
get_is 'which is read' theirs "$gun:8" note

# --- what it wrote stays
kept() { # NAME
	get_is "$1: its record" theirs "$gun:7" approval
	get_is "$1: that in place of ours" theirs "$gun:2" approval
	get_is "$1: that of targets" theirs "$gun:8" note
	notary_in "fresh$((++n))" list "$gun"
	check_stdout_has "$1: its own name" v1.0
	check "$1: nothing comes twice" test -z "$(awk '{print $1}' stdout | sort | uniq -d)"
	check "$1: nothing is lost" test "$(grep -c sha256- stdout)" = "$2"
}
n=0
run manifesto put -q "$gun:3" approval content --force
check_status 'we sign in a shard' 0
run manifesto put -q "$gun:8" approval content
check_status '... a new record, too' 0
run manifesto put -q "$gun:3" note content --force
check_status '... in one of targets' 0
kept 'after our put' 15
run manifesto withdraw -q "$gun:3" approval --reason old
check_status 'we write the file of the role' 0
kept 'after our withdrawal' 15
run manifesto role add -q "$gun" qa --key "$(manifesto key generate -q other >/dev/null; echo other)" --types scan
check_status 'we change the role' 0
for i in {1..6}; do
	manifesto put -q "$gun:$i" scan content || not_ok "scan $i"
done
kept 'after that' 21
run manifesto put -q "$gun:2" approval content --force
check_status 'we sign in its place' 0
get_is '... and ours is read' content "$gun:2" approval
notary_in cli lookup "$gun" "$(name approval 2)"
check_stdout_has '... by notary, too' "sha256:$(sum content)"

# --- it removes
notary_in qa remove -p -r targets/qa "$gun" "$(name approval 7)"
check_status 'notary removes its record' 0
refused 'it is gone' 3 get "$gun:7" approval
shard=targets/qa/_h${subject[4]:7:1}
notary_in qa remove -p -r "$shard" "$gun" "$(name approval 4)"
check_status 'notary removes one in a shard' 0
refused 'that is gone' 3 get "$gun:4" approval
run manifesto put -q "$gun:4" approval content
check_status 'and can be signed again' 0
get_is '... where it was' content "$gun:4" approval

# --- it signs more than one file shall hold
for i in {1..6}; do
	notary_in qa addhash -r targets/qa "$gun" "$(name scan "$i")" "$(stat -c %s theirs)" --sha256 "$(sum theirs)"
done
notary_in qa publish "$gun"
check_status 'notary signs six records in the role' 0
check '... all in one file' test "$(served targets/qa | jq '.signed.targets | length')" -ge 6
run manifesto put -q "$gun:8" scan content
check_status 'we sign another one' 0
check '... and what it holds is in shards' test "$(served targets/qa | jq '[.signed.targets | keys[] | select(startswith("scan/"))] | length')" = 0
for i in {1..6}; do
	get_is "... where record $i is theirs" theirs "$gun:$i" scan
done
get_is '... and ours is ours' content "$gun:8" scan
check 'the root is as it was' test "$(served root | jq -r '.signed.version')" = "$root"

# --- other keys, which it follows
notary_in cli list "$gun"
sort stdout >all
follows() { # NAME
	rm -rf at
	cp -r cli at
	notary_in at list "$gun"
	check_status "$1: notary follows from the root that it knows" 0
	check "$1: it lists the same" diff all <(sort stdout)
	cold
	get_is "$1: we read what was ours" content "$gun:5" approval
	get_is "$1: and what was theirs" theirs "$gun:4" scan
}
manifesto key generate -q later
manifesto key generate -q root2 --type ecdsa
run manifesto trust rotate "$gun" targets --key later
check_status 'another key of targets' 0
follows 'another key of targets'
run manifesto trust rotate "$gun" root --key root2
check_status 'another root' 0
follows 'another root'
run manifesto trust rotate "$gun" snapshot
check_status 'another key of the snapshot' 0
follows 'another key of the snapshot'
lost=$(served_id other)
check 'a key is listed for the shards of a role' test "$(served targets/qa | jq --arg id "$lost" '[.signed.delegations.roles[] | select(.keyids | contains([$id]))] | length')" -ge 16
run manifesto key revoke other "$gun" --key later
check_status 'a key that signed in a role is revoked' 0
check '... and listed nowhere' test -z "$({ served targets; served targets/qa; } | jq -r '.signed.delegations.keys | keys[]' | grep -F "$lost")"
follows 'a key is revoked'
MANIFESTO_KEY=later run manifesto put -q --force "$gun:5" scan theirs
check_status 'the new key signs' 0
get_is '... and is read' theirs "$gun:5" scan
t_done
