#!/bin/bash
# The main commands with a registry and a Notary server: plain HTTP on loopback, storage in memory.
. "$(dirname "$0")/../support/t.sh"
. "$T_TOP/tests/support/job.sh"

lab registry notary
export MANIFESTO_TRUST_SERVER=$NOTARY
repository=$REGISTRY/acme/app
image=$repository:1.0
tuf=$NOTARY/v2/$repository/_trust/tuf
printf 'second\0version\377' >second
make_image layout >/dev/null
subject=$(push_image oci:layout:1.0 "$image" 2>/dev/null)

tags() {
	curl -s -m 20 "http://$REGISTRY/v2/acme/app/tags/list" | jq -c '.tags | sort'
}

# --- the first put makes the trust repository, with --init
refused 'the first put without --init' 3 put "$image" qa-approval "$approval"
check_stderr_has 'it names --init' '--init'
check 'nothing was stored' test "$(tags)" = '["1.0"]'
check 'no key was made' test ! -e "$MANIFESTO_HOME/keys/alice.key"
check 'nothing was published' test "$(http_status "$tuf/root.json")" = 404
refused 'a list without a trust repository' 3 list "$image"
run manifesto put --init "$image" qa-approval "$approval"
check_status 'the first put' 0
check_stdout_has 'it says what it stores' "Storing metadata 'qa-approval' for '$repository@$subject'"
check_stdout_has 'and where' "Metadata 'qa-approval' stored at sha256:$(sum "$approval")"
check 'and who signed, and where that is published' \
	grep -qxE "Signed by alice \(ed25519 [0-9a-f]{16}\) in targets, version 2; published to $NOTARY" "$T/stdout"
fingerprint=$(sed -n 's/.*root key pinned on this machine: //p' "$T/stderr")
curl -s "$tuf/root.json" >root.json
# shellcheck disable=SC2016 # variables of jq
check_json 'the root key is an ECDSA certificate' '.signed as $s | $s.keys[$s.roles.root.keyids[0]].keytype == "ecdsa-x509"' root.json
# shellcheck disable=SC2016 # variables of jq
check_json 'the targets key is of ed25519' '.signed as $s | $s.keys[$s.roles.targets.keyids[0]].keytype == "ed25519"' root.json
for role in timestamp snapshot; do
	curl -s "$tuf/$role.key" >key.json
	check "the $role key is the server's" test "$(jq -r .keyval.public key.json)" = \
		"$(jq -r ".signed as \$s | \$s.keys[\$s.roles.$role.keyids[0]].keyval.public" root.json)"
done
jq -r '.signed as $s | $s.keys[$s.roles.root.keyids[0]].keyval.public' root.json | base64 -d >root.pem
check 'the certificate names the collection' test "$(openssl x509 -in root.pem -noout -subject -nameopt multiline | sed -n 's/.*commonName *= //p')" = "$repository"
check 'the pin is the SHA-256 of its public key' test "$fingerprint" = \
	"$(openssl x509 -in root.pem -pubkey -noout | openssl pkey -pubin -outform DER | sha256sum | cut -d' ' -f1)"

# --- list and get
run manifesto list "$image"
check_status 'the list' 0
check 'it has the record and its signer' grep -qE "^qa-approval +targets +alice .* current +sha256:$(sum "$approval")\$" "$T/stdout"
get_is 'get' "$approval" "$image" qa-approval
cold
get_is 'get without a cache' "$approval" "$image" qa-approval
get_is 'get as docker://' "$approval" "docker://$image" qa-approval
get_is 'get by digest' "$approval" "$repository@$subject" qa-approval
run manifesto get -v "$image" qa-approval
check 'a warm get asks for the tag and the timestamp, and nothing else' test \
	"$(sed -nE 's/^manifesto: (HEAD|GET) [^ ]*\/([^ ]*) 200.*/\1 \2/p' "$T/stderr" | sort | tr '\n' ' ')" = 'GET timestamp.json HEAD 1.0 '
check_line_count 'that, and its cost, is all it says' 3 "$T/stderr"
run manifesto get -v "$repository@$subject" qa-approval
check_line_count 'by digest only the timestamp, and the cost' 2 "$T/stderr"

# --- put again
run manifesto put "$image" qa-approval "$approval"
check_status 'the same put again' 0
check_stdout_has 'nothing is published' 'is already stored at'
check 'nothing was published' test "$(curl -s "$tuf/targets.json" | jq .signed.version)" = 2
run manifesto put --author 'A <a@b> & co' --annotation k=v "$image" qa-approval second
check_status 'another content' 0
get_is 'it replaced the first' second "$image" qa-approval
run manifesto list --json "$image"
check_json 'with what it says' '.records | length == 1 and .[0].author == "A <a@b> & co" and .[0].annotations.k == "v"'
check 'no character that Go escapes is in the signed file' test -z "$(curl -s "$tuf/targets.json" | LC_ALL=C grep -o '[<>&]')"
curl -s "$tuf/targets.json" | jq -r .signatures[0].method >method
check 'it is signed as Notary says' test "$(cat method)" = eddsa
run manifesto put "$image" contact "$approval"
check_status 'another type' 0
get_is 'it is there' "$approval" "$image" contact
get_is 'and so is the other' second "$image" qa-approval

# --- other ways to name the server, and the image
unset MANIFESTO_TRUST_SERVER
refused 'no trust server' 2 get "$image" qa-approval
check_stderr_has 'the ways to name one are named' MANIFESTO_TRUST_SERVER
get_is '--trust-server' second --trust-server "$NOTARY/" "$image" qa-approval
DOCKER_CONTENT_TRUST_SERVER=$NOTARY get_is 'the variable of Docker' second "$image" qa-approval
export MANIFESTO_TRUST_SERVER=$NOTARY
DOCKER_CONTENT_TRUST_SERVER=http://127.0.0.1:1 get_is 'which comes last' second "$image" qa-approval
push_image oci:layout:1.0 "$repository:latest" >/dev/null 2>&1
get_is 'no tag is latest' second "$repository" qa-approval
refused 'a trust server of no known scheme' 2 --trust-server "ftp://${NOTARY#http://}" get "$image" qa-approval
refused 'plain HTTP to a host that is not this one' 2 --trust-server http://server.example get "$image" qa-approval
check_stderr_has 'how to allow it is named' --plain-http
refused 'nobody listens' 4 --trust-server http://127.0.0.1:1 get "$image" qa-approval
check_stderr_has 'that is reported' 'Connection refused'
check_line_count 'in one line' 1 "$T/stderr"

# --- another image of the same repository, a moved tag
make_image layout --seed two --tag 2.0 >/dev/null
second_subject=$(push_image oci:layout:2.0 "$repository:2.0" 2>/dev/null)
run manifesto list "$repository:2.0"
check_status 'another image has no records' 0
check_stdout_empty 'and says so on stderr only'
run manifesto put "$repository:2.0" qa-approval "$approval"
check_status 'a put to it needs no --init' 0
get_is 'each has its own' "$approval" "$repository:2.0" qa-approval
get_is 'still' second "$image" qa-approval
push_image oci:layout:2.0 "$image" >/dev/null 2>&1
get_is 'the tag moved: another record' "$approval" "$image" qa-approval
get_is 'the old one stays with its digest' second "$repository@$subject" qa-approval
refused 'a tag that is not there' 3 get "$repository:9" qa-approval
refused 'a type that is not there' 3 get "$image" nothing
check_stderr_has 'with the digest' "no 'nothing' record for $second_subject"
refused 'a put to a tag that is not there' 3 put "$repository:9" x "$approval"
refused 'a put to a digest that is not there' 3 put "$repository@sha256:$(sum root.pem)" x "$approval"
refused 'a put to a repository that is not there' 3 put --init "$REGISTRY/acme/none:1.0" x "$approval"
check 'of it nothing was made' test "$(http_status "$NOTARY/v2/$REGISTRY/acme/none/_trust/tuf/root.json")" = 404

# --- JSON
for command in list 'trust show'; do
	# shellcheck disable=SC2086 # two words
	run manifesto $command --json "$image"
	check_json "$command --json has a schema" ".schema == \"manifesto/${command/ /-}/v1\""
done
run manifesto get --json -o out "$image" qa-approval
check_json 'get --json describes the record' ".schema == \"manifesto/get/v1\" and .output == \"out\" and .record.digest == \"sha256:$(sum "$approval")\""
check_same_file 'and writes the content' "$approval" out
run manifesto put --json "$image" qa-approval "$approval"
check_json 'put --json' '.schema == "manifesto/put/v1" and .items[0].unchanged == true'
refused 'an error in JSON' 3 get --json -o out "$image" nothing
check_json 'is one document on stderr' '.error | .code == "not_found" and .exit == 3 and (.message | length) > 0 and has("endpoint") and has("hint")' "$T/stderr"
refused 'a usage error in JSON' 2 --json get "$image"
check_json 'is one, too' '.error.exit == 2' "$T/stderr"

# --- another machine
machine second
refused 'without a pin' 10 get "$image" qa-approval
check_stderr_has 'the fingerprint that is served is shown' "$fingerprint"
refused 'nor list' 10 list "$image"
refused 'nor put' 10 put --init "$image" x "$approval"
CI=true run manifesto get --tofu "$image" qa-approval
check_status '--tofu in CI' 0
refused 'is not remembered' 10 get "$image" qa-approval
run manifesto trust pin "$image" "$fingerprint"
check_status 'pin it by fingerprint' 0
get_is 'then it works' "$approval" "$image" qa-approval
refused 'put needs a key' 11 put "$image" x "$approval"
machine third
run manifesto trust pin "$image" "$T/root.json"
check_status 'pin it by root file' 0
get_is 'that works' "$approval" "$image" qa-approval
machine fourth
run manifesto trust pin "$REGISTRY/acme/*" "$fingerprint"
check_status 'pin a prefix' 0
get_is 'that works, too' "$approval" "$image" qa-approval
machine fifth
get_is '--tofu' "$approval" --tofu "$image" qa-approval
get_is 'remembers' "$approval" "$image" qa-approval
machine sixth
run manifesto trust pin "$image" "$(sum root.pem)"
check_status 'pin another fingerprint' 0
refused 'that does not fit' 10 get "$image" qa-approval
check_stderr_has 'both are shown' "$fingerprint"
refused '--tofu does not help then' 10 get --tofu "$image" qa-approval
machine first

# --- trust init, show
run manifesto trust init "$REGISTRY/acme/prepared"
check_status 'trust init' 0
check_stderr_has 'it says what it pinned' 'root key pinned on this machine'
refused 'a second one' 12 trust init "$REGISTRY/acme/prepared"
push_image oci:layout:1.0 "$REGISTRY/acme/prepared:1.0" >/dev/null 2>&1
run manifesto put "$REGISTRY/acme/prepared:1.0" qa-approval second
check_status 'a put to it needs no --init' 0
machine seventh
refused 'another machine may not show it' 10 trust show "$REGISTRY/acme/prepared"
CI=true run manifesto trust show --tofu "$REGISTRY/acme/prepared"
check_status 'unless it trusts it' 0
check_stdout_has 'which is reported' 'on first use, not pinned'
run manifesto trust show --tofu --json "$REGISTRY/acme/prepared"
check_json 'in JSON, too, with roles and keys' '.tofu and (.roles | map(.name)) == ["root", "timestamp", "snapshot", "targets"]
	and ([.roles[].keys[].fingerprint | test("^[0-9a-f]{64}$")] | all)'
machine first

# --- a cache that cannot be written
XDG_CACHE_HOME=/dev/null/x get_is 'no cache can be written' "$approval" "$image" qa-approval

# --- an image of another repository, --store
push_image oci:layout:1.0 "$REGISTRY/vendor/tool:7" >/dev/null 2>&1
run manifesto put --init --store "$REGISTRY/acme/ours" "$REGISTRY/vendor/tool:7" qa-approval second
check_status 'a put with --store' 0
check_stdout_has 'the image is named' "$REGISTRY/vendor/tool@"
get_is 'get with --store' second --store "$REGISTRY/acme/ours" "$REGISTRY/vendor/tool:7" qa-approval
run manifesto list --store "$REGISTRY/acme/ours" "$REGISTRY/vendor/tool:7"
check_stdout_has 'list with --store' qa-approval
check 'the vendor has no new tag' test "$(curl -s "http://$REGISTRY/v2/vendor/tool/tags/list" | jq -c .tags)" = '["7"]'
check 'nor a trust repository' test "$(http_status "$NOTARY/v2/$REGISTRY/vendor/tool/_trust/tuf/root.json")" = 404
check 'the store has the catalogue' test "$(registry_get "http://$REGISTRY/v2/acme/ours/manifests/_manifesto")" = 200
run manifesto put --init --store "$REGISTRY/acme/layouts" oci:layout:1.0 qa-approval second
check_status '--store for a layout' 0
get_is 'get of it' second --store "$REGISTRY/acme/layouts" oci:layout:1.0 qa-approval
check 'the layout has no trust directory' test ! -e layout/trust

# --- a registry image with a TUF 1.0 directory
export MANIFESTO_TRUST_SERVER=tuf+file://$T/tuf
mkdir "$T/tuf"
refused 'a pinned repository that is not at another place' 8 get "$image" qa-approval
there=$REGISTRY/acme/directory:1.0
there_subject=$(push_image oci:layout:1.0 "$there" 2>/dev/null)
refused 'the first put to a directory without --init' 3 put "$there" qa-approval "$approval"
run manifesto put --init "$there" qa-approval "$approval"
check_status 'the first put to a directory' 0
get_is 'get' "$approval" "$there" qa-approval
cold
get_is 'get without a cache' "$approval" "$there" qa-approval
directory=$(find "$T/tuf" -name timestamp.json -printf '%h\n')
check 'there is a timestamp' test -n "$directory"
check_json 'a repository of TUF 1.0' '.signed | ._type == "root" and .consistent_snapshot' "$directory/1.root.json"
check_same_file 'the target file lies under its hash' "$approval" \
	"$directory/targets/qa-approval/$(sum "$approval").sha256-${there_subject#sha256:}"
run manifesto put "$there" qa-approval second
get_is 'a replaced one' second "$there" qa-approval
run manifesto list --json "$there"
check_json 'list' '.records | length == 1 and .[0].role == "targets"'
machine eighth
refused 'another machine has no pin' 10 get "$there" qa-approval
run manifesto trust pin "$there" "$directory/1.root.json"
check_status 'pin its root' 0
get_is 'then it works' second "$there" qa-approval
machine first
cp -a "$directory" kept
content=$directory/targets/qa-approval/$(sum second).sha256-${there_subject#sha256:}
rm -f "$content"
cold
get_is 'without the target file the content comes from the registry' second "$there" qa-approval
printf 'second\0version\376' >"$content"
cold
get_is 'so it does for a wrong one' second "$there" qa-approval
for file in timestamp.json 3.snapshot.json 3.targets.json 1.root.json; do
	rm -rf "$directory" && cp -a kept "$directory"
	sed -i 's/"expires":"20/"expires":"21/' "$directory/$file"
	refused "another expiry in $file" 6 get "$there" qa-approval
done
rm -rf "$directory"
refused 'a directory that is gone' 8 get "$there" qa-approval
refused 'is not created again' 8 put --init "$there" qa-approval second
check 'it is not there' test ! -e "$directory/timestamp.json"
export MANIFESTO_TRUST_SERVER=$NOTARY

# --- gone, replaced, down
curl -s -X DELETE "$tuf/" >/dev/null
refused 'a deleted collection' 8 get "$image" qa-approval
check_stderr_has 'is called gone' 'is gone'
refused 'a put does not create it again' 8 put --init "$image" qa-approval "$approval"
check 'it is not there' test "$(http_status "$tuf/root.json")" = 404
machine stranger
MANIFESTO_KEY=mallory run manifesto put --init "$image" qa-approval second
check_status 'somebody else makes another' 0
machine first
for cache in warm cold; do
	refused "a replaced collection with a $cache cache" 10 get "$image" qa-approval
	refused "a put to it with a $cache cache" 10 put --init "$image" qa-approval "$approval"
	cold
done
check_stderr_has 'the pinned fingerprint is shown' "$fingerprint"
machine fourth
refused 'a machine that pinned a prefix' 10 get "$image" qa-approval
machine first
lab_server stop notary
refused 'the trust server is down' 4 get "$image" qa-approval
check_stderr_has 'it is named' "${NOTARY#http://}"
refused 'also to put' 4 put --init "$image" qa-approval "$approval"
lab_server restart notary
lab_server stop registry
refused 'the registry is down' 4 put "$image" qa-approval "$approval"
check_stderr_has 'it is named' "$REGISTRY"

t_done
