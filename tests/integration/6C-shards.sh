#!/bin/bash
# A role that is spread over shards, with a program that divides its files after four records.
. "$(dirname "$0")/../support/t.sh"
. "$T_TOP/tests/support/attack.sh"
. "$T_TOP/tests/support/job.sh"
. "$T_TOP/tests/support/notary.sh"

ln -sf "${T_MANIFESTO%/*}/tests/support/manifesto-few" bin/manifesto
unset MANIFESTO_PASSPHRASE
export MANIFESTO_TRUST_SERVER=
echo content >content

# Twenty images in one layout.
for i in {1..20}; do
	make_image image --tag "$i" --seed "$i" >/dev/null
done
shards() { # ROLE: the digits of the shards that its newest file lists
	jq -r '.signed.delegations.roles[]?.name | select(contains("._h")) | sub(".*_h"; "")' "$(find image -name '*.'"$1"'.json' | sort -V | tail -1)" | tr '\n' ' '
}
has_all() { # TYPE N: each of the first N images has the record
	local i
	for ((i = 1; i <= $2; i++)); do
		manifesto get "oci:image:$i" "$1" 2>"$T/tmp/why" | cmp -s - content || return 1
	done
}

manifesto put -q --init --no-passphrase oci:image:1 note content
for i in 2 3 4; do
	manifesto put -q "oci:image:$i" note content
done
check 'four records are in one file' test "$(shards targets)" = ''
run manifesto put -q oci:image:5 note content
check_status 'the fifth record divides it' 0
check '... into sixteen' test "$(shards targets)" = '0 1 2 3 4 5 6 7 8 9 a b c d e f '
check '... which have the records' has_all note 5
check '... and the own file none' test "$(jq '.signed.targets | length' "$(find image -name '*.targets.json' | sort -V | tail -1)")" = 0

before=$(find image -name '*.targets.json' | wc -l)
for i in {6..20}; do
	manifesto put -q "oci:image:$i" note content || not_ok "put $i"
done
check 'all twenty are read' has_all note 20
check '... the own file is the one of the division' test "$(find image -name '*.targets.json' | wc -l)" = "$before"
run manifesto list --all --json oci:image
check_status 'list --all' 0
check '... has all twenty' test "$(jq '.records | length' stdout)" = 20

run manifesto withdraw -q oci:image:7 note --reason old
check_status 'withdraw' 0
check '... the own file has it' test "$(jq '.signed.targets | length' "$(find image -name '*.targets.json' | sort -V | tail -1)")" = 1
run manifesto get oci:image:7 note
check_status '... and readers get nothing' 9
run manifesto put -q --reinstate oci:image:7 note content
check_status 'put --reinstate' 0
check '... moves it back' test "$(jq '.signed.targets | length' "$(find image -name '*.targets.json' | sort -V | tail -1)")" = 0
check '... where it is read' has_all note 20
run manifesto rm -q oci:image:20 note
check_status 'rm' 0
run manifesto get oci:image:20 note
check_status '... removes it' 3
run manifesto verify --require note oci:image:3
check_status 'verify' 0

# Two digits: many records of one subject.
for type in a b c d e f; do
	manifesto put -q oci:image:1 "type-$type" content || not_ok "put type-$type"
done
check 'a shard that grows is divided again' test "$(shards targets | tr ' ' '\n' | grep -c ..)" -gt 0
check '... and nothing is lost' has_all note 19
check '... of the new types neither' manifesto get oci:image:1 type-c
check '... the one that was divided is no role' test "$(manifesto role list --json oci:image | jq -r '[.roles[].name] | join(" ")')" = targets
run manifesto history --json oci:image:1
check '... and each record was put once, also where it moved, or its type was new' \
	test "$(jq -rs '[.[] | select(.type) | .type + " " + .event] | sort | join(",")' stdout)" = \
	"note put,$(printf 'type-%s put,' a b c d e f | sed 's/,$//')"

# A role of its own, and its keys.
manifesto key generate -q --no-passphrase third
manifesto key generate -q --no-passphrase second
manifesto role add -q oci:image qa --key third --types approval
for i in {1..8}; do
	manifesto put -q "oci:image:$i" approval content --key third || not_ok "approval $i"
done
check 'a delegated role is divided' test "$(shards qa | cut -c1-32)" = '0 1 2 3 4 5 6 7 8 9 a b c d e f '
check '... and read' has_all approval 8
run manifesto role add -q oci:image qa --key second
check_status 'a key is added' 0
run manifesto put -q oci:image:9 approval content --key second
check_status '... and signs' 0
check '... so that all are read' has_all approval 9
run manifesto role remove -q oci:image qa --key third
check_status 'a key is removed' 0
check '... and what it signed is read' has_all approval 9
run manifesto role add -q oci:image qa --key third --threshold 2
check_status 'two signatures are required' 0
check '... and all are read' has_all approval 9
run manifesto role add -q oci:image qa --threshold 1
check_status '... then one again' 0
run manifesto role add -q oci:image qa --types approval-2
check_status 'a type is added' 0
run manifesto put -q oci:image:2 approval-2 content
check_status '... and signed for' 0
run manifesto get oci:image:2 approval-2
check_status '... and read' 0
run manifesto trust refresh --force oci:image
check_status 'refresh' 0
check '... keeps all' has_all approval 9
check '... of targets too' has_all note 19
run manifesto history oci:image:3
check_status 'history' 0

# Writers that race, and one that is killed.
for i in {10..19}; do
	manifesto put -q "oci:image:$i" approval content >"$T/tmp/race-$i" 2>&1 </dev/null &
done
wait
check 'of ten writers at a time nothing is lost' has_all approval 19
for i in {1..12}; do
	manifesto put -q "oci:image:$i" killed content >/dev/null 2>&1 </dev/null &
	pid=$!
	sleep "0.0$((i + 10))"
	kill -9 $pid 2>/dev/null
	wait $pid 2>/dev/null
	manifesto get "oci:image:$i" note >/dev/null 2>"$T/tmp/why" || not_ok "killed $i"
done
for i in {1..12}; do
	manifesto put -q "oci:image:$i" killed content || not_ok "after a kill: put $i"
done
check 'after kills all is there' has_all killed 12
check '... what was before, too' has_all note 19

# --- readers who know no shards: to them these are delegations
tuf=$(dirname "$T_MANIFESTO")/manifesto-tuf
serve_files image/trust
"$tuf" --metadata-dir md init image/trust/1.root.json || t_bail 'manifesto-tuf init'
for i in 1 5 19; do
	target=note/$(manifesto list --json "oci:image:$i" | jq -r '.records[0].subject' | tr : -)
	run "$tuf" --metadata-dir md --metadata-url "$files_url" --target-base-url "$files_url/targets" --target-dir td --target-name "$target" download
	check_status "a TUF client finds record $i" 0
done

# --- a Notary server, and a bucket
lab registry notary s3
at_server() { # NAME SERVER
	local image=$REGISTRY/acme/$1 i lost=0 pids=()
	export MANIFESTO_TRUST_SERVER=$2
	for i in {1..8}; do
		push_image "oci:image:$i" "$image:$i" >/dev/null 2>&1
	done
	manifesto put -q --init --no-passphrase "$image:1" note content
	for i in {2..8}; do
		manifesto put -q "$image:$i" note content || not_ok "$1: put $i"
	done
	manifesto role add -q "$image" qa --key third --types approval
	for i in {1..8}; do
		manifesto put -q "$image:$i" approval content --key third >"$T/tmp/race-$i" 2>&1 </dev/null &
		pids+=($!)
	done
	wait "${pids[@]}"
	cold
	for i in {1..8}; do
		manifesto get "$image:$i" note 2>"$T/tmp/why" | cmp -s - content || lost=$((lost + 1))
		manifesto get "$image:$i" approval 2>"$T/tmp/why" | cmp -s - content || lost=$((lost + 1))
	done
	check "$1: nothing is lost" test $lost = 0
	run manifesto put -v "$image:3" note again
	check_status "$1: put into a shard" 0
	check_stderr_has "$1: a shard" _h
	run manifesto withdraw -q "$image:4" note --reason old
	check_status "$1: withdraw" 0
	run manifesto get "$image:4" note
	check_status "$1: a withdrawn record" 9
	run manifesto role add -q "$image" qa --key second
	run manifesto role remove -q "$image" qa --key third
	check_status "$1: a key goes" 0
	run manifesto get "$image:5" approval
	check_status "$1: what it signed is read" 0
	run manifesto trust refresh --force "$image"
	check_status "$1: refresh" 0
	run manifesto get "$image:8" approval
	check_status "$1: all is read" 0
	run manifesto list --all --json "$image"
	check "$1: the list has all" test "$(jq '.records | length' stdout)" = 16
}
echo again >again
at_server notary "$NOTARY"
notary_in cli list "$REGISTRY/acme/notary"
check_status 'notary lists the repository' 0
check '... and all records in force' test "$(grep -c 'sha256-' stdout)" = 16
at_server bucket "tuf+s3://$S3_BUCKET/tuf"
t_done
