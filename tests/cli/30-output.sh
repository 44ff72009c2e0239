#!/bin/bash
# What the commands print, as text and as JSON: results on stdout, notes on stderr, and nothing in either that a terminal acts on.
. "$(dirname "$0")/../support/t.sh"

make_image image >/dev/null
tag=$(jq -r '.manifests[0].annotations["org.opencontainers.image.ref.name"]' image/index.json)
subject=$(jq -r '.manifests[0].digest' image/index.json)
image=oci:image:$tag
printf '{"approved":true}' >document
digest=sha256:$(sha256sum document | cut -d' ' -f1)

stdout_matches() { # NAME LINE REGEX
	check "$1" grep -qxE -e "$3" <(sed -n "$2p" "$T/stdout")
}

# --- put
run manifesto put --init --no-passphrase --key alice "$image" qa document
check_status 'the first put' 0
check_line_count 'put says three things' 3
stdout_matches 'first what is stored, for which digest' 1 "Storing metadata 'qa' for 'oci:.*image:$tag@$subject'"
stdout_matches 'then the digest of the content' 2 "Metadata 'qa' stored at $digest"
stdout_matches 'then who signed, and where it is' 3 'Signed by alice \(ed25519 [0-9a-f]{16}\) in targets, version [0-9]+; published to .*image/trust'
check_stderr_has 'the keys that were made are named' 'manifesto: key made: alice'
check_stderr_has 'and where they lie' "$MANIFESTO_HOME/keys"
check_stderr_has 'and that they are to be backed up' 'back them up'
check 'and the pinned root, in full' grep -qxE 'manifesto: root key pinned on this machine: [0-9a-f]{64}' "$T/stderr"

run manifesto put "$image" qa document
check_status 'the same put again' 0
check_stdout_has 'it says that nothing changed' "Metadata 'qa' is already stored at $digest; nothing to publish"
check_stdout_lacks 'and speaks of no signature' 'Signed by'
check_stderr_empty 'and has nothing else to say'

run manifesto put --quiet "$image" quiet document
check_status 'a quiet put' 0
check_stdout_empty 'a quiet put says nothing'
check_stderr_empty 'nor on stderr'

run manifesto put --json --author $'Zo\xc3\xab "\\\e[31m' --reason $'a\tb\xe2\x80\xae' --annotation ticket=QA-1 --annotation 'empty=' \
	--expires 90d "$image" scan document
check_status 'a put in JSON' 0
check_line_count 'it prints one document' 1
check_stderr_empty 'and nothing on stderr'
check_json 'put/v1' ".schema == \"manifesto/put/v1\" and .type == \"scan\" and .role == \"targets\" and .initialised == false
	and .length == $(stat -c %s document) and (.items | length) == 1 and .items[0].digest == \"$digest\" and .items[0].unchanged == false
	and (.items[0].image | endswith(\"@$subject\")) and .signer.name == \"alice\" and (.signer.fingerprint | test(\"^[0-9a-f]{64}\$\"))"

# --- list
run manifesto list "$image"
check_status 'a list' 0
stdout_matches 'it has a header' 1 'TYPE +ROLE +SIGNERS +AUTHOR +CREATED +EXPIRES +SIZE +STATE +DIGEST'
check_line_count 'and a line for each record' 4
check_stdout_has 'the author is shown without what a terminal acts on' 'Zoë "\\u{1b}[31m'
check 'no control character reaches stdout' test -z "$(LC_ALL=C tr -d '\n[:print:]\200-\377' <"$T/stdout")"
check 'the columns are aligned' test "$(sed 's/Zoë/Zoe/' "$T/stdout" | awk '{ print index($0, NR == 1 ? "DIGEST" : "sha256:") }' | sort -u | wc -l)" = 1
stdout_matches 'a line has it all' 2 "qa +targets +alice +- +20[0-9-]+T[0-9:]+Z +- +17 +current +$digest"
run manifesto list --json "$image"
check_line_count 'a list in JSON is one document' 1
check_json 'list/v1' ".schema == \"manifesto/list/v1\" and ([.records[].type] == [\"qa\",\"quiet\",\"scan\"]) and (.image | endswith(\"@$subject\"))"
check_json 'author and reason come back as they were typed' '.records[2] | .author == "Zo\u00eb \"\\\u001b[31m" and .reason == "a\tb\u202e"'
check_json 'annotations too' '.records[2].annotations == {"ticket":"QA-1","empty":""}'
check_json 'the record ends in 90 days' '.records[2] | ((.expires | fromdate) - (.created | fromdate) - 90*86400) | . > -60 and . < 60'
check 'JSON has no raw control characters either' test -z "$(LC_ALL=C tr -d '\n[:print:]\200-\377' <"$T/stdout")"

make_image image --tag bare --seed another >/dev/null
run manifesto list oci:image:bare
check_stdout_empty 'an image without records: stdout is empty'
check_stderr_has 'and stderr says so' "manifesto: no metadata for 'oci:image:bare'"
check_status 'and that is no error' 0

# --- several platforms
make_image index --index >/dev/null
run manifesto put --init --no-passphrase --all-platforms oci:index qa document
check_status 'a put for all platforms' 0
for platform in linux/amd64 linux/arm64; do
	check_stdout_has "it has a line for $platform" "Metadata 'qa' for $platform stored at $digest"
done
check_stdout_has 'and one for the index' "Metadata 'qa' stored at $digest"
check 'and one signature' test "$(grep -c '^Signed by ' "$T/stdout")" = 1
run manifesto list --all-platforms oci:index
stdout_matches 'the list shows platforms then' 1 'TYPE +PLATFORM +ROLE .*'
check_line_count 'and all of them' 4
run manifesto list oci:index
check_line_count 'else only what was asked for' 2

# --- get
run manifesto get "$image" qa
check_stdout_file 'get prints the content and nothing else' document
check_stderr_empty 'and nothing on stderr'
run manifesto get -o copy "$image" qa
check_status 'get into a file' 0
check_stdout_empty 'leaves stdout empty'
check_same_file 'and the content in the file' document copy
run manifesto get --json --output=copy2 "$image" scan
check_json 'get/v1' ".schema == \"manifesto/get/v1\" and .output == \"copy2\" and .record.digest == \"$digest\" and .record.state == \"current\"
	and .record.mediaType == \"application/json\""
check_same_file 'and the content is in the file' document copy2
run manifesto get --json -o nothing "$image" other
check_status 'get of a record that is not there' 3
check_json 'is an error in JSON' '.error.code == "not_found" and .error.exit == 3' "$T/stderr"
check 'and makes no file' test ! -e nothing

# --- trust and keys
run manifesto trust show "$image"
check_status 'trust show' 0
check 'it shows the roles' grep -qE '^targets +[0-9]+ +20[0-9-]+T[0-9:]+Z +1 of 1 +alice' "$T/stdout"
run manifesto trust show --json "$image"
check_json 'trust-show/v1' '.schema == "manifesto/trust-show/v1" and .dialect == "tuf1" and ([.roles[].name] | index("root")) != null
	and (.pinned | length) >= 1'
run manifesto key list
stdout_matches 'the keys have a header' 1 'NAME +TYPE +FINGERPRINT +PASSPHRASE +PATH'
check 'and a line each' grep -qE '^alice +ed25519 +[0-9a-f]{64} +no +/' "$T/stdout"
run manifesto key show alice
check_stdout_has 'a key is shown with its public part' 'BEGIN PUBLIC KEY'
run manifesto key generate --no-passphrase --json second
check_json 'key-generate/v1' '.schema == "manifesto/key-generate/v1" and .keys[0].name == "second" and (.keys[0].encrypted | not)'

# --- verbose
run manifesto list -vv "$image"
check_status 'a verbose list' 0
check 'every line of it has the prefix' test -z "$(grep -v '^manifesto: ' "$T/stderr")"
run manifesto get -v "$image" qa
check_stderr_lacks 'once there are no decisions' 'verified'
run manifesto get -vv "$image" qa
check_stdout_file 'a verbose get gives the same' document
check_stderr_has 'and tells where the trust metadata is' "trust metadata of 'oci': "
check_stderr_has 'which pin counts' "root: version 1 verified, from the pin 'oci:"
check_stderr_has 'what was verified' "role 'targets': version "
check_stderr_has 'whose record it is' "record 'qa': that of role 'targets', on whose content all roles of the type agree"
check_stderr_has 'and where the content was' 'content: the trust repository has it, with the signed digest'
run manifesto get -vv --role targets "$image" qa
check_stderr_has 'a role that was asked for' "that of role 'targets', as --role says"
run manifesto put -vv "$image" qa document --author me
check_stderr_has 'put tells why it signs so' "signing for role 'targets' with key 'alice': no other role for the type accepts a key"

t_done
