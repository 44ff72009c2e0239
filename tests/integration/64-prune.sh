#!/bin/bash
# prune removes what nothing refers to, in a directory, a layout and a bucket: never what is current, what history reads, or what a
# writer or a reader may be at work on.
. "$(dirname "$0")/../support/t.sh"
. "$T_TOP/tests/support/attack.sh"
. "$T_TOP/tests/support/job.sh"

lab registry notary static s3
proxy P "$S3"
make_image image >/dev/null
subject=$(jq -r '.manifests[0].digest' image/index.json)
for i in 1 2 3 4 5 6 7 8 9; do printf 'content %050d\n' "$i" >"file.$i"; done
zeros=$(printf '0%.0s' {1..64})

# --- one repository in each store, and what lies there, by its name in the repository
open_store() { # STORE
	store=$1
	repository=$REGISTRY/acme/$store/app
	case $store in
	directory)
		export MANIFESTO_TRUST_SERVER=tuf+file://$STATIC_DIR/tuf
		dir=$STATIC_DIR/tuf/${REGISTRY/:/%3A}/acme/$store/app
		;;
	layout)
		unset MANIFESTO_TRUST_SERVER
		repository=oci:image dir=$T/image/trust
		;;
	bucket)
		export MANIFESTO_TRUST_SERVER=tuf+s3://$S3_BUCKET/prune
		key=prune/${REGISTRY/:/%3A}/acme/$store/app
		;;
	esac
	image=$repository:1.0
}
stored() {
	case $store in
	bucket) curl -sf "$S3_PUBLIC?list-type=2&prefix=${key//%/%25}/" | tr '<' '\n' | sed -n "s,^Key>$key/,,p" ;;
	*) (cd "$dir" && find . -type f ! -name .lock | sed 's,^\./,,') ;;
	esac | LC_ALL=C sort
}
# What somebody else has left there; - takes it away.
plant() { # FILE|- NAME
	local upload=(-X PUT --data-binary "@$1")
	[ "$1" != - ] || upload=(-X DELETE)
	if [ "$store" = bucket ]; then
		curl -sf --aws-sigv4 aws:amz:us-east-1:s3 --user "$S3_KEY_ID:$S3_SECRET" -H 'x-amz-content-sha256: UNSIGNED-PAYLOAD' \
			"${upload[@]}" "$S3_PUBLIC/${key//%/%25}/$2" || t_bail "plant $2"
	elif [ "$1" = - ]; then
		rm "$dir/$2"
	else
		mkdir -p "$(dirname "$dir/$2")" && cp "$1" "$dir/$2"
	fi
}
# Until the time of everything that is there now lies behind, by the store's clock.
age() { # SECONDS
	local from=$SECONDS
	while [ $((SECONDS - from)) -le $(($1 + 1)) ]; do sleep 0.2; done
}
prune() { # OPTIONS...
	run manifesto prune --older-than 1s "$@" "$repository"
}
target() { # FILE TYPE
	echo "targets/$2/$(sum "$1").sha256-${subject#sha256:}"
}
all_there() { # NAME
	run manifesto status "$repository"
	check "$store: $1: the repository is sound" test "$status" = 0 -o "$status" = 14
	check_stdout_lacks "$store: $1: and lacks no content" 'targets-missing'
}

# A request that waits at the proxy until the file GO is there.
held() { # GO METHOD PATH
	faults P "{\"method\":\"$2\",\"path\":\"$3\",\"action\":\"hold\",\"until\":\"$T/$1\",\"count\":1}"
}
await_held() { # WHO
	for ((i = 0; i < 600; i++)); do
		grep -q '"rule": *0' P.log && return
		sleep 0.05
	done
	t_bail "$1 comes to the request that is held"
}

for store in directory layout bucket; do
	open_store $store
	[ "$store" = layout ] || push_image oci:image:1.0 "$image" >/dev/null
	put "$image" a file.1 --init
	put "$image" a file.2
	put "$image" b file.3
	run manifesto rm "$image" b
	put "$image" c file.4
	age 1
	prune
	check_status "$store: nothing to prune: status 0" 0
	check_stdout_is "$store: what is replaced and removed belongs to a version" "$repository: nothing to prune"
	stored >clean
	manifesto history --json "$image" >events

	# --- content that nobody published, and temporary files
	plant file.5 "$(target file.5 a)"
	plant file.6 "targets/new/$zeros.sha256-$zeros"
	# Not ours: of a repository below, and of somebody who keeps notes.
	plant file.7 "targets/x/targets/a/$zeros.sha256-$zeros"
	plant file.7 "targets/a/${zeros//0/g}.sha256-$zeros"
	plant file.7 notes.json
	plant file.7 5.html
	[ "$store" = bucket ] || plant file.8 ".tmp-0123456789abcdef01234567"
	stored >planted
	age 1
	run manifesto prune "$repository"
	check_stdout_is "$store: what is younger than a day stays" "$repository: nothing to prune"
	prune --dry-run
	check_stdout_has "$store: a dry run says what" "$repository: target targets/new/$zeros.sha256-$zeros, 59 bytes"
	check_stdout_has "$store: and how much" "$repository: would remove 2 target files"
	check "$store: and removes nothing" cmp -s planted <(stored)
	prune --json
	check_json "$store: as JSON" '.repositories[0] | .exit == 0 and .removed == (.files | length) and ([.files[] | select(.kind == "target" and .bytes == 59)] | length) == 2'
	for name in "targets/x/targets/a/$zeros.sha256-$zeros" "targets/a/${zeros//0/g}.sha256-$zeros" notes.json 5.html; do plant - "$name"; done
	check "$store: only what is ours and of no use goes" cmp -s clean <(stored)
	all_there pruned
	run manifesto history --json "$image"
	check_same_file "$store: history is as it was" events stdout

	# --- what does not verify is not touched
	plant file.5 "$(target file.5 a)"
	version=$(stored | sed -n 's/\.targets\.json$//p' | sort -n | tail -1)
	plant file.7 "$((version - 1)).other.json"
	age 1
	stored >planted
	prune
	check_status "$store: a version that cannot be read: 6" 6
	check_stderr_has "$store: says which" "$((version - 1)).other.json"
	check "$store: nothing is removed" cmp -s planted <(stored)
	plant - "$((version - 1)).other.json"
	machine stranger
	prune
	check_status "$store: a repository that is not pinned: 10" 10
	check "$store: nothing is removed, either" grep -qF "$(target file.5 a)" <(stored)
	machine first
	prune -q
	check_stdout_empty "$store: --quiet"

	# --- only the newest versions
	prune --keep-versions 2 --json
	check_status "$store: two versions of each: 0" 0
	check_json "$store: metadata goes first" '[.repositories[0].files[].kind] | (index("target") > index("metadata"))'
	stored >left
	check "$store: two of targets are left" test "$(grep -c '\.targets\.json$' left)" = 2
	check "$store: two snapshots" test "$(grep -c '\.snapshot\.json$' left)" = 2
	check "$store: all roots" test "$(grep -c '\.root\.json$' left)" = "$(grep -c '\.root\.json$' clean)"
	check "$store: no content of older versions" test "$(grep '^targets/' left)" = "$(printf '%s\n' "$(target file.2 a)" "$(target file.4 c)" | LC_ALL=C sort)"
	all_there 'two versions'
	get_is "$store: two versions" file.2 "$image" a
	run manifesto history --json "$image"
	check_status "$store: history of what is left" 0
	check "$store: names what is not kept" grep -q '"event":"not-kept"' stdout
	prune --keep-versions 2
	check_stdout_is "$store: once more" "$repository: nothing to prune"
	put "$image" a file.9
	get_is "$store: the next publish" file.9 "$image" a
done

# --- what stopped writers leave: versions that were never in force. The names of the current version and above stay taken.
open_store directory
cp -a "$dir" copy
put "$image" a file.1
cp -a "$dir" ahead && rm -rf "$dir" && cp -a copy "$dir"
# As a machine that has not seen what was ahead.
rm -rf home/manifesto/floors
newest() { # ROLE
	find ahead -name "*.$1.json" -printf '%f\n' | sort -n | tail -1
}
cp "ahead/$(newest targets)" "ahead/$(newest snapshot)" "$dir"
age 1
prune
check_stdout_is 'versions above the current ones stay' "$repository: nothing to prune"
put "$image" a file.2
check 'the next writer passes over them' test "$(jq -r '.signed.meta["snapshot.json"].version' "$dir/timestamp.json").snapshot.json" '!=' "$(newest snapshot)"
rm "$dir/$(newest targets)"
age 1
prune --json
check_json 'a snapshot that lists what is not there goes' '[.repositories[0].files[].name] == ["'"$(newest snapshot)"'"]'
cp "ahead/$(newest targets)" "$dir"
age 1
prune --json
check_json 'a version that no snapshot lists goes' '[.repositories[0].files[].name] == ["'"$(newest targets)"'"]'
all_there 'leftovers'

cp "$dir/$(stored | grep '\.targets\.json$' | sort -n | tail -1)" "$dir/1.other.json"
plant file.5 "$(target file.5 a)"
age 1
prune
check_status 'a file of another version than its name has' 6
check_stderr_has 'is named' 1.other.json
plant - 1.other.json
prune -q
check_status 'without it the rest is pruned' 0

# --- a link is not followed, and a link on old content is new
mkdir elsewhere
cp file.1 "elsewhere/$zeros.sha256-$zeros"
ln -s "$T/elsewhere" "$dir/targets/link"
age 1
prune
check_stdout_is 'a link is not followed' "$repository: nothing to prune"
rm "$dir/targets/link"
open_store layout
touch -d '2 days ago' "image/blobs/sha256/$(sum file.9)"
ln "image/blobs/sha256/$(sum file.9)" "$dir/targets/a/$(sum file.9).sha256-$zeros"
run manifesto prune "$repository"
check_stdout_is 'a link on old content is new' "$repository: nothing to prune"

# --- a writer in the middle: content is there, and the versions that list it; the timestamp is not
open_store bucket
printf 'in the middle\n' >middle
held timestamp PUT /timestamp.json
AWS_ENDPOINT_URL_S3=http://$P manifesto put -q "$image" middle middle >put.out 2>&1 &
writer=$!
await_held 'the writer'
age 1
prune
check_stdout_is 'what a publish is about to refer to stays' "$repository: nothing to prune"
check 'while it waits' kill -0 $writer
: >timestamp
wait $writer
check 'it ends well' test $? = 0
all_there 'a writer'
get_is 'and has its content' middle "$image" middle

# Somebody puts the same content again while it is being removed.
plant file.5 "$(target file.5 a)"
age 1
held head HEAD /targets/
AWS_ENDPOINT_URL_S3=http://$P manifesto prune --older-than 1s "$repository" >prune.out 2>&1 &
pruner=$!
await_held 'prune'
put "$image" a file.5
touch head
wait $pruner
check 'it stays' grep -q 'had changed or were gone' prune.out
all_there 'a writer of the same content'

# --- a list of objects that is not all of them
curl -sf "$S3_PUBLIC?list-type=2&prefix=${key//%/%25}/" >all.xml
plant file.6 "targets/new/$zeros.sha256-$zeros"
age 1
stored >planted
for missing in timestamp "$(stored | sed -n 's/\.targets\.json$//p' | sort -n | tail -1).targets"; do
	sed "s,<Contents><Key>$key/$missing\.json</Key>.*</Contents>,," <(sed 's,<Contents>,\n&,g' all.xml) | tr -d '\n' >some.xml
	check "the list lacks $missing" test "$(grep -o '<Contents>' some.xml | wc -l)" -lt "$(grep -o '<Contents>' all.xml | wc -l)"
	faults P "{\"method\":\"GET\",\"path\":\"list-type=2\",\"action\":\"replace\",\"body_file\":\"$T/some.xml\"}"
	AWS_ENDPOINT_URL_S3=http://$P refused "a list without $missing" 4 prune --older-than 1s --keep-versions 1 "$repository"
	check_stderr_has 'says what is missing' "$missing.json"
	check 'nothing is removed by it' cmp -s planted <(stored)
done
sed 's,<IsTruncated>false<,<IsTruncated>true<,' all.xml >same.xml
faults P "{\"method\":\"GET\",\"path\":\"list-type=2\",\"action\":\"replace\",\"body_file\":\"$T/same.xml\"}"
AWS_ENDPOINT_URL_S3=http://$P refused 'the same page for ever' 4 prune --older-than 1s --timeout 20s "$repository"
check_stderr_has 'is noticed' 'does not go on'
faults P

# --- two at once, one of which is killed anywhere, with two writers and a reader at work
for store in directory layout bucket; do
	open_store $store
	for i in {10..49}; do plant file.1 "targets/left/${zeros:2}$i.sha256-$zeros"; done
done
age 15
for store in directory layout bucket; do
	open_store $store
	rm -f over bad-*
	(
		while [ ! -e over ]; do manifesto get "$image" c 2>&1 | cmp -s - file.4 || echo bad >>bad-reads; done
	) &
	reader=$!
	writers=()
	for writer in 1 2; do
		(
			for i in 1 2 3; do
				echo "$store $writer.$i" >"w.$writer.$i"
				manifesto put -q "$image" "w-$writer-$i" "w.$writer.$i" >>writer.out 2>&1 || echo "failed $writer.$i" >>bad-writes
			done
		) &
		writers+=($!)
	done
	killed=0
	# The first one at once, whatever the machine; a fast one ends before the last.
	for i in {0..8}; do
		manifesto prune -q --older-than 15s "$repository" >/dev/null 2>&1 &
		pid=$!
		manifesto prune -q --older-than 15s "$repository" >"prune.$i" 2>&1 || head -1 "prune.$i" >>bad-prunes &
		other=$!
		[ "$i" = 0 ] || sleep "0.0$i"
		kill -KILL $pid 2>/dev/null
		wait $pid 2>/dev/null
		[ $? != 137 ] || killed=$((killed + 1))
		wait $other
	done
	wait "${writers[@]}"
	run manifesto prune --older-than 15s "$repository"
	check_status "$store: prune after $killed that were killed" 0
	: >over
	wait $reader
	check "$store: some were" test $killed -gt 0
	check "$store: those beside them ended well" test ! -e bad-prunes
	check "$store: readers saw nothing of it" test ! -e bad-reads
	check "$store: nor did writers" test ! -e bad-writes
	check "$store: all of it is gone" test -z "$(stored | grep '^targets/left/')"
	lost=0
	for i in {1,2}.{1,2,3}; do manifesto get "$image" "w-${i/./-}" 2>/dev/null | cmp -s - "w.$i" || lost=$((lost + 1)); done
	check "$store: nothing that was published" test $lost = 0
	all_there 'many'
done

# --- a role whose former key signed versions that are kept, while the file that listed the key is not
open_store directory
manifesto key generate -q --no-passphrase one
manifesto key generate -q --no-passphrase two
run manifesto role add "$image" qa --key one --types q
put "$image" q file.1 --key one
run manifesto role add "$image" qa --key two
run manifesto role remove "$image" qa --key one
check_status 'a key goes' 0
put "$image" q file.2 --key two
for i in 3 4 5; do put "$image" a file.$i --role targets --key alice; done
age 1
prune --keep-versions 3
check_status 'three versions of each' 0
run manifesto history "$image" q
check_status 'are no failure of their signatures' 0

# --- content of a proposal, which no version names yet: whoever publishes it writes it again
machine second
manifesto key generate -q --no-passphrase three
manifesto key show three >three.pub
machine first
for store in directory layout bucket; do
	open_store $store
	run manifesto role add "$image" pair --key one --key three.pub --types pair --threshold 2
	check_status "$store: a role of two people" 0
	run manifesto put "$image" pair file.6 --key one --propose @
	check_status "$store: one proposes a record" 0
	run manifesto veto "$image" a --role pair --key one --reason 'not for us' --propose "veto.$store"
	check_status "$store: and a veto" 0
	check "$store: both contents are there" test "$(stored | grep -c '^targets/pair/')" = 2
	age 1
	prune -q
	check "$store: prune removes them" test -z "$(stored | grep '^targets/pair/')"
	manifesto trust export >pins.json
	id=$(manifesto proposal list --json "$image" | jq -r '.proposals[0].id')
	machine second
	manifesto trust import --force pins.json >/dev/null
	run manifesto proposal sign --yes --publish "$image" "$id"
	check_status "$store: the other one publishes the record" 0
	get_is "$store: it" file.6 "$image" pair
	check "$store: its content is there again" grep -qF "$(target file.6 pair)" <(stored)
	run manifesto proposal sign --yes "$image" "veto.$store"
	machine first
	run manifesto proposal sign --yes --publish "$image" "veto.$store"
	check_status "$store: the veto" 0
	check "$store: has its content again" test "$(stored | grep -c '^targets/pair/')" = 2
	all_there 'proposals'
done

# --- where the files are not ours
for url in "$NOTARY" "tuf+$STATIC/tuf"; do
	image=$REGISTRY/acme/elsewhere:1.0
	MANIFESTO_TRUST_SERVER=$url refused "prune at $url" 2 prune "${image%:*}"
done
check_stderr_has 'says where they can be pruned' 'hint: prune a directory'
machine mapped
manifesto trust map "$REGISTRY/copies/*" "$REGISTRY/acme/*" >/dev/null 2>&1 || t_bail 'a map'
MANIFESTO_TRUST_SERVER=tuf+file://$STATIC_DIR/tuf refused 'a name that another repository speaks for' 2 prune "$REGISTRY/copies/directory/app"
machine first
open_store bucket
AWS_ACCESS_KEY_ID='' AWS_SECRET_ACCESS_KEY='' refused 'a bucket without keys' 5 prune --older-than 1s --keep-versions 1 "$repository"

t_done
