#!/bin/bash
# The main commands on a directory only: an OCI image layout, its records and their trust repository.
. "$(dirname "$0")/../support/t.sh"
. "$T_TOP/tests/support/job.sh"

# --- the three commands, on a layout that skopeo made
make_image made >/dev/null
skopeo --insecure-policy copy --quiet oci:made:1.0 oci:app:1.0 >/dev/null 2>&1
subject=$(jq -r '.manifests[0].digest' app/index.json)
cp app/index.json index.before
run manifesto put --init oci:app:1.0 qa-approval "$approval"
check_status 'the first put' 0
check_stdout_has 'it says what it stores' "Storing metadata 'qa-approval' for 'oci:app:1.0@$subject'"
check_stdout_has 'and where' "Metadata 'qa-approval' stored at sha256:$(sum "$approval")"
check_stdout_has 'and who signed' 'Signed by alice (ed25519 '
check_stdout_has 'and where that is published' 'published to app/trust'
check_stderr_has 'and which root it pinned' 'root key pinned on this machine: '
fingerprint=$(sed -n 's/.*root key pinned on this machine: //p' "$T/stderr")
run manifesto list oci:app:1.0
check_status 'the list' 0
check 'it has the record and its signer' grep -qE "^qa-approval +targets +alice .* current +sha256:$(sum "$approval")\$" "$T/stdout"
get_is 'get' "$approval" oci:app:1.0 qa-approval
cold
get_is 'get without a cache' "$approval" oci:app:1.0 qa-approval
run manifesto get -o out oci:app:1.0 qa-approval
check_same_file 'get into a file' "$approval" out
check_stdout_empty 'it prints nothing'
check_same_file 'the index of the layout is not touched' index.before app/index.json
check 'skopeo still copies the layout without a tag' skopeo --insecure-policy copy --quiet oci:app oci:copied:x
check 'the blob is in the layout' cmp "$approval" "app/blobs/sha256/$(sum "$approval")"
check_file_mode 'keys are private' 600 "$MANIFESTO_HOME/keys/alice.key"
check 'the passphrase protects them' grep -q argon2id "$MANIFESTO_HOME/keys/alice.key"

# --- the repository is one of TUF 1.0 with consistent snapshots
newest() { # ROLE
	find app/trust -maxdepth 1 -name "*.$1.json" -printf '%f\n' | sort -n | tail -n 1
}
target=app/trust/targets/qa-approval/$(sum "$approval").sha256-${subject#sha256:}
check_same_file 'the target file lies under its hash' "$approval" "$target"
check 'it is a link to the blob' test "$target" -ef "app/blobs/sha256/$(sum "$approval")"
chain() { # NAME: timestamp -> snapshot -> targets, by version, length and hash
	local of=timestamp.json meta version file
	for meta in snapshot targets; do
		version=$(jq ".signed.meta[\"$meta.json\"].version" "app/trust/$of")
		file=$version.$meta.json
		check "$1: $of names the newest $meta" test "$file" = "$(newest $meta)"
		check_json "$1: with its length and hash" ".signed.meta[\"$meta.json\"] |
			.length == $(stat -c %s "app/trust/$file") and .hashes.sha256 == \"$(sum "app/trust/$file")\"" "app/trust/$of"
		check_json "$1: which has that version" ".signed.version == $version and .signed._type == \"$meta\"" "app/trust/$file"
		of=$file
	done
}
chain 'after the first put'
check_json 'the root is of TUF 1.0' '.signed | ._type == "root" and .consistent_snapshot == true and (.spec_version | startswith("1.0."))
	and (.roles | keys) == ["root", "snapshot", "targets", "timestamp"]' app/trust/1.root.json
check_json 'the target entry has length and hash' ".signed.targets[\"qa-approval/sha256-${subject#sha256:}\"] |
	.length == $(stat -c %s "$approval") and .hashes.sha256 == \"$(sum "$approval")\" and .custom.manifesto.v == 1" "app/trust/$(newest targets)"
# What is signed is the canonical form: checked with another implementation of ed25519.
signed_by_root() {
	local hex
	jq -cSj .signed app/trust/1.root.json >signed
	hex=$(jq -r '.signatures[0].sig' app/trust/1.root.json)
	perl -e 'print pack "H*", $ARGV[0]' "$hex" >signature
	perl -e 'print pack "H*", "302a300506032b6570032100" . $ARGV[0]' \
		"$(jq -r '.signed as $s | $s.keys[$s.roles.root.keyids[0]].keyval.public' app/trust/1.root.json)" >spki
	openssl pkeyutl -verify -pubin -keyform DER -inkey spki -rawin -in signed -sigfile signature
}
check 'openssl verifies the root' signed_by_root
check 'the pin is the SHA-256 of its public key' test "$(sum spki)" = "$fingerprint"

# --- put again: unchanged, replaced, others beside it
cp -r app/trust trust.before
run manifesto put oci:app:1.0 qa-approval "$approval"
check_status 'the same put again' 0
check_stdout_has 'nothing is published' "'qa-approval' is already stored at sha256:$(sum "$approval"); nothing to publish"
check 'nothing was written' diff -r trust.before app/trust
made=$(manifesto list --json oci:app:1.0 | jq -r '.records[0].created')
sleep 1.1
run manifesto put --force oci:app:1.0 qa-approval "$approval"
check_stdout_has 'unless it is forced' 'Metadata '"'qa-approval'"' stored'
check 'then the record is of now' test "$(manifesto list --json oci:app:1.0 | jq -r '.records[0].created')" '>' "$made"
printf 'second\0version\377' >second
run manifesto put oci:app:1.0 qa-approval second
check_status 'another content' 0
get_is 'it replaced the first' second oci:app:1.0 qa-approval
run manifesto list --json oci:app:1.0
check_json 'one record is current, of its own media type' '.schema == "manifesto/list/v1" and (.records | length) == 1
	and .records[0].mediaType == "application/octet-stream"'
chain 'after another put'
printf 'from a pipe' >third
run_with third manifesto put oci:app:1.0 contact -
check_status 'from standard input' 0
get_is 'it is there' third oci:app:1.0 contact
: >empty
run manifesto put oci:app:1.0 empty empty
check_status 'an empty file' 0
get_is 'it is there, empty' empty oci:app:1.0 empty
# shellcheck disable=SC2016 # for the shell that is started
run bash -c 'cat third | manifesto put oci:app:1.0 contact /dev/stdin; exit ${PIPESTATUS[1]}'
check_status 'a pipe with a name' 0
head -c 3000000 /dev/zero | tr '\0' 'x' >large
run manifesto put oci:app:1.0 large large
get_is 'three megabytes' large oci:app:1.0 large

# --- what the record says
text=$'tags <b> & 100% "q" \\ \xe2\x80\xa8 \xe2\x80\xa9 Z\xc3\xbcrich \xf0\x9f\x94\x91 tab\tline\nend \x01'
run manifesto put --author "$text" --reason "$text" --annotation "note=$text" --annotation 'a=b=c' --expires 2031-02-03T04:05:06Z \
	--media-type text/x-note oci:app:1.0 note third
check_status 'a put with free text' 0
run manifesto list --json oci:app:1.0
T_TEXT=$text check_json 'it comes back as it was' '.records[] | select(.type == "note") | .author == env.T_TEXT and .reason == env.T_TEXT
	and .annotations == {"note": env.T_TEXT, "a": "b=c"} and .expires == "2031-02-03T04:05:06Z" and .mediaType == "text/x-note"'
check 'nothing in the signed file troubles the Go client' test -z "$(LC_ALL=C grep -oP '[<>&\x00-\x1f]|\xe2\x80[\xa8\xa9]|\\u00' "app/trust/$(newest targets)")"
check 'the signed text is percent-encoded' grep -q 'tags %3Cb%3E %26 100%25' "app/trust/$(newest targets)"
chain 'after free text'
refused 'a record that would have expired' 2 put --expires 2001-01-01T00:00:00Z oci:app:1.0 note third
refused 'free text that is too long' 2 put --author "$(head -c 70000 large)" oci:app:1.0 note third
check_stderr_has 'the message names the text' 'author is too long'
refused 'free text that is not UTF-8' 2 put --author $'\xff' oci:app:1.0 note third
run manifesto put --expires 1s oci:app:1.0 short third
check_status 'a record for a second' 0
sleep 1.2
refused 'it is refused then' 9 get oci:app:1.0 short
check_stderr_has 'with the reason' 'expired at'
run manifesto list --json oci:app:1.0
check_json 'and listed as expired' '.records[] | select(.type == "short") | .state == "expired"'
run manifesto put oci:app:1.0 short third
check_status 'a new put lifts that' 0
get_is 'it is there again' third oci:app:1.0 short

# --- several images, tags, digests
other=$(make_image app --seed two --tag 2.0 | cut -d' ' -f1)
refused 'a layout of two images without a tag' 2 list oci:app
check_stderr_has 'the tags are named' '2.0'
refused 'a tag that is not there' 3 get oci:app:3.0 qa-approval
run manifesto list oci:app:2.0
check_status 'the other image' 0
check_stdout_empty 'it has no records'
check_stderr_has 'which is reported' "no metadata for 'oci:app:2.0'"
refused 'nothing is inherited' 3 get oci:app:2.0 qa-approval
check_stderr_has 'the message names the image' "no 'qa-approval' record for $other"
run manifesto put oci:app:2.0 qa-approval "$approval"
check_status 'a put to the other' 0
get_is 'each image has its own' "$approval" oci:app:2.0 qa-approval
get_is 'still' second oci:app:1.0 qa-approval
get_is 'by digest' second "oci:app@$subject" qa-approval
get_is 'by tag and digest' second "oci:app:1.0@$subject" qa-approval
run manifesto put "oci:app@$other" by-digest third
check_status 'a put by digest' 0
get_is 'is one to the image' third oci:app:2.0 by-digest
refused 'a digest that is not there' 3 put "oci:app@sha256:$(sum index.before)" x third
refused 'a digest that is no manifest' 6 put "oci:app@sha256:$(sum second)" x third
make_image app --seed three --tag 1.0 >/dev/null
refused 'a moved tag leaves its records behind' 3 get oci:app:1.0 qa-approval
get_is 'which are still at the digest' second "oci:app@$subject" qa-approval

# --- --link lists artifacts in index.json
run manifesto put --link oci:app:2.0 linked third
check_status 'a put with --link' 0
artifact=$(jq -r '.manifests[] | select(.artifactType == "application/vnd.manifesto.linked") | .digest' app/index.json)
check_json 'the artifact manifest is one of OCI 1.1' ".artifactType == \"application/vnd.manifesto.linked\"
	and .subject.digest == \"$other\" and .config.mediaType == \"application/vnd.oci.empty.v1+json\"
	and (.layers | length) == 1 and .layers[0].digest == \"sha256:$(sum third)\"" "app/blobs/sha256/${artifact#sha256:}"
make_image app --seed four --tag 4.0 >/dev/null
run manifesto put --link oci:app:4.0 linked second
check_status 'the same type for another image' 0
check_json 'both are listed' '[.manifests[] | select(.artifactType == "application/vnd.manifesto.linked")] | length == 2' app/index.json
run manifesto put --link oci:app:2.0 linked large
check_json 'a replaced one is listed once' '[.manifests[] | select(.artifactType == "application/vnd.manifesto.linked")] | length == 2' app/index.json
get_is 'linked records are got like others' large oci:app:2.0 linked

# --- damage is refused
flip() { # FILE OFFSET: another last bit
	local old
	old=$(od -An -tu1 -j "$2" -N 1 "$1" | tr -d ' ')
	# shellcheck disable=SC2059 # the format is the byte
	printf "\\x$(printf %02x $((old ^ 1)))" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}
cp -a app good
blob=app/trust/targets/contact/$(sum third).sha256-${subject#sha256:}
flip "$blob" 3
cold
refused 'a flipped byte of the content' 6 get "oci:app@$subject" contact
rm -f "$blob" "app/blobs/sha256/$(sum third)"
refused 'content that is gone' 13 get "oci:app@$subject" contact
get_is 'other records do not mind' second "oci:app@$subject" qa-approval
for file in timestamp.json "$(newest snapshot)" "$(newest targets)" 1.root.json; do
	rm -rf app && cp -a good app
	flip "app/trust/$file" 40
	refused "a flipped byte of $file" 6 get "oci:app@$subject" qa-approval
done
rm -rf app && cp -a good app
cp "trust.before/timestamp.json" app/trust/timestamp.json
refused 'an older timestamp' 8 list oci:app:2.0
rm -rf app/trust/timestamp.json
refused 'a timestamp that is gone' 8 list oci:app:2.0
rm -rf app/trust
refused 'a trust repository that is gone' 8 list oci:app:2.0
refused 'it is not created again' 8 put --init oci:app:2.0 x third
rm -rf app && mv good app

# --- another machine: a copied layout, nothing pinned
cp -a app there
refused 'a copied layout is not trusted' 10 get oci:there:2.0 qa-approval
check_stderr_has 'its fingerprint is shown' "$fingerprint"
machine elsewhere
refused 'nor is the original on another machine' 10 list oci:app:2.0
refused 'nor can it be put to' 10 put oci:app:2.0 x third
run manifesto trust pin oci:there:2.0 "$fingerprint"
check_status 'pin it by fingerprint' 0
get_is 'then it is' "$approval" oci:there:2.0 qa-approval
refused 'put needs the key' 11 put oci:there:2.0 x third
run manifesto trust pin oci:app:2.0 there/trust/1.root.json
check_status 'pin it by its root file' 0
get_is 'that does as well' "$approval" oci:app:2.0 qa-approval
run manifesto trust show --json oci:app:2.0
check_json 'trust show names the pin' ".schema == \"manifesto/trust-show/v1\" and .pinned == [\"$fingerprint\"] and .tofu == false"
run manifesto trust pin oci:app:2.0 "$(sum empty)"
refused 'another fingerprint does not fit' 10 get oci:app:2.0 qa-approval
machine third
run manifesto get --tofu oci:app:2.0 qa-approval
check_status '--tofu trusts what is served' 0
check_stderr_has 'and says whom' "trusted on first use, from now on: root key $fingerprint"
get_is 'and remembers' "$approval" oci:app:2.0 qa-approval
machine fourth
CI=true run manifesto get --tofu oci:app:2.0 qa-approval
check_status 'in CI it trusts, too' 0
check_stderr_has 'for this time' "trusted on first use, in this run: root key $fingerprint"
refused 'but does not remember' 10 get oci:app:2.0 qa-approval

# --- a layout needs --init once
machine first
make_image fresh >/dev/null
cp -r fresh fresh.before
refused 'no trust repository, no --init, no terminal' 3 put oci:fresh:1.0 x third
check_stderr_has '--init is named' '--init'
check 'nothing was made' diff -r fresh.before fresh
refused 'list of a layout without a trust repository' 3 list oci:fresh:1.0
MANIFESTO_PASSPHRASE=wrong run manifesto put oci:app:2.0 x third
check_status 'a wrong passphrase' 11
check_stdout_empty 'nothing on stdout'
run_with /dev/null manifesto put oci:app:2.0 from-a-broken-pipe -
check_status 'empty content is stored' 0
check_stderr_has 'with a warning' "the content of 'from-a-broken-pipe' is empty"
refused 'list of a role that there is not' 2 list --role nobody oci:app:2.0
check_stderr_has 'it is named' "'nobody'"
run manifesto list --role targets oci:app:2.0
check_status 'list of one that there is' 0
old=$(jq -r '.pins[]|.fingerprints[0]' "$MANIFESTO_HOME/trust.json" | head -n 1)
cp "$MANIFESTO_HOME/trust.json" pins.before
run manifesto trust pin oci:app:2.0 "$(printf '%064d' 7)"
check_status 'another pin' 0
check_stderr_has 'the one that it replaces is reported' "it was $old"
cp pins.before "$MANIFESTO_HOME/trust.json"
run manifesto key generate --no-passphrase bob
check_status 'a key that no role lists' 0
refused '--key names one that the role does not accept' 11 put --key bob oci:app:2.0 x third
check_stderr_has 'it is named' "'bob'"
MANIFESTO_KEY=bob run manifesto put oci:app:2.0 by-whoever-fits third
check_status 'MANIFESTO_KEY is only the first choice' 0

t_done

# --- names of directories
cp -r app 'with:colon'
rm -rf 'with:colon/trust'
run manifesto put --init oci:with:colon/:1.0 note "$approval"
check_status 'a directory with a colon and a slash at its end: put' 0
get_is 'and get' "$approval" oci:with:colon:1.0 note
cp -r app alone:one
rm -rf alone:one/trust
jq -c '.manifests |= .[:1]' app/index.json >alone:one/index.json
run manifesto put --init oci:alone:one note "$approval"
check_status 'a directory whose name could be a tag: put' 0
get_is 'and get there' "$approval" oci:alone:one note
