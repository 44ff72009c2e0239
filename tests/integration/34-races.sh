#!/bin/bash
# Many writers of one repository: afterwards the trust repository, the referrers and the catalogue have all records. Writers with
# separate homes share no lock: only the server detects their conflicts.
. "$(dirname "$0")/../support/t.sh"
. "$T_TOP/tests/support/attack.sh"

lab registry notary notary-db s3
proxy N "$NOTARY"
writers=20
make_image image >/dev/null
for ((i = 1; i <= writers; i++)); do
	make_image image --tag "i$i" --seed "$i" >/dev/null
	echo "{\"writer\":$i}" >"$T/file.$i"
done
tar cf image.tar image

# Homes that share only keys and pins.
make_homes() {
	local i
	for ((i = 1; i <= writers; i++)); do
		rm -rf "$T/homes/$i"
		mkdir -p "$T/homes/$i"
		cp -a home/manifesto/keys home/manifesto/trust.json "$T/homes/$i"
	done
}

# Runs `one I` for all writers at once, with the common home or one home each; the array `ended` gets the statuses.
at_once() { # common|own N FUNCTION
	local i pids=()
	ended=()
	for ((i = 1; i <= $2; i++)); do
		(
			[ "$1" = common ] || export MANIFESTO_HOME=$T/homes/$i XDG_CACHE_HOME=$T/homes/$i/cache
			"$3" "$i" >"$T/tmp/out.$i" 2>"$T/tmp/err.$i" </dev/null
		) &
		pids+=($!)
	done
	for i in "${pids[@]}"; do
		wait "$i"
		ended+=($?)
	done
}
all_succeed() { # NAME
	local i n=0
	for ((i = 0; i < ${#ended[@]}; i++)); do
		[ "${ended[i]}" = 0 ] && ! grep -qv 'is new to this machine' "$T/tmp/err.$((i + 1))" || n=$((n + 1))
	done
	if [ $n = 0 ]; then ok "$1"; else not_ok "$1" "statuses ${ended[*]}" "$(for ((i = 1; i <= ${#ended[@]}; i++)); do cat "$T/tmp/err.$i"; done | sort | uniq -c | head -5)"; fi
}

init=
ours() {
	local command=$1
	shift
	manifesto "$command" --cacert "$CA" "$@"
}
# shellcheck disable=SC2086 # options are words
put_type() {
	ours put -q $init "$base:1.0" "$kind-$1" "$T/file.$1"
}
put_image() {
	ours put -q "$base:i$1" "$kind" "$T/file.$1"
}

accept='Accept: application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json'
# What the registry contains, without verification.
catalogue_counts() { # TYPE-PREFIX: records in the catalogue
	curl -s -H "$accept" "http://$base_api/manifests/_manifesto" >"$T/catalogue"
	curl -s "http://$base_api/blobs/$(jq -r .config.digest "$T/catalogue")" |
		jq "[.images[].manifesto[] | select(.type | startswith(\"$1\"))] | length"
}
referrers_of() { # TAG: their types
	local digest
	digest=$(jq -r ".manifests[] | select(.annotations[\"org.opencontainers.image.ref.name\"] == \"$1\").digest" image/index.json)
	curl -s -H "$accept" "http://$base_api/manifests/${digest/:/-}" | jq -r '.manifests[].artifactType' | sort -u
}

# 20 types to one image, 20 images of one type; then everything must be there.
storm() { # common|own NAME
	local i n
	kind=$1
	rm -rf home/cache
	[ "$1" = common ] || make_homes
	at_once "$1" $writers put_type
	all_succeed "$2, $1 home: $writers types to one image"
	run ours list --json "$base:1.0"
	check_json "$2, $1 home: all are listed" "[.records[] | select(.type | startswith(\"$1-\"))] | length == $writers"
	at_once "$1" $writers put_image
	all_succeed "$2, $1 home: one type to $writers images"
	n=0
	for ((i = 1; i <= writers; i++)); do
		ours get "$base:i$i" "$1" 2>&1 | cmp -s - "$T/file.$i" && n=$((n + 1))
	done
	check "$2, $1 home: all can be read" test $n = $writers
	n=0
	for ((i = 1; i <= writers; i++)); do
		ours get "$base:1.0" "$1-$i" 2>&1 | cmp -s - "$T/file.$i" && n=$((n + 1))
	done
	check "$2, $1 home: those of the one image too" test $n = $writers
	[ -n "$base_api" ] || return
	check "$2, $1 home: the referrers are complete" test "$(referrers_of 1.0 | grep -c "$1-")" = $writers
	check "$2, $1 home: so is the catalogue" test "$(catalogue_counts "$1")" = $((2 * writers))
	n=0
	for ((i = 1; i <= writers; i++)); do
		referrers_of "i$i" | grep -qx "application/vnd.manifesto.$1" && n=$((n + 1))
	done
	check "$2, $1 home: and the referrers of each image" test $n = $writers
}
first_puts() { # NAME
	kind=first
	init='--init --no-passphrase --key alice'
	at_once common 8 put_type
	init=
	all_succeed "$1: 8 first puts at once"
	run ours list --json "$base:1.0"
	check_json "$1: all of them are listed" '.records | length == 8'
}
push_all() {
	local i
	push_image oci:image:1.0 "$base:1.0" >/dev/null || t_bail 'push'
	for ((i = 1; i <= writers; i++)); do
		push_image "oci:image:i$i" "$base:i$i" >/dev/null
	done
}

base=oci:image base_api=
first_puts layout
storm common layout
storm own layout
find image home homes -name '.tmp-*' >"$T/left"
check_line_count 'no temporary files are left' 0 "$T/left"

for kind_of_server in memory database directory bucket; do
	base=$REGISTRY/acme/$kind_of_server base_api=$REGISTRY/v2/acme/$kind_of_server
	push_all
	case $kind_of_server in
	memory) export MANIFESTO_TRUST_SERVER=$NOTARY ;;
	database) export MANIFESTO_TRUST_SERVER=$NOTARY_DB ;;
	directory) export MANIFESTO_TRUST_SERVER=tuf+file://$T/trust ;;
	bucket) export MANIFESTO_TRUST_SERVER=tuf+s3://$S3_BUCKET/trust ;;
	esac
	first_puts $kind_of_server
	[ $kind_of_server != memory ] || storm common $kind_of_server
	storm own $kind_of_server
done

t_done
