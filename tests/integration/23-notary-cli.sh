#!/bin/bash
# manifesto and the notary program on the same repositories: each reads, verifies and publishes what the other did.
. "$(dirname "$0")/../support/t.sh"
. "$T_TOP/tests/support/job.sh"
. "$T_TOP/tests/support/notary.sh"

lab registry notary
export MANIFESTO_TRUST_SERVER=$NOTARY
printf 'second\0version\377' >second
printf 'third' >third
make_image layout >/dev/null

# notary verify writes what it verified.
notary_verifies() { # NAME DIRECTORY GUN TARGET FILE
	run_with "$5" notary -s "$NOTARY" -d "$T/$2" verify "$3" "$4"
	check_status "$1: status" 0
	check_stdout_file "$1: what was verified" "$5"
}
key_file() { # DIRECTORY ROLE
	grep -l "^role: $2\$" "$1"/private/*.key | head -n 1
}
fingerprint_of_root() { # GUN
	curl -s "$NOTARY/v2/$1/_trust/tuf/root.json" | jq -r '.signed.keys[.signed.roles.root.keyids[0]].keyval.public' | base64 -d |
		openssl x509 -pubkey -noout | openssl pkey -pubin -outform DER | sha256sum | cut -d' ' -f1
}
version_of() { # GUN ROLE
	curl -s "$NOTARY/v2/$1/_trust/tuf/$2.json" | jq .signed.version
}

# --- what manifesto published
gun=$REGISTRY/acme/ours
image=$gun:1.0
subject=$(push_image oci:layout:1.0 "$image" 2>/dev/null)
hex=${subject#sha256:}
run manifesto put --init --author 'A <a@b> & 100%' --annotation k=v "$image" qa-approval "$approval"
check_status 'manifesto puts' 0
notary_in cli list "$gun"
check_status 'notary lists it' 0
check 'with hash, size and role' grep -qE "^qa-approval/sha256-$hex +$(sum "$approval") +$(stat -c %s "$approval") +targets\$" "$T/stdout"
notary_in cli lookup "$gun" "qa-approval/sha256-$hex"
check_stdout_has 'notary looks it up' "sha256:$(sum "$approval")"
notary_verifies 'notary verifies its content' cli "$gun" "qa-approval/sha256-$hex" "$approval"
run_with second notary -s "$NOTARY" -d "$T/cli" verify "$gun" "qa-approval/sha256-$hex"
check 'and nothing else' test "$status" != 0

# --- notary publishes to manifesto's repository, with the exported key
mkdir -p cli/private
run manifesto key export alice "$T/cli/private" --role targets --gun "$gun"
check_status 'the targets key is exported' 0
notary_in cli key list
check_stdout_has 'notary has it' targets
notary_in cli add -p "$gun" "contact/sha256-$hex" third
check_status 'notary adds a target and publishes' 0
check 'the targets file is one further' test "$(version_of "$gun" targets)" = 3
run manifesto list --json "$image"
check_json 'manifesto lists both: its own, and a foreign one' '[.records[] | "\(.type) \(.state)"] == ["contact foreign", "qa-approval current"]'
check_json 'the own record is as it was' '.records[1] | .author == "A <a@b> & 100%" and .annotations.k == "v" and .signers[0].name == "alice"'
get_is 'manifesto still gets its own' "$approval" "$image" qa-approval
refused 'the foreign one has no content yet' 13 get "$image" contact
push_blob "http://$REGISTRY" acme/ours third
get_is 'with it in the registry it is got' third "$image" contact
run manifesto put "$image" contact second
check_status 'manifesto replaces the foreign entry' 0
get_is 'and gets it' second "$image" contact
notary_verifies 'notary reads that' cli "$gun" "contact/sha256-$hex" second
notary_in cli remove -p "$gun" "contact/sha256-$hex"
check_status 'notary removes it' 0
# A record may name any manifest as its artifact: an image does not go with it.
printf '{"manifesto":{"artifact":"%s","v":1}}' "$subject" >custom.json
notary_in cli add -p --custom custom.json "$gun" "contact/sha256-$hex" third
check_status 'notary adds a record that names the image as its artifact manifest' 0
run manifesto put "$image" contact second
check_status 'manifesto replaces it' 0
check 'and the image is still there' test "$(http_status "http://$REGISTRY/v2/acme/ours/tags/list")$(curl -s "http://$REGISTRY/v2/acme/ours/tags/list" | jq '.tags | index("1.0") != null')" = 200true
run manifesto list "$image@$subject"
check_status 'with its records' 0
notary_in cli remove -p "$gun" "contact/sha256-$hex"
refused 'then it is gone' 3 get "$image" contact
run manifesto put "$image" contact third
check_status 'manifesto publishes once more' 0
notary_verifies 'notary reads on' cli "$gun" "contact/sha256-$hex" third

# --- a repository that notary made: ECDSA targets, snapshot signed by the client
gun=$REGISTRY/acme/theirs
image=$gun:1.0
push_image oci:layout:1.0 "$image" >/dev/null 2>&1
notary_in owner init "$gun"
check_status 'notary makes a repository' 0
notary_in owner add "$gun" "qa-approval/sha256-$hex" second
notary_in owner add "$gun" 1.0 third
notary_in owner publish "$gun"
check_status 'and publishes' 0
refused 'without a pin' 10 get "$image" qa-approval
fingerprint=$(fingerprint_of_root "$gun")
check_stderr_has 'its fingerprint is shown' "$fingerprint"
run manifesto trust pin "$image" "$fingerprint"
check_status 'pin it' 0
push_blob "http://$REGISTRY" acme/theirs second
get_is 'manifesto gets the entry' second "$image" qa-approval
cold
get_is 'and without a cache' second "$image" qa-approval
run manifesto list --json "$image"
check_json 'it is foreign; other targets are not records' '.records | length == 1 and .[0].state == "foreign" and .[0].signers == []'
refused 'put needs a key' 11 put "$image" qa-approval "$approval"
run manifesto key import theirs "$(key_file owner targets)"
check_status 'import the targets key' 0
before=$(version_of "$gun" targets)
refused 'put needs the snapshot key as well' 11 put "$image" qa-approval "$approval"
check_stderr_has 'which is reported' snapshot
check 'nothing was published' test "$(version_of "$gun" targets)" = "$before"
run manifesto key import theirs-snapshot "$(key_file owner snapshot)"
check_status 'import the snapshot key' 0
before=$(version_of "$gun" snapshot)
run manifesto put "$image" qa-approval "$approval"
check_status 'then put works' 0
check_stdout_has 'signed with the ECDSA key' 'Signed by theirs (ecdsa '
check 'with a snapshot of our own' test "$(version_of "$gun" snapshot)" = $((before + 1))
get_is 'and get' "$approval" "$image" qa-approval
run manifesto list --json "$image"
check_json 'the record is signed now' '.records[0] | .state == "current" and .signers[0].keyType == "ecdsa"'
notary_verifies 'notary reads it' owner "$gun" "qa-approval/sha256-$hex" "$approval"
notary_verifies 'so does a new one' visitor "$gun" "qa-approval/sha256-$hex" "$approval"
notary_verifies 'the other target is there' visitor "$gun" 1.0 third
notary_in owner add -p "$gun" "contact/sha256-$hex" third
check_status 'notary publishes on' 0
push_blob "http://$REGISTRY" acme/theirs third
get_is 'and manifesto reads on' third "$image" contact
run manifesto put "$image" scan third
check_status 'and publishes' 0

# --- delegations made by notary
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj /CN=qa-team -keyout team.key -out team.crt 2>/dev/null
notary_in owner delegation add -p "$gun" targets/qa team.crt --paths qa-approval/
check_status 'notary delegates a type' 0
refused 'targets does not speak for it any more' 3 get "$image" qa-approval
get_is 'it does for others' third "$image" contact
refused 'put needs the key of the role' 11 put "$image" qa-approval second
check_stderr_has 'which is named' targets/qa
check 'nothing was published' test "$(http_status "$NOTARY/v2/$gun/_trust/tuf/targets/qa.json")" = 404
run manifesto put "$image" other second
check_status 'another type goes to targets' 0
check_stdout_has 'as before' 'in targets, version'
run manifesto put --role targets "$image" qa-approval second
check_status 'put --role targets' 0
check_stdout_has 'writes to targets' 'in targets, version'
refused 'which does not count' 3 get "$image" qa-approval
run manifesto key import team team.key
check_status "import the team's key" 0
run manifesto put "$image" qa-approval "$approval"
check_status 'then put works' 0
check 'in the role' grep -qE '^Signed by team \(ecdsa [0-9a-f]{16}\) in targets/qa, version 1;' "$T/stdout"
get_is 'get' "$approval" "$image" qa-approval
cold
get_is 'get without a cache' "$approval" "$image" qa-approval
get_is 'get from the role' "$approval" --role targets/qa "$image" qa-approval
run manifesto list --json "$image"
check_json 'list shows the role' '[.records[] | select(.type == "qa-approval")] | length == 1 and .[0].role == "targets/qa" and .[0].state == "current" and .[0].signers[0].name == "team"'
notary_in visitor list "$gun" -r targets/qa
check 'notary finds it in the role' grep -qE "^qa-approval/sha256-$hex +$(sum "$approval") .* targets/qa\$" "$T/stdout"
notary_in member list "$gun"
check_status 'so does a new one' 0
run manifesto put "$image" qa-approval second
check_status 'a second put to the role' 0
check_stdout_has 'is its version 2' 'in targets/qa, version 2'
notary_in owner add -p --roles targets/qa "$gun" "qa-approval/sha256-$hex" third
check 'the owner has no key of the role' test "$status" != 0
notary_in owner reset "$gun" --all
cp team.key team-role.key
sed -i 's/-----BEGIN PRIVATE KEY-----/&\nrole: targets\/qa\n/' team-role.key
notary_in owner key import team-role.key
check_status 'notary imports the key of the role' 0
notary_in owner add -p --roles targets/qa "$gun" "qa-approval/sha256-$hex" third
check_status 'notary publishes to the role' 0
get_is 'manifesto reads it' third "$image" qa-approval
run manifesto trust show --json "$image"
check_json 'trust show lists the role' '.roles[] | select(.name == "targets/qa") | .paths == ["qa-approval/"] and .version == 3 and .keys[0].name == "team"'
notary_in owner delegation add -p "$gun" targets/releases team.crt --all-paths
check_status 'notary delegates everything' 0
run manifesto put "$image" contact second
check_status 'put of another type' 0
check_stdout_has 'still goes to targets' 'in targets, version'
get_is 'and is got' second "$image" contact
notary_in owner delegation remove -p --yes "$gun" targets/qa
check_status 'notary removes the delegation' 0
get_is 'then targets speaks for the type again' second "$image" qa-approval

# --- rotations by notary, followed by whoever pinned the first root
for who in warm cold; do
	machine $who
	run manifesto trust pin "$image" "$fingerprint"
	get_is "the $who machine" second "$image" qa-approval
done
machine none
run manifesto trust pin "$image" "$fingerprint"
follows() { # NAME
	for who in warm cold none; do
		machine $who
		[ $who = warm ] || cold
		get_is "$1: $who" second "$image" qa-approval
	done
	machine first
	get_is "$1: first" second "$image" qa-approval
}
notary_rotates() { # NAME ARGUMENTS...
	local name=$1
	shift
	echo yes >yes
	run_with yes notary -s "$NOTARY" -d "$T/owner" key rotate "$gun" "$@"
	check_status "$name" 0
}
notary_rotates 'notary rotates the root key' root
check 'the root key is another' test "$(fingerprint_of_root "$gun")" != "$fingerprint"
follows 'after a new root key'
notary_rotates 'notary gives the snapshot to the server' snapshot -r
follows 'after the snapshot moved'
run manifesto put "$image" contact third
check_status 'put without the snapshot key' 0
notary_verifies 'notary reads it' visitor "$gun" "contact/sha256-$hex" third
notary_rotates 'notary rotates the timestamp key' timestamp -r
follows 'after a new timestamp key'
notary_rotates 'notary rotates the root key again' root
notary_rotates 'and the targets key' targets
follows 'after five more roots'
check 'of which there are several' test "$(version_of "$gun" root)" -ge 5
run manifesto list --json "$image"
check_json 'records of the old targets key are not of a signer now' '.records[] | select(.type == "scan") | .state == "foreign"'
refused 'the old targets key publishes nothing' 11 put "$image" contact second
machine none
run manifesto trust pin "$image" "$(fingerprint_of_root "$gun")"
cold
get_is 'the new root key can be pinned' second "$image" qa-approval

# --- a collection that is deleted, and one created again
machine first
notary_in owner delete "$gun" --remote
check_status 'notary deletes the collection' 0
machine warm
refused 'then it is gone' 8 get "$image" qa-approval
cold
refused 'also without a cache' 8 get "$image" qa-approval
notary_in mallory init "$gun"
notary_in mallory add -p "$gun" "qa-approval/sha256-$hex" second
check_status 'somebody makes another' 0
for who in warm cold none; do
	machine $who
	refused "it is not what was pinned: $who" 10 get "$image" qa-approval
done

t_done
