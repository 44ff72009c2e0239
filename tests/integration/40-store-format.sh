#!/bin/bash
# The trust repository that put writes into a layout is a TUF 1.0 repository like any other: a client that knows TUF and nothing of
# records reads every one from a plain web server, by its target name.
. "$(dirname "$0")/../support/t.sh"
. "$T_TOP/tests/support/attack.sh"
. "$T_TOP/tests/support/job.sh"
. "$T_TOP/tests/support/store.sh"
unset MANIFESTO_PASSPHRASE

lab static
store=$STATIC_DIR/store
make_image "$store" >/dev/null
make_image "$store" --tag 2.0 --seed other >/dev/null
make_image "$store" --tag multi --index >/dev/null
printf 'second\0version\377' >second
: >empty
head -c 3000000 /dev/urandom >large
echo '{"who":"support"}' >contact.json

# A client of its own, that has seen nothing but the first root.
client() { # DIR
	rm -rf "$1"
	mkdir -p "$1"
	run "$tuf" --metadata-dir "$1/metadata" init "$store/trust/1.root.json"
	[ "$status" = 0 ] || t_bail 'manifesto-tuf takes the root'
}
download() { # DIR NAME...
	local dir=$1 name options=()
	shift
	for name; do
		options+=(--target-name "$name")
	done
	mkdir -p "$dir/targets"
	run "$tuf" --metadata-dir "$dir/metadata" --metadata-url "$STATIC/store/trust/" "${options[@]}" \
		--target-base-url "$STATIC/store/trust/targets/" --target-dir "$dir/targets" download
}
# Every record of a tag: what the client gets is what get gives.
all_the_same() { # NAME TAG COUNT
	local name=$1 tag=$2 type target names=() bad=0
	run manifesto list --json "oci:$store:$tag"
	check_json "$name: $3 records" "[.records[] | select(.state == \"current\")] | length == $3"
	jq -r '.records[] | select(.state == "current") | .type + "/" + (.subject | sub(":"; "-"))' "$T/stdout" >"$T/names"
	mapfile -t names <"$T/names"
	client fresh
	download fresh "${names[@]}"
	check_status "$name: a new client gets all of them" 0
	for target in "${names[@]}"; do
		type=${target%%/*}
		manifesto get "oci:$store@${target#*/sha256-}" "$type" >"$T/ours" 2>/dev/null ||
			manifesto get "oci:$store@sha256:${target#*/sha256-}" "$type" >"$T/ours" 2>/dev/null || bad=$((bad + 1))
		cmp -s "$T/ours" "fresh/targets/${target/\//%2F}" || bad=$((bad + 1))
	done
	check "$name: byte for byte what get gives" test $bad = 0 -a ${#names[@]} = "$3"
	# One that was there before sees the same.
	download seen "${names[@]}"
	check_status "$name: so does a client from before" 0
	for target in "${names[@]}"; do
		cmp -s "fresh/targets/${target/\//%2F}" "seen/targets/${target/\//%2F}" || bad=$((bad + 1))
	done
	check "$name: the same bytes" test $bad = 0
}

put "oci:$store:1.0" qa-approval "$approval" --init --no-passphrase
client seen
all_the_same 'the first record' 1.0 1
put "oci:$store:1.0" contact contact.json
put "oci:$store:1.0" a.b_c-d.9 "$T_MANIFESTO"
put "oci:$store:1.0" empty empty
put "oci:$store:1.0" large large
put "oci:$store:2.0" qa-approval second
all_the_same 'several types' 1.0 5
all_the_same 'another image' 2.0 1
put "oci:$store:multi" qa-approval "$approval" --all-platforms
all_the_same 'an index and its platforms' multi 1
subject=$(jq -r '.manifests[] | select(.annotations["org.opencontainers.image.ref.name"] == "1.0").digest' "$store/index.json")
target=qa-approval/${subject/:/-}

# --- what a consistent snapshot looks like
check 'the files have versions, but for the timestamp' test -z "$(cd "$store/trust" && find . -maxdepth 1 -name '*.json' ! -name '[1-9]*.*.json' ! -name timestamp.json)"
check_json 'the root says so' '.signed.consistent_snapshot == true and .signed.spec_version == "1.0.31" or (.signed.spec_version | startswith("1.0"))' "$store/trust/1.root.json"
find "$store/trust/targets" -type f -printf '%f %p\n' >"$T/files"
bad=0
while read -r file path; do
	[ "${file%%.*}" = "$(sum "$path")" ] || bad=$((bad + 1))
done <"$T/files"
check 'each target file has the name of its hash' test $bad = 0 -a -s "$T/files"

# --- replaced
(cd "$store/trust" && sha256sum [1-9]*.json) >"$T/before"
put "oci:$store:1.0" qa-approval second
all_the_same 'after a replacement' 1.0 5
check_same_file 'the new content' second "seen/targets/${target/\//%2F}"
check 'files that were there are as they were' sh -c "cd '$store/trust' && sha256sum --status -c '$T/before'"
check 'the replaced content is kept' test -s "$store/trust/targets/qa-approval/$(sum "$approval").${subject/:/-}"

# --- roles: types that others sign, in files of their own
new_key() { # NAME
	run manifesto key generate -q --no-passphrase "$1"
	manifesto key show "$1" | sed -n '/BEGIN/,/END/p' >"$1.pem"
}
new_key qa
new_key security
run manifesto role add "oci:$store" qa --key qa.pem --types qa-approval,scan
check_status 'a role for a team' 0
run manifesto role add "oci:$store" security --key security.pem --types security-review,scan
check_status 'and for another' 0
# Other clients look into "targets" first, whoever speaks for the type by now: what is superseded there is removed.
for tag in 1.0 2.0 multi; do
	run manifesto rm --role targets --all-platforms "oci:$store:$tag" qa-approval
	[ "$status" = 0 ] || run manifesto rm --role targets "oci:$store:$tag" qa-approval
	check_status "what 'targets' said about $tag is removed" 0
done
put "oci:$store:2.0" qa-approval "$approval"
put "oci:$store:2.0" scan second --role qa
put "oci:$store:2.0" security-review contact.json
all_the_same 'with roles' 2.0 3
check 'they have files of their own' test -s "$store/trust/1.security.json"
all_the_same 'without what the roles speak for now' 1.0 4

# --- removed and withdrawn
subject2=$(jq -r '.manifests[] | select(.annotations["org.opencontainers.image.ref.name"] == "2.0").digest' "$store/index.json")
run manifesto rm "oci:$store:2.0" scan --role qa
check_status 'a record is removed' 0
all_the_same 'after a removal' 2.0 2
rm -rf fresh/targets
download fresh "scan/${subject2/:/-}"
check_status 'the removed one is not to be had' 1
check 'and nothing is stored' test -z "$(find fresh/targets -type f)"
run manifesto withdraw "oci:$store:2.0" security-review --reason 'a leak'
check_status 'a record is withdrawn' 0
all_the_same 'after a withdrawal' 2.0 1
run manifesto role remove "oci:$store" security --force
check_status 'a role is removed' 0
all_the_same 'without the role' 2.0 1

# --- what the client must not take
put "oci:$store:1.0" qa-approval second
damaged=$store/trust/targets/qa-approval/$(sum second).${subject/:/-}
cp "$damaged" whole
rm "$damaged"
printf 'second\0version\376' >"$damaged"
client fresh
download fresh "$target"
check_status 'damaged content is refused' 1
check 'and not stored' test ! -e "fresh/targets/${target/\//%2F}"
mv whole "$damaged"
download fresh "$target"
check_status 'the right one is taken' 0

t_done
