#!/bin/bash
# trust refresh and repair: expiring roles are re-signed, differences are written again, and nothing else changes.
. "$(dirname "$0")/../support/t.sh"
. "$T_TOP/tests/support/job.sh"

unset MANIFESTO_PASSPHRASE
lab registry notary
repository=$REGISTRY/acme/app
served=$REGISTRY/acme/served
notary_tuf=$NOTARY/v2/$repository/_trust/tuf
served_tuf=$T/trust/${served/:/%3A}
printf 'seen\n' >seen
make_image layout >/dev/null
make_image layout-b --seed b >/dev/null
a=$(push_image oci:layout:1.0 "$repository:1.0" 2>/dev/null)
push_image oci:layout-b:1.0 "$repository:2.0" >/dev/null 2>&1
push_image oci:layout:1.0 "$served:1.0" >/dev/null 2>&1

at() { # WHEN ARGUMENTS...: manifesto at another time, from where there is no way back
	local when=$1
	shift
	run faketime -f "$when" manifesto "$@"
}

# The content of a metadata file without the members that a refresh changes.
says() { # FILE
	jq -cS '.signed | del(.version, .expires)' "$1"
}

signed_are() { # NAME ROLE...: the roles that the last --json run has signed
	local name=$1
	shift
	check "$name" test "$(jq -r '.repositories[0].roles[] | select(.signed).name' "$T/stdout" | tr '\n' ' ')" = "${*:+$* }"
}

# --- on a Notary server
export MANIFESTO_TRUST_SERVER=$NOTARY
run manifesto put --init --no-passphrase "$repository:1.0" qa-approval "$approval"
spare_root "$repository:1.0"
run manifesto put "$repository:1.0" contact seen
run manifesto put "$repository:2.0" qa-approval seen
check_status 'records on a Notary server' 0
run manifesto key generate --no-passphrase qa
run manifesto key show qa
sed -n '/BEGIN/,/END/p' "$T/stdout" >qa.pem
run manifesto role add "$repository" qa --key qa.pem --types security-review
check_status 'and a delegated role' 0
run manifesto put --key qa "$repository:1.0" security-review seen
check_status 'with a record of its own' 0
run manifesto trust refresh "$repository"
check_status 'nothing is due' 0
check_stdout_is 'which is reported' "$repository: nothing to sign"
for role in root targets targets/qa; do curl -s "$notary_tuf/$role.json" >"before-${role/\//-}.json"; done
run manifesto trust refresh --force --dry-run --json "$repository"
signed_are 'a dry run tells what would be signed' root targets targets/qa
check 'and publishes nothing' test "$(curl -s "$notary_tuf/targets.json" | sha256sum)" = "$(sha256sum <before-targets.json)"
run manifesto trust refresh --force --json "$repository"
check_status '--force' 0
signed_are 'signs root, targets and the delegated role; the rest is the server'"'"'s' root targets targets/qa
for role in root targets targets/qa; do
	file=${role/\//-}.json
	curl -s "$notary_tuf/$role.json" >"after-$file"
	check "$role: the next version" test "$(jq .signed.version "after-$file")" = $(($(jq .signed.version "before-$file") + 1))
	check "$role: says the same" test "$(says "after-$file")" = "$(says "before-$file")"
done
machine other
run manifesto trust pin "$repository" before-root.json
run manifesto get "$repository:1.0" security-review
check_status 'another machine follows the root and reads the role' 0
run notary -s "$NOTARY" -d "$T/notary" list "$repository"
check_status 'the notary program reads it' 0
check_stdout_has 'all of it' 'security-review/'
run manifesto trust refresh --force "$repository"
check_status 'without keys everything is left: it is no success' 14
check 'and is reported with the keys that may sign it' grep -qE "^$repository: targets left: version [0-9]+, expires .*; its keys: [0-9a-f]{16}\$" "$T/stdout"
machine first
run manifesto put "$repository:2.0" contact seen
check_status 'publishing goes on' 0
run manifesto list -v --role targets "$repository:1.0"
check_status 'a list of one role' 0
check_line_count 'has its records' 3
cold
run manifesto list -v --role targets "$repository:1.0"
check_stderr_lacks 'and does not ask for other roles' targets/qa
run manifesto list -v --all --role qa "$repository"
check_line_count 'of the other role' 2
check_stderr_has 'that is asked for' targets/qa
run manifesto trust refresh --json --within 1100d "$repository"
check_status 'what ends within a little more than three years' 0
signed_are 'is targets and the delegated role, and not the snapshot that the server signs' targets targets/qa
at +100d trust refresh --json "$repository"
check_status 'a timestamp that the server did not re-sign' 7
check_json 'is not laid at the door of a key holder' '.repositories[0].error.hint | test("server")'

# --- in a directory that is served
export MANIFESTO_TRUST_SERVER=tuf+file://$T/trust
machine served
run manifesto put --init --no-passphrase --key writer "$served:1.0" qa-approval seen
check_status 'records in a directory' 0
run manifesto trust refresh --json "$served"
signed_are 'nothing is due' ''
at +4d trust refresh --json "$served"
check_status 'after half of 7 days' 0
signed_are 'snapshot and timestamp are' snapshot timestamp
at +4d trust refresh --json "$served"
signed_are 'once' ''
at +20d get "$served:1.0" qa-approval
check_status 'a repository that has expired' 7
cp -r "$served_tuf" expired
mkdir "$T/home/manifesto-fresh"
cp -r "$MANIFESTO_HOME/keys" "$MANIFESTO_HOME/trust.json" "$T/home/manifesto-fresh"
machine fresh
at +20d trust refresh "$served"
check_status 'is not mended by a machine that has never seen it' 7
check_stderr_has 'which is reported' 'has seen this repository before'
at +20d status --quiet "$served"
check_status 'nor after looking at it' 7
at +20d trust refresh --force "$served"
check_status 'nor at the second try, nor with --force' 7
check 'nothing was published' diff -r expired "$served_tuf"
machine served
at +20d trust refresh --json "$served"
check_status 'and is by one that has' 0
signed_are 'snapshot and timestamp' snapshot timestamp
at +20d get "$served:1.0" qa-approval
check_status 'it is read again' 0
at +345d trust refresh --json --within 60d "$served"
check_status 'before the end of the year' 0
signed_are 'everything is due' root targets snapshot timestamp
check 'the new root lies beside the old' test -s "$served_tuf/2.root.json"
check 'and says the same' test "$(says "$served_tuf/2.root.json")" = "$(says "$served_tuf/1.root.json")"
at +2000d status --quiet "$served"
check_status 'years later all has expired, the root too' 7
at +2000d trust refresh --json "$served"
check_status 'and is re-signed' 0
signed_are 'all of it' root targets snapshot timestamp
at +2000d get "$served:1.0" qa-approval
check_status 'and read' 0
check_stdout_file 'as it was' seen
at +2000d status --quiet "$served"
check_status 'status agrees' 0

# --- keys on several machines
mkdir -p "$T/home/manifesto-online/keys"
cp "$MANIFESTO_HOME/keys/writer.key" "$T/home/manifesto-online/keys"
cp -r "$MANIFESTO_HOME/trust.json" "$MANIFESTO_HOME/floors" "$T/home/manifesto-online"
machine online
at +2340d trust refresh --within 120d "$served"
check_status 'without the root key it is left, and expires soon' 14
check 'the rest is signed' grep -qE "^$served: timestamp signed: version" "$T/stdout"
check 'the root is reported with its key' grep -qE "^$served: root left: version 3, .*; its keys: [0-9a-f]{16}\$" "$T/stdout"
at +2340d trust refresh --quiet --within 120d "$served"
check_line_count '--quiet: only what is left' 1
at +2400d trust refresh "$served"
check_status 'once the root has expired nothing else helps' 7
check_stderr_has 'and its holder is called' 'holder of its root keys'
machine served
at +2400d trust refresh "$served"
check_status 'who mends it' 0

# --- a role has expired that nobody here can sign: the others are re-signed all the same
unset MANIFESTO_TRUST_SERVER
machine team
make_image oci --tag 1.0 >/dev/null
run manifesto put --init --no-passphrase --key lead oci:oci:1.0 contact seen
run manifesto role add oci:oci qa --key qa.pem --types qa-approval
check_status 'a role in a layout, of a key that is elsewhere' 0
cp "$T/home/manifesto/keys/qa.key" "$MANIFESTO_HOME/keys"
run manifesto put --key qa oci:oci:1.0 qa-approval "$approval"
check_status 'with a record' 0
rm "$MANIFESTO_HOME/keys/qa.key"
at +370d trust refresh --json oci:oci
check_status 'a role of others that has expired is left' 7
check_json 'and named' '.repositories[0].roles | map(select(.signed | not).name) == ["qa"]'
signed_are 'the others are signed' root targets snapshot timestamp
at +370d get oci:oci:1.0 contact
check_status 'and serve' 0
at +370d get oci:oci:1.0 qa-approval
check_status 'what hangs on the expired role does not' 7
at +370d status --json oci:oci
check_json 'status says whose turn it is' '.repositories[0].findings[0] | .kind == "role-expired" and .role == "qa" and .actor == "key-holder"'

# --- two at once
machine served
export MANIFESTO_TRUST_SERVER=tuf+file://$T/trust
for i in 1 2 3 4; do
	mkdir "$T/home/manifesto-$i"
	cp -r "$MANIFESTO_HOME/." "$T/home/manifesto-$i"
	MANIFESTO_HOME=$T/home/manifesto-$i faketime -f +2400d manifesto trust refresh --force "$served" >"out-$i" 2>&1 &
done
wait
check 'four at once, each from a home of its own' test "$(grep -lE 'timestamp signed' out-1 out-2 out-3 out-4 | wc -l)" = 4
at +2400d get "$served:1.0" qa-approval
check_status 'leave a repository that can be read' 0

# --- repair
machine first
export MANIFESTO_TRUST_SERVER=$NOTARY
# The floors of the first machine are in the future, so use another machine with its keys.
mkdir -p "$T/home/manifesto-mender"
machine mender
cp -r "$T/home/manifesto/keys" "$T/home/manifesto/trust.json" "$MANIFESTO_HOME"
snapshot_of_trust() {
	local role
	for role in root targets targets/qa snapshot timestamp; do curl -s "$notary_tuf/$role.json"; done | sha256sum
}
trust_before=$(snapshot_of_trust)
tag_digest() { # TAG
	registry_get "$REGISTRY/v2/acme/app/manifests/$1" >/dev/null
	sha256sum <"$T/body" | cut -d' ' -f1
}
put_index() { # TAG JSON
	curl -s -m 20 -o /dev/null -X PUT -H 'Content-Type: application/vnd.oci.image.index.v1+json' --data-binary "$2" \
		"http://$REGISTRY/v2/acme/app/manifests/$1"
}
empty='{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}'
catalogue=$(tag_digest _manifesto)
referrers=$(tag_digest "sha256-${a#sha256:}")
run manifesto repair "$repository"
check_status 'repair of what is right' 0
check_stdout_is 'has nothing to do' "$repository: nothing to repair"
check 'and writes nothing' test "$(tag_digest _manifesto) $(tag_digest "sha256-${a#sha256:}")" = "$catalogue $referrers"

curl -s -m 20 -X DELETE "http://$REGISTRY/v2/acme/app/manifests/sha256:$catalogue"
put_index "sha256-${a#sha256:}" "$empty"
run manifesto repair --dry-run --json "$repository"
check_status 'a dry run' 0
check_json 'tells what differs' '.repositories[0] | .catalogue and .images == 1 and .missing == 3 and .stale == 0 and (.repaired | not)'
check 'and writes nothing' test "$(http_status "http://$REGISTRY/v2/acme/app/manifests/_manifesto")" = 404
run manifesto repair --json "$repository"
check_json 'repair' '.repositories[0] | .catalogue and .images == 1 and .missing == 3 and .repaired'
check 'makes the same catalogue and referrers again' test "$(tag_digest _manifesto) $(tag_digest "sha256-${a#sha256:}")" = "$catalogue $referrers"
run manifesto repair "$repository"
check_stdout_is 'and then there is nothing to repair' "$repository: nothing to repair"

# Artifact manifests of records that are not signed, and entries of other programs.
printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","artifactType":"application/vnd.manifesto.forged","config":{"mediaType":"application/vnd.oci.empty.v1+json","digest":"sha256:%s","size":2},"layers":[],"subject":{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"%s","size":1}}' \
	44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a "$a" >forged
sed 's/vnd.manifesto.forged/vnd.example.sbom/' forged >foreign
for name in forged foreign; do
	curl -s -m 20 -o /dev/null -X PUT -H 'Content-Type: application/vnd.oci.image.manifest.v1+json' --data-binary "@$name" \
		"http://$REGISTRY/v2/acme/app/manifests/sha256:$(sum $name)"
done
entry() { # NAME TYPE
	printf '{"mediaType":"application/vnd.oci.image.manifest.v1+json","artifactType":"application/%s","digest":"sha256:%s","size":%s}' \
		"$2" "$(sum "$1")" "$(stat -c %s "$1")"
}
registry_get "$REGISTRY/v2/acme/app/manifests/sha256-${a#sha256:}" >/dev/null
jq -c ".manifests += [$(entry forged vnd.manifesto.forged), $(entry foreign vnd.example.sbom)]" "$T/body" >index
put_index "sha256-${a#sha256:}" @index
run manifesto status --json "$repository"
check_json 'an artifact of ours that no record has is drift' '[.repositories[0].findings[] | select(.kind == "referrers-drift")] | length == 1'
run manifesto repair --json "$repository"
check_json 'repair takes it away' '.repositories[0] | .stale == 1 and .missing == 0 and .repaired'
registry_get "$REGISTRY/v2/acme/app/manifests/sha256-${a#sha256:}" >/dev/null
check_json 'and leaves those of other programs' '[.manifests[].artifactType] | (index("application/vnd.example.sbom") != null) and (index("application/vnd.manifesto.forged") == null) and length == 4' "$T/body"

# Whoever may push writes the list: it does not make us delete an image.
printf '{"mediaType":"application/vnd.oci.image.manifest.v1+json","artifactType":"application/vnd.manifesto.qa","digest":"%s","size":%s}' \
	"$a" "$(curl -s -m 20 -H 'Accept: application/vnd.oci.image.manifest.v1+json' "http://$REGISTRY/v2/acme/app/manifests/$a" | wc -c)" >lie
registry_get "$REGISTRY/v2/acme/app/manifests/sha256-${a#sha256:}" >/dev/null
jq -c ".manifests += [$(cat lie)]" "$T/body" >index
put_index "sha256-${a#sha256:}" @index
run manifesto repair --json "$repository"
check_json 'an image that is listed as an artifact of ours is taken off the list' '.repositories[0] | .stale == 1 and .repaired'
check 'and is not deleted' test "$(tag_digest "$a")" = "${a#sha256:}"

# A catalogue that skopeo overwrote; blobs that garbage collection removed.
skopeo --insecure-policy copy --quiet --dest-tls-verify=false oci:layout:1.0 "docker://$repository:_manifesto" >/dev/null 2>&1
check 'another program writes over the catalogue' test "$(tag_digest _manifesto)" != "$catalogue"
run manifesto repair "$repository"
check_stdout_is 'repair' "$repository: repaired: the catalogue"
check 'puts it back' test "$(tag_digest _manifesto)" = "$catalogue"
lab_server gc registry
run manifesto status --quiet "$repository"
check_status 'garbage collection took the artifact manifests' 14
run manifesto repair --json "$repository"
check_json 'repair stores them again' '.repositories[0] | .images == 2 and .missing == 5 and .repaired and (.catalogue | not)'
run manifesto status --quiet "$repository"
check_status 'all is well' 0

# Content that is gone.
blob=$(sum "$approval")
stored=$LAB/data/registry/docker/registry/v2/blobs/sha256/${blob:0:2}/$blob
registry_get "$REGISTRY/v2/acme/app/manifests/sha256-${a#sha256:}" >/dev/null
artifact=$(jq -r '.manifests[] | select(.artifactType == "application/vnd.manifesto.qa-approval").digest' "$T/body")
curl -s -m 20 -X DELETE "http://$REGISTRY/v2/acme/app/manifests/$artifact"
mv "$stored" saved
lab_server restart registry
run manifesto repair "$repository"
check_status 'with a blob and what refers to it gone, repair' 0
check_stdout_is 'tells so in the catalogue' "$repository: repaired: the catalogue"
run manifesto repair "$repository"
check_stdout_is 'once' "$repository: nothing to repair"
config=$(registry_get "$REGISTRY/v2/acme/app/manifests/_manifesto" >/dev/null && jq -r .config.digest "$T/body")
curl -s -m 20 "http://$REGISTRY/v2/acme/app/blobs/$config" >config.json
check_json 'which marks it as missing' '[.images[].manifesto[] | select(.missing)] | length == 1 and .[0].type == "qa-approval"' config.json
mv saved "$stored"
lab_server restart registry
run manifesto repair --json "$repository"
check_json 'when it is back, so is what refers to it' '.repositories[0] | .catalogue and .images == 1 and .missing == 1'
check 'and the catalogue is as it was' test "$(tag_digest _manifesto)" = "$catalogue"
check 'signed metadata were never touched' test "$(snapshot_of_trust)" = "$trust_before"

# --- target files of a directory
unset MANIFESTO_TRUST_SERVER
machine layout
make_image mended --tag 1.0 >/dev/null
run manifesto put --init --no-passphrase oci:mended:1.0 contact seen
run manifesto repair oci:mended
check_stdout_is 'a layout where all is right' 'oci:mended: nothing to repair'
find mended/trust/targets -type f -delete
run manifesto status --json oci:mended
check_json 'missing target files are reported' '.exit == 14 and .repositories[0].findings[0].kind == "targets-missing"'
run manifesto repair oci:mended
check_stdout_is 'and made again' 'oci:mended: repaired: 1 target files'
check 'with the content' cmp seen "$(find mended/trust/targets -type f)"
run manifesto repair oci:mended
check_stdout_is 'then all is right' 'oci:mended: nothing to repair'

# --- failures
refused 'repair of a tag' 2 repair oci:mended:1.0
run manifesto repair oci:none oci:mended
check_status 'one that is not there' 3
check_stdout_has 'does not keep from the others' 'oci:mended: nothing to repair'
refused 'a refresh without an argument' 2 trust refresh
t_done
