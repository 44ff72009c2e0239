# shellcheck shell=bash
# A store with one record of every kind, for TUF clients that do not know records; source after t.sh and job.sh.
# shellcheck disable=SC2154 # status and approval are theirs

# shellcheck disable=SC2034 # for the tests
tuf=$(dirname "$T_MANIFESTO")/manifesto-tuf

# Writes the content of every current record, by get, to $T/records under percent-encoded target names; $T/names lists them.
note_records() {
	local tag type subject
	rm -rf "$T/records"
	mkdir -p "$T/records"
	for tag in 1.0 2.0 multi; do
		manifesto list --json "oci:$store:$tag" >"$T/list" 2>/dev/null || t_bail "list $tag"
		jq -r '.records[] | select(.state == "current") | .type + " " + .subject' "$T/list" |
			while read -r type subject; do
				manifesto get "oci:$store@$subject" "$type" >"$T/records/$type%2F${subject/:/-}" 2>/dev/null || exit 1
			done || t_bail "get the records of $tag"
	done
	find "$T/records" -type f -printf '%f\n' | sort | sed 's/%2F/\//' >"$T/names"
}

# Makes the layout DIR and sets $store to it: three images, several types, content of several sizes, a replaced record, a record of a role.
make_store() { # DIR
	store=$1
	make_image "$store" >/dev/null
	make_image "$store" --tag 2.0 --seed other >/dev/null
	make_image "$store" --tag multi --index >/dev/null
	printf 'second\0version\377' >"$T/second"
	: >"$T/empty"
	head -c 3000000 /dev/urandom >"$T/large"
	local type
	run manifesto put -q --init --no-passphrase "oci:$store:1.0" qa-approval "$T/large"
	[ "$status" = 0 ] || t_bail 'the first record'
	for type in qa-approval empty large; do
		run manifesto put -q "oci:$store:1.0" $type "$T/${type/qa-approval/second}"
		[ "$status" = 0 ] || t_bail "put $type"
	done
	for type in a.b_c-d.9 contact 0; do
		run manifesto put -q "oci:$store:2.0" $type "$approval"
		[ "$status" = 0 ] || t_bail "put $type"
	done
	run manifesto key generate -q --no-passphrase security
	manifesto key show security | sed -n '/BEGIN/,/END/p' >"$T/security.pem"
	run manifesto role add "oci:$store" security --key "$T/security.pem" --types security-review
	[ "$status" = 0 ] || t_bail 'a role'
	run manifesto put -q "oci:$store:2.0" security-review "$T/second"
	[ "$status" = 0 ] || t_bail 'a record of the role'
	run manifesto put -q --all-platforms "oci:$store:multi" scan "$approval"
	[ "$status" = 0 ] || t_bail 'put for all platforms'
	note_records
}
