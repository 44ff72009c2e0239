#!/bin/bash
# Copies of a repository whose roles are spread over shards hold what all of them hold.
. "$(dirname "$0")/../support/t.sh"
. "$T_TOP/tests/support/job.sh"
. "$T_TOP/tests/support/notary.sh"
. "$T_TOP/tests/support/attack.sh"

lab registry notary
ln -sf "${T_MANIFESTO%/*}/tests/support/manifesto-few" bin/manifesto
repository=$REGISTRY/acme/app
echo content >content
echo other >other
for i in {1..7}; do
	make_image layout --tag "$i" --seed "$i" >/dev/null
	push_image "oci:layout:$i" "$repository:$i" >/dev/null 2>&1
done

publish() { # seven images, each with an approval; the first one is replaced, the second withdrawn, the third removed
	manifesto put -q --init "$repository:1" note content || t_bail 'the first record'
	manifesto role add -q "$repository:1" qa --key team --types approval || t_bail 'a role'
	for i in {1..7}; do
		manifesto put -q "$repository:$i" approval content --key team || t_bail "put $i"
	done
	manifesto put -q "$repository:1" approval other --key team
	manifesto withdraw -q --reason old "$repository:2" approval --key team
	manifesto rm -q "$repository:3" approval --key team
}
of_targets=1 # records of the role `targets`
reads() { # NAME ARGUMENTS: what the reader finds there
	local what=$1 i
	shift
	for i in 1 4 5 6 7; do
		run manifesto verify "$@" --require approval=qa "$repository:$i"
		check_status "$what: image $i" 0
	done
	run manifesto get "$@" "$repository:1" approval
	check "$what: the newest content" cmp -s stdout other
	run manifesto get "$@" "$repository:2" approval
	check_status "$what: what was withdrawn" 9
	run manifesto get "$@" "$repository:3" approval
	check_status "$what: what was removed" 3
	run manifesto role list "$@" --json "$repository:1"
	check "$what: one role, with all records" test "$(jq -r '.roles[] | "\(.name | ltrimstr("targets/")) \(.entries)"' stdout | tr '\n' ' ')" = "targets $of_targets qa 6 "
}
manifesto key generate -q team || t_bail 'a key'

# ---- TUF 1.0: a mirror file by file, and a bundle
export MANIFESTO_TRUST_SERVER=tuf+file://$T/origin
publish
reads 'a directory'
run manifesto mirror "$repository" copy
check_status 'a mirror' 0
reads 'the mirror' --trust-server "tuf+file://$T/copy"
run manifesto bundle create "$repository:1" "$repository:2" -o images.tar
check_status 'a bundle' 0
run manifesto get --bundle images.tar "$repository:1" approval
check 'the bundle: the newest content' cmp -s stdout other
run manifesto get --bundle images.tar "$repository:2" approval
check_status 'the bundle: what was withdrawn' 9
run manifesto repair "$repository"
check_status 'repair' 0
run manifesto prune "$repository"
check_status 'prune' 0
reads 'after both'

# Of more shards than are loaded at once a mirror has some in memory at a time.
for i in {1..7}; do
	echo "$repository:$i"
done >images
for type in a b c d e f g; do
	manifesto put -q --images images "$type" content || t_bail "put $type"
done
listed() { # DIRECTORY: the files that its newest snapshot lists
	jq -r '.signed.meta | to_entries[] | "\(.value.version).\(.key)"' "$(find "$1" -name '*.snapshot.json' | sort -V | tail -1)"
}
parts() { # the octets of the shards that were in memory, in each step of a run with -vv
	sed -n "s/.*shards of subjects '.*': \([0-9]*\) octets are loaded/\1/p" stderr
}
origin=$(dirname "$(find origin -name timestamp.json)")
rm -rf copy
run manifesto mirror -vv --json "$repository" copy
check_status 'a mirror of many shards' 0
check '... goes through sixteen parts, or more' test "$(parts | wc -l)" -ge 16
all=$(cd "$origin" && listed . | grep '_h' | xargs cat | wc -c)
check '... of which none has half of all' test "$(parts | sort -n | tail -1)" -lt $((all / 2))
copied=$(dirname "$(find copy -name timestamp.json)")
for file in "$copied"/*.json; do
	cmp -s "$origin/${file##*/}" "$file" || not_ok "a mirror of many shards: ${file##*/}"
done
check_json '... counts each file once' ".repositories[0].files == $(find "$copied" -maxdepth 1 -name '*.json' | wc -l)"
check_json '... and each content' '.repositories[0].contents == 56'
reads_many() { # NAME ARGUMENTS
	local what=$1 i
	shift
	for i in 1 4 7; do
		run manifesto get "$@" "$repository:$i" g
		check "$what: image $i" cmp -s stdout content
	done
	run manifesto list --all --json "$@" "$repository"
	jq -S 'del(.repository) | .images |= map(del(.image)) | .records |= map(del(.image))' stdout >"$what.list"
	check "$what: all records" cmp -s 'the origin.list' "$what.list"
}
reads_many 'the origin'
reads_many 'the mirror' --trust-server "tuf+file://$T/copy"
run manifesto mirror --json "$repository" copy
check_json 'again: nothing to do' '.repositories[0] | (.changed or .files > 0) | not'
lost=("$(find "$copied" -name '*_hf?.json' | head -1)" "$copied/timestamp.json" "$copied"/*.root.json)
rm "${lost[@]}"
run manifesto mirror --json "$repository" copy
check_json 'one that was stopped goes on where it was' ".repositories[0] | .changed and .files == ${#lost[@]}"
reads_many 'the mirror again' --trust-server "tuf+file://$T/copy"

run manifesto mirror -vv --json "$repository" "tuf+oci://$REGISTRY/mirrors/tuf"
check_status 'a mirror of many shards in a registry' 0
check '... goes through sixteen parts, or more' test "$(parts | wc -l)" -ge 16
reads_many 'the registry' --trust-server "tuf+oci://$REGISTRY/mirrors/tuf"
manifesto put -q "$repository:1" g other || t_bail 'put g'
run manifesto mirror --json "$repository" "tuf+oci://$REGISTRY/mirrors/tuf"
check_json '... the next one has what changed' '.repositories[0] | .changed and .files < 8'
run manifesto list --all --json --trust-server "tuf+oci://$REGISTRY/mirrors/tuf" "$repository"
check '... and all records' test "$(jq '.records | length' stdout)" = 56

# ---- Notary: a mirror that is converted
export MANIFESTO_TRUST_SERVER=$NOTARY
manifesto trust forget -q "$repository" >/dev/null 2>&1
export MANIFESTO_HOME=$T/home2 XDG_CACHE_HOME=$T/cache2
manifesto key generate -q team || t_bail 'a key'
publish
reads 'a Notary server'
run manifesto mirror "$repository" converted
check_status 'a converted mirror' 0
pin=$(sed -n 's/.*root key pinned on this machine: //p' stderr)
mkdir "$T/reader"
export MANIFESTO_HOME=$T/reader XDG_CACHE_HOME=$T/cache3
export MANIFESTO_TRUST_SERVER=tuf+file://$T/converted
run manifesto trust pin "$repository:1" "$pin"
reads 'the converted mirror'

# Of more shards than are loaded at once each step is a publish, and the last one names the state that was copied.
as_writer() { MANIFESTO_HOME=$T/home2 XDG_CACHE_HOME=$T/cache2 MANIFESTO_TRUST_SERVER=$NOTARY "$@"; }
copy_of() { # DIRECTORY: what a converted mirror says that it is a copy of
	jq -S '.signed["x-manifesto-copy-of"]' "$(find "$1" -name timestamp.json)"
}
snapshots() { # DIRECTORY: how many
	find "$1" -name '*.snapshot.json' | wc -l
}
stop_mirror() { # DIRECTORY: a mirror to it that is killed after a few publishes
	local mirror first
	mkdir -p "$1"
	first=$(snapshots "$1")
	env MANIFESTO_HOME="$T/home2" XDG_CACHE_HOME="$T/cache2" MANIFESTO_TRUST_SERVER="$NOTARY" manifesto mirror "$repository" "$1" >/dev/null 2>&1 &
	mirror=$!
	while [ "$(snapshots "$1")" -lt $((first + 4)) ] && kill -0 $mirror; do
		:
	done
	kill -KILL $mirror
	wait $mirror 2>/dev/null
}
records() { # FILE: the records of the last command's output
	jq -S '[.records[] | [.subject, .type, .digest, .state, (.role | ltrimstr("targets/"))]] | sort' stdout >"$1"
}
converts() { # NAME DESTINATION TRUST-SERVER: a mirror has what the origin has
	run as_writer manifesto mirror -vv --json "$repository" "$2"
	check_status "$1" 0
	check_json '... is converted' '.repositories[0] | .changed and .converted'
	check '... in sixteen parts, or more' test "$(parts | wc -l)" -ge 16
	[ "$3" = "$MANIFESTO_TRUST_SERVER" ] || manifesto trust pin --trust-server "$3" "$repository:1" "$(jq -r '.repositories[0].pin[0]' stdout)" ||
		not_ok "$1: a pin"
	run as_writer manifesto list --all --json "$repository"
	records expected
	run manifesto list --all --json --trust-server "$3" "$repository"
	check_status '... is read' 0
	records got
	check '... with all records' diff expected got
	run as_writer manifesto mirror --json "$repository" "$2"
	check_json '... and then there is nothing to do' '.repositories[0] | (.changed or .files > 0) | not'
}
for type in a b c d e f g; do
	as_writer manifesto put -q --images images "$type" content || t_bail "put $type"
done
copy_of converted >before
stop_mirror converted
copy_of converted >after
check 'a mirror that was stopped on its way names the state that it copied before' cmp -s before after
of_targets=$(manifesto role list --json "$repository:1" | jq '.roles[0].entries')
check '... and has some of the new records' test "$of_targets" -gt 1 -a "$of_targets" -lt 50
reads 'a mirror that was stopped on its way'
converts 'the next run' converted "tuf+file://$T/converted"
copy_of converted >after
check '... names the new state' jq -en 'input != input' before after
as_writer manifesto withdraw -q --reason old "$repository:4" b
as_writer manifesto rm -q "$repository:5" c
as_writer manifesto put -q "$repository:6" d other
converts 'what changed since' converted "tuf+file://$T/converted"
of_targets=49
reads 'the converted mirror, later'

stop_mirror first
run copy_of first
check_json 'a first mirror that was stopped says whose copy it is' '.repository != null'

# Content that the mirror has lost is copied again with the next change, in all parts.
find converted -type f ! -name '*.json' -delete
as_writer manifesto put -q "$repository:6" d content
run as_writer manifesto mirror --json "$repository" converted
check_json 'all content is there again' ".repositories[0].contents == $((of_targets + 6))"

# All shards are verified before the first publish. Nothing is in the cache, so that both rounds ask the server.
proxy N "$NOTARY"
through() { MANIFESTO_HOME=$T/home2 XDG_CACHE_HOME=/dev/null/none MANIFESTO_TRUST_SERVER=http://$N "$@"; }
as_writer manifesto put -q "$repository:6" d other
find converted -type f -exec sha256sum {} + | sort >before
faults N '{"path":"_hf","action":"status","status":404}'
run through manifesto mirror "$repository" converted
check 'an origin that withholds a shard is not mirrored' test "$status" -ne 0
check_stderr_has '... and named' '_hf'
find converted -type f -exec sha256sum {} + | sort >after
check '... and changes nothing' cmp -s before after
faults N
run through manifesto mirror "$repository" copied-through
check_status 'without a cache' 0
half=$(($(grep -c _hf N.log) / 2))
check '... each shard is asked for twice' test "$half" -gt 0

# Two mirrors at once: one waits before its last part while the other one does all of them.
faults N "{\"path\":\"_hf\",\"action\":\"hold\",\"until\":\"$T/go\",\"skip\":$half,\"count\":1}"
run through manifesto mirror "$repository" converted &
late=$!
for ((i = 0; i < 600; i++)); do
	grep -q '"rule": *0' N.log && break
	sleep 0.05
done
as_writer manifesto put -q "$repository:6" d content
as_writer manifesto mirror "$repository" converted >/dev/null 2>&1 || not_ok 'the second of two mirrors'
copy_of converted >before
touch go
wait $late
cp "$T/stderr" late
check 'the first of two mirrors says so' grep -q 'another mirror writes to' late
copy_of converted >after
check '... and leaves what the second has written' cmp -s before after

export MANIFESTO_HOME=$T/reader2 XDG_CACHE_HOME=$T/cache4
mkdir reader2
converts 'a converted mirror in a registry' "tuf+oci://$REGISTRY/converted/tuf" "tuf+oci://$REGISTRY/converted/tuf"

tag=$(curl -s "http://$REGISTRY/v2/converted/tuf/tags/list" | jq -r '.tags[0]')
shard=$(curl -s -H 'Accept: application/vnd.oci.image.manifest.v1+json' "http://$REGISTRY/v2/converted/tuf/manifests/$tag" |
	jq -r '[.layers[] | select(.annotations["tuf.io/filename"] | test("_h[0-9a-f]+[.]json")) | .digest][-1]')
curl -sf -X DELETE "http://$REGISTRY/v2/converted/tuf/blobs/$shard" || t_bail 'the registry loses a shard'
run as_writer manifesto mirror --json "$repository" "tuf+oci://$REGISTRY/converted/tuf"
check_json 'a shard that the registry has lost is uploaded again' '.repositories[0].files == 1'
run manifesto list --all --json --trust-server "tuf+oci://$REGISTRY/converted/tuf" "$repository"
records got
check '... and all records are read' diff expected got

t_done
