#!/bin/bash
# Proposals of changes in a role that is spread over shards: what is shown and signed is the role, whatever files it has.
. "$(dirname "$0")/../support/t.sh"
. "$T_TOP/tests/support/job.sh"
. "$T_TOP/tests/support/notary.sh"

kinds=${SHARD_PROPOSALS_ON:-directory notary}
ln -sf "${T_MANIFESTO%/*}/tests/support/manifesto-few" bin/manifesto
lab registry notary
for i in one two three; do
	echo "$i" >"$i"
done
for i in {1..10}; do
	make_image layout --tag "$i" --seed "$i" >/dev/null
done

person() { # NAME
	machine "$1"
	export MANIFESTO_KEY=$1
}
for name in bob carol dave; do
	person "$name"
	manifesto key generate "$name" >/dev/null
	manifesto key show "$name" >"$name.pub"
done
# The files of a proposal, shards as their digits.
files() { # FILE
	jq -r '[.files[].role | sub("^targets/"; "") | sub("qa.*_h"; "")] | join(" ")' "$1"
}
# Changes a member of a proposal.
forge() { # FILE FILTER [jq options]
	local file=$1 filter=$2
	shift 2
	jq "$@" -c "$filter" "$file" >forged.json
}
digits() { # NUMBER [HOW MANY]: of the subject of an image
	skopeo inspect --raw "oci:layout:$1" | sha256sum | cut -c "-${2:-1}"
}
record_is() { # NAME FILE IMAGE
	get_is "$1" "$2" "$3" approval
}

repository() { # NAME: with seven images
	local i
	base=$REGISTRY/acme/$1
	rm -f ./*.json
	for i in {1..7}; do
		push_image "oci:layout:$i" "$base:$i" >/dev/null 2>&1
	done
	person alice
	run manifesto put -q --init "$base:1" notes one
	check_status "$1: the first record" 0
	manifesto trust export >pins.json
	for name in bob carol dave; do
		person "$name"
		manifesto trust import --force pins.json >/dev/null
	done
}
# A proposal of the record of one image, in a file.
propose() { # FILE NUMBER CONTENT [options]
	rm -f "$1"
	run manifesto put "$base:$2" approval "$3" --propose "$1" "${@:4}"
	check_status "$1: a record of image $2 is proposed" 0
}
publishes() { # FILE
	run manifesto proposal sign --yes --publish "$base:1" "$1"
	check_status "$1 is signed and published" 0
}

# ---- a role of one key, which is divided
one_key() { # NAME
	local i id
	repository "$1"
	person alice
	run manifesto role add "$base:1" qa --key bob.pub --key carol.pub --types approval,a,b,c,d,e
	check_status 'a role of one of two' 0
	person bob
	for i in {1..6}; do
		manifesto put -q "$base:$i" approval one || not_ok "put $i"
	done

	propose p.json 1 two --force
	check 'the proposal has the shard alone' test "$(jq '.files | length' p.json)" = 1
	check '... under its name' test "$(files p.json)" = "$(digits 1)"
	record_is 'nothing is published yet' one "$base:1"
	person carol
	run manifesto proposal show --json "$base:1" p.json
	check_json 'what is replaced is shown' '.proposal | .state == "ready" and (.records | length) == 1 and (.records[0] | .what == "replaced" and .record.type == "approval" and .before.type == "approval")'
	check_json 'the file is that of the role' '.proposal.files | length == 1 and (.[0].role | endswith("qa")) and (.[0].signers | length) == 1 and (.[0].keys | length) == 2 and .[0].missingSignatures == 0'
	run manifesto proposal publish "$base:1" p.json
	check_status 'it is published' 0
	record_is 'it can be read' two "$base:1"
	run manifesto proposal publish "$base:1" p.json
	check_stdout_has 'a second time there is nothing to do' 'the repository is already so'

	# A withdrawal and its record lie in two files.
	person bob
	rm -f w.json
	run manifesto withdraw "$base:2" approval --reason 'CVE-2026-1' --propose w.json
	check_status 'a withdrawal is proposed' 0
	check '... it has the shard and the role' test "$(jq '.files | length' w.json)" = 2
	person carol
	run manifesto proposal show --json "$base:2" w.json
	check_json '... shown as one' '.proposal | (.files | length) == 1 and (.records | length) == 1 and .records[0].record.reason == "CVE-2026-1" and .records[0].before.type == "approval"'
	run manifesto proposal publish "$base:2" w.json
	check_status '... and published' 0
	refused '... the record is withdrawn' 9 get "$base:2" approval

	# Beside the image: several images, a further signature, a removal.
	person bob
	printf '%s\n' "$base:3" "$base:4" "$base:5" >images
	run manifesto put --images images --force approval three --propose @
	check_status 'records of three images are proposed beside the first' 0
	person carol
	id=$(manifesto proposal list --json "$base:3" | jq -r '.proposals[0].id')
	run manifesto proposal sign --yes --publish "$base:3" "${id:0:12}"
	check_status '... and published' 0
	for i in 3 4 5; do
		record_is "... image $i" three "$base:$i"
	done
	run manifesto sign "$base:3" approval --yes --propose s.json
	check_status 'a further signature of a record is proposed' 0
	run manifesto proposal publish "$base:3" s.json
	check_status '... and published' 0
	run manifesto verify --require 'approval=2 of qa' "$base:3"
	check_status '... two people have signed the record' 0
	run manifesto rm "$base:5" approval --propose r.json
	check_status 'a removal is proposed' 0
	run manifesto proposal publish "$base:5" r.json
	check_status '... and published' 0
	refused '... the record is gone' 3 get "$base:5" approval
	person alice
	run manifesto list --all --json "$base"
	check_json 'all others are there' '[.records[] | select(.type == "approval" and .state == "current")] | length == 4'
}

# Whatever became of the files since, and whatever somebody writes into a proposal: nobody publishes what was not signed.
# shellcheck disable=SC2016 # variables of jq
hostile() { # NAME: the repository of one_key
	local one more
	base=$REGISTRY/acme/$1
	person bob
	printf '%s\n' "$base:1" "$base:3" >images
	rm -f two.json
	run manifesto put --images images --force approval two --propose two.json
	check_status 'records in two shards are proposed' 0
	check '... two files' test "$(files two.json)" = "$(printf '%s\n' "$(digits 1)" "$(digits 3)" | sort | paste -sd' ')"
	person carol
	forge two.json '.files |= [.[0]]'
	run manifesto proposal show --json "$base:1" forged.json
	check_json 'without one of them: that is missing' '.proposal | .moved and .missingSignatures == 1'
	refused '... and is not published' 11 proposal publish "$base:1" forged.json
	forge two.json '.files += [.files[0] | .role |= sub(".$"; "x")]'
	run manifesto proposal show --json "$base:1" forged.json
	check_json 'with one more: its signature is dropped' '.proposal | .moved and .droppedSignatures == 1 and (.files | length) == 1'
	forge two.json '.files[0] as {role: $first} | .files[0].role = .files[1].role | .files[1].role = $first'
	run manifesto proposal show --json "$base:1" forged.json
	check_json 'one in place of the other: both signatures are dropped' '.proposal | .moved and .droppedSignatures == 2 and .missingSignatures == 1'
	refused '... and nothing is published' 11 proposal publish "$base:1" forged.json
	forge two.json '(.files[1] | {signed, signatures}) as $other | .files[0] += $other'
	refused 'the octets of one in place of the other' 6 proposal publish "$base:1" forged.json
	forge two.json '.files[0].role |= sub(".$"; "x")'
	refused 'one under a name that is not that of a shard' 11 proposal publish "$base:1" forged.json
	# A shard as a role of its own would be made anew, without the records that it has.
	run manifesto put "$base:1" c one --propose own.json
	forge own.json '.intent.role = .files[0].role | .files[0].signatures = [] | .files[0].base.sha256 |= "sha256:" + .[8:] + .[7:8]'
	refused 'a shard as a role of its own is not shown' 6 proposal show "$base:1" forged.json
	check_stderr_has '... and why' "is a shard, which changes with its role"
	refused '... not signed' 6 proposal sign --yes --publish "$base:1" forged.json
	refused '... and not published' 6 proposal publish "$base:1" forged.json
	for i in 1 3; do
		get_is "image $i has the record that it had" "$([ "$i" = 1 ] && echo two || echo three)" "$base:$i" approval
	done

	# One of the records is there already: what is left was signed.
	person bob
	rm -f part.json
	run manifesto rm --images images approval --propose part.json
	check_status 'the removal of two records' 0
	person carol
	manifesto put -q "$base:3" a one || not_ok 'put'
	manifesto rm -q "$base:3" approval || not_ok 'rm'
	run manifesto proposal show --json "$base:1" part.json
	check_json 'one of them is gone already: what is left was signed' '.proposal | .moved and .droppedSignatures == 1 and .missingSignatures == 0 and (.records | length) == 1'
	run manifesto proposal publish "$base:1" part.json
	check_status '... and is published' 0
	refused '... which removes it' 3 get "$base:1" approval
	for i in 1 3; do
		manifesto put -q "$base:$i" approval one || not_ok "put $i"
	done

	# Another record of a shard is changed.
	propose late.json 3 two --force
	manifesto put -q "$base:3" b one || not_ok 'put'
	refused 'another record of the shard has changed since' 11 proposal publish "$base:3" late.json
	check_stderr_has '... which is said' 'somebody has published since'
	run manifesto proposal sign --yes --publish --json "$base:3" late.json
	check_json '... it is applied to what is there, and signed again' '.published and .proposal.droppedSignatures == 1'
	record_is '... and is there' two "$base:3"

	# The shard is divided.
	propose late.json 3 three --force
	for more in c d; do
		manifesto put -q "$base:3" $more one || not_ok 'put'
	done
	run manifesto proposal show --json "$base:3" late.json
	check_json 'the shard was divided since: its signature is dropped' '.proposal | .moved and .droppedSignatures == 1 and .missingSignatures == 1'
	refused '... and nothing is published' 11 proposal publish "$base:3" late.json
	publishes late.json
	record_is '... before it is signed again' three "$base:3"
	check '... as the file of the part' test "$(files late.json)" = "$(digits 3 3)"

	# The proposal divides the shard.
	one=$(digits 1)
	for more in a b c; do
		manifesto put -q "$base:1" $more one || not_ok 'put'
	done
	rm -f divides.json
	run manifesto put "$base:1" e one --propose divides.json
	check_status 'a record is proposed that divides a shard' 0
	check '... it has the shard, its parts and the role' test "$(files divides.json)" = "$(
		printf '%s ' "$one"
		for more in {0..9} {a..f}; do
			[ "$one$more" = "$(digits 1 2)" ] || printf '%s ' "$one$more"
		done
		printf "$(digits 1 2)%s " {0..9} {a..f}
	)qa"
	run manifesto proposal show --json "$base:1" divides.json
	check_json '... and is shown as one record and one file' '.proposal | (.files | length) == 1 and (.records | length) == 1 and .records[0].record.type == "e" and .changes == [] and .state == "ready"'
	forge divides.json 'del(.files[1])'
	refused '... without a part it is not published' 11 proposal publish "$base:1" forged.json
	run manifesto proposal publish "$base:1" divides.json
	check_status '... it is published' 0
	for more in approval a b c e; do
		run manifesto get "$base:1" $more
		check_status "... $more is there" 0
	done
}

# What is shown of a proposal that changes several files of a role.
shown() { # NAME: the repository of one_key
	local i early
	base=$REGISTRY/acme/$1
	person bob
	printf '%s\n' "$base:4" "$base:5" >images
	rm -f two.json
	run manifesto put --images images --force approval two --propose two.json
	check_status 'records in two shards are proposed once more' 0
	check '... two files' test "$(jq '.files | length' two.json)" = 2
	person carol
	early=$(date -u -d '+1 day' +%FT%TZ)
	for i in 0 1; do
		# shellcheck disable=SC2016 # variables of jq
		forge two.json '.files[$i] |= (.expires = $early | .signatures = [] | .signed |= (@base64d | sub("\"expires\":\"[^\"]*\""; "\"expires\":\"\($early)\"") | @base64))' \
			--argjson i "$i" --arg early "$early"
		run manifesto proposal show --json "$base:4" forged.json
		check_json "file $((i + 1)) expires first: that is shown" ".proposal | (.moved | not) and (.files | length) == 1 and .files[0].expires == \"$early\""
	done

	# One of the two files is published alone, as it was signed.
	# shellcheck disable=SC2016 # variables of jq
	forge two.json '.files |= .[:1] | (.files[0].role | sub(".*_h"; "sha256-")) as $subject | .intent.edits |= map(select(.name | contains($subject)))'
	run manifesto proposal publish "$base:4" forged.json
	check_status 'one of two files is published' 0
	run manifesto proposal show --json "$base:4" two.json
	check_json '... which takes nothing from the other one' '.proposal | (.moved | not) and .droppedSignatures == 0 and .state == "ready" and (.records | length) == 1'
	run manifesto proposal publish "$base:4" two.json
	check_status '... which is published as well' 0
	for i in 4 5; do
		record_is "... image $i" two "$base:$i"
	done

	# A shard is divided in which a record is replaced.
	check 'two images of one shard' test "$(digits 6)" = "$(digits 7)"
	person bob
	for i in a b c; do
		manifesto put -q "$base:6" "$i" one || not_ok "put $i"
	done
	printf '%s\n' "$base:6" "$base:7" >images
	rm -f divides.json
	run manifesto put --images images --force approval two --propose divides.json
	check_status 'two records are proposed that divide their shard' 0
	run manifesto proposal show --json "$base:6" divides.json
	check_json '... and are shown as what they replace and add' '.proposal | ([.records[].what] | sort) == ["added", "replaced"] and .changes == []'
	run manifesto proposal publish "$base:6" divides.json
	check_status '... and published' 0
}

# A proposal of too many files: each record is the fifth one of its image, and divides the shard twice.
too_large() { # NAME: a repository of one_key
	local i url=$REGISTRY/v2/acme/$1/blobs/sha256:
	base=$REGISTRY/acme/$1
	for i in {8..10}; do
		push_image "oci:layout:$i" "$base:$i" >/dev/null 2>&1
	done
	person alice
	run manifesto role add "$base:1" large --key bob.pub --types l1,l2,l3,l4,l5
	check_status 'a further role' 0
	person bob
	printf '%s\n' "$base:"{1..10} >images
	for i in l1 l2 l3 l4; do
		manifesto put -q --images images "$i" one || not_ok "put $i"
	done
	echo large >large
	refused 'a proposal of too many files' 2 put --images images l5 large --propose large.json
	check_stderr_has '... is refused, which is said' 'more than 256 files'
	check '... not written' test ! -e large.json
	check '... and its content is not stored' test "$(registry_get "$url$(sum large)")" = 404
	run manifesto put "$base:2" l5 large --propose large.json
	check_status '... that of one record has fewer' 0
	check '... and its content is stored' test "$(registry_get "$url$(sum large)")" = 200
}

# ---- a role that two of three sign

# The file of a role or shard as the server has it.
served() { # NAME
	case $MANIFESTO_TRUST_SERVER in
	tuf+file:*) cat "$(find trust -name "*.$1.json" | sort -V | tail -1)" ;;
	*) curl -sf "$NOTARY/v2/$base/_trust/tuf/targets/${1/._h//_h}.json" ;;
	esac
}
# How the role lists its shards, and the fewest signatures of its files.
thresholds() {
	local shard
	printf '%s ' "$(served qa | jq -r '[.signed.delegations.roles[] | select(.name | contains("_h")).threshold] | unique | join("+")')"
	for shard in qa qa._h{{0..9},{a..f}}; do
		served "$shard" | jq '.signatures | length'
	done | sort -n | head -1
}
records_are() { # NAME CONTENT NUMBER...: read by one who has nothing yet
	local name=$1 content=$2 i
	shift 2
	person rita
	rm -rf "$MANIFESTO_HOME" "$XDG_CACHE_HOME"
	manifesto trust import pins.json >/dev/null
	for i in "$@"; do
		record_is "$name: image $i" "$content" "$base:$i"
	done
}
signs() { # NAME FILE
	person "$1"
	run manifesto proposal sign --yes "$base:1" "$2"
	check_status "$1 signs $2" 0
}

# The role of one_key gets a threshold of two: those who hold its keys sign all of its files.
second_key() { # NAME
	base=$REGISTRY/acme/$1
	person alice
	refused 'two must sign' 11 role add "$base:1" qa --threshold 2
	run manifesto role add "$base:1" qa --threshold 2 --propose two-keys.json
	check_status '... by proposal' 0
	check '... all files' test "$(jq '[.files[].role | select(contains("_h"))] | length' two-keys.json)" -ge 16
	signs bob two-keys.json
	refused '... of which one signature is not enough' 11 proposal publish "$base:1" two-keys.json
	signs carol two-keys.json
	person alice
	run manifesto proposal publish "$base:1" two-keys.json
	check_status '... two are' 0
	for name in approval a b c e; do
		run manifesto get "$base:1" $name
		check_status "... $name is there" 0
	done
	check '... and no shard has fewer' test "$(served qa | jq '[.signed.delegations.roles[] | select(.name | contains("_h")).threshold] | unique' -c)" = '[2]'
	person bob
	refused 'one key signs no record any more' 11 put --force "$base:1" approval three
}

several_keys() { # NAME
	local id name
	repository "$1"
	person alice
	run manifesto role add "$base:1" qa --key bob.pub --key carol.pub --key dave.pub --types approval,a,b --threshold 2
	check_status 'a role of two of three' 0
	person bob
	propose first.json 1 one
	person carol
	publishes first.json
	person bob
	printf '%s\n' "$base:"{2..6} >images
	run manifesto put --images images approval one --propose all.json
	check_status 'five records at once' 0
	check '... are a division' test "$(jq '.files | length' all.json)" = 17
	refused 'which one of them does not publish' 11 proposal publish "$base:1" all.json
	person carol
	run manifesto proposal show --json "$base:1" all.json
	check_json '... and is shown as one file and five records' '.proposal | (.files | length) == 1 and (.files[0] | .missingSignatures == 1 and .threshold == 2 and (.keys | length) == 3 and (.signers | length) == 1) and (.records | length) == 5 and .changes == []'
	for name in carol dave; do
		(person "$name" && manifesto proposal sign --yes "$base:1" all.json >"$name.out" 2>&1) &
	done
	wait
	check 'two who sign it at once lose nothing' test "$(jq -c '[.files[].signatures | length] | unique' all.json)" = '[3]'
	jq -c '.files[3].signatures |= .[:1]' all.json >forged.json
	run manifesto proposal show --json "$base:1" forged.json
	check_json 'one signature too few on a shard is missed' '.proposal | .missingSignatures == 1 and (.files[0].signers | length) == 1'
	refused '... and nothing is published' 11 proposal publish "$base:1" forged.json
	signs carol forged.json
	run manifesto proposal show --json "$base:1" forged.json
	check_json '... until she has signed that, too' '.proposal | .missingSignatures == 0 and .state == "ready" and (.files[0].signers | length) == 2'
	run manifesto proposal publish "$base:1" all.json
	check_status 'it is published' 0
	check 'the shards have the threshold of their role' test "$(thresholds)" = '2 3'
	records_are 'a division' one {1..6}
	person alice
	run manifesto role add "$base:1" qa --threshold 3
	check_status 'a threshold that all files meet' 0
	check_stderr_has '... is not that of the list for other programs, which is said' 'other programs accept records'
	run manifesto role add -q "$base:1" qa --threshold 2
	if [[ $MANIFESTO_TRUST_SERVER != tuf+file:* ]]; then
		notary_in cli list "$base"
		check_status 'the notary program reads the shards' 0
		check '... all of them' test "$(grep -c '^approval/sha256-' stdout)" = 6
	fi

	# Beside the image, of one shard.
	person bob
	refused 'one of three' 11 put --force "$base:2" approval two
	check_stderr_has '... is told what to do' "--propose @"
	run manifesto put --force "$base:2" approval two --propose @
	check_status 'a record is proposed beside its image' 0
	person dave
	id=$(manifesto proposal list --json "$base:2" | jq -r '.proposals[0].id')
	run manifesto proposal sign --yes --publish "$base:2" "${id:0:12}"
	check_status '... signed and published' 0
	records_are 'one shard' two 2
	person bob
	for name in a b; do
		manifesto put -q "$base:3" $name one --propose "new-$name.json" || not_ok "propose $name"
	done
	signs carol new-a.json
	signs carol new-b.json
	run manifesto proposal publish "$base:3" new-a.json
	check_status 'one of two proposals of one shard' 0
	refused '... the other one must be signed again' 11 proposal publish "$base:3" new-b.json
	check_stderr_has '... which is said' '2 signatures no longer fit'
	signs dave new-b.json
	signs carol new-b.json
	run manifesto proposal publish "$base:3" new-b.json
	check_status '... and is published then' 0
}

# Keys and threshold of the role of several_keys, by proposal: all of its files are signed by those who are asked for.
other_keys() { # NAME
	local id
	base=$REGISTRY/acme/$1
	person alice
	refused 'three must sign' 11 role add "$base:1" qa --threshold 3
	run manifesto role add --json "$base:1" qa --threshold 3 --propose three.json
	check_json '... by proposal' '(.changes | map(.what)) == ["threshold", "signed anew"] and .missingSignatures == 3'
	check '... of all files that three have not signed' test "$(jq '.files | length' three.json)" -gt 2
	signs bob three.json
	signs carol three.json
	refused '... two do not publish it' 11 proposal publish "$base:1" three.json
	jq -c '(.files[] | select(.role | test("_h")).signatures) |= .[:1]' three.json >forged.json
	signs dave three.json
	run manifesto proposal show --json "$base:1" three.json
	check_json '... all of it is shown' '.proposal | .state == "ready" and ([.changes[] | .what] | sort) == ["signed anew", "threshold"] and (.files | length) == 2'
	refused '... shards that two have not signed are not published' 11 proposal publish "$base:1" forged.json
	run manifesto proposal publish "$base:1" three.json
	check_status '... three do' 0
	check 'the shards have that threshold' test "$(thresholds)" = '3 3'
	records_are 'three' one 1 3 4 5 6

	person alice
	run manifesto role remove "$base:1" qa --key dave.pub --propose none.json
	check_status 'a key cannot go below the threshold' 2
	run manifesto role add "$base:1" qa --threshold 2
	check_status 'two are enough again' 0
	person bob
	propose dave.json 1 one --force
	person dave
	publishes dave.json
	person alice
	refused 'what the leaver has signed must be signed again' 11 role remove "$base:1" qa --key dave.pub
	run manifesto role remove --json "$base:1" qa --key dave.pub --propose leaver.json
	check_status 'one of three leaves' 0
	check '... with the shard and the role' test "$(jq '[.files[].role | select(contains("qa"))] | length' leaver.json)" = 2
	signs bob leaver.json
	refused '... by two' 11 proposal publish "$base:1" leaver.json
	signs carol leaver.json
	person alice
	run manifesto proposal publish "$base:1" leaver.json
	check_status '... which is published' 0
	records_are 'without the leaver' one 1 3 4 5 6
	person dave
	refused 'he proposes nothing any more' 11 put --force "$base:2" approval three --propose no.json
	person bob
	run manifesto role sign "$base:1" qa --propose anew.json
	check_status 'the role is signed again' 0
	check '... with all files' test "$(jq '.files | length' anew.json)" = 17
	signs carol anew.json
	run manifesto proposal publish "$base:1" anew.json
	check_status '... by two' 0
	check 'they alone have signed all files' test "$(thresholds)" = '2 2'
	check '... and their keys alone are listed' test "$(served qa | jq '[.signed.delegations.roles[].keyids[]] | unique | length')" = 2
	records_are 'signed again' one 1 3 4 5 6
}

# The key of targets, which is divided, is replaced by one that is on another machine.
other_targets() { # NAME: of the repository of several_keys
	base=$REGISTRY/acme/$1
	person alice
	for i in {2..6}; do
		manifesto put -q "$base:$i" notes two || not_ok "put $i"
	done
	run manifesto put "$base:2" memo one --propose memo.json
	check_status 'a record of a type that no shard has is proposed' 0
	check '... with the paths of the shards' test "$(jq '.files | length' memo.json)" = 2
	run manifesto proposal show --json "$base:2" memo.json
	check_json '... and is shown as a record' '.proposal | (.records | length) == 1 and .records[0].record.type == "memo" and .changes == []'
	run manifesto trust rotate "$base:1" targets --key bob.pub --propose rotate.json
	check_status 'another key of targets is proposed' 0
	check '... all of its files' test "$(jq '[.files[] | select(.role | test("^targets([._/]+h.)?$"))] | length' rotate.json)" = 17
	refused '... which this machine cannot publish alone' 11 proposal publish "$base:1" rotate.json
	signs bob rotate.json
	run manifesto proposal publish "$base:1" rotate.json
	check_status '... is published' 0
	person rita
	rm -rf "$MANIFESTO_HOME" "$XDG_CACHE_HOME"
	manifesto trust import pins.json >/dev/null
	for i in {2..6}; do
		get_is "the notes of image $i" two "$base:$i" notes
	done
}

for kind in $kinds; do
	case $kind in
	directory)
		export MANIFESTO_TRUST_SERVER=tuf+file://$T/trust
		mkdir -p trust
		;;
	notary) export MANIFESTO_TRUST_SERVER=$NOTARY ;;
	esac
	echo "# on $MANIFESTO_TRUST_SERVER"
	one_key "$kind-one"
	hostile "$kind-one"
	shown "$kind-one"
	too_large "$kind-one"
	second_key "$kind-one"
	several_keys "$kind-several"
	other_keys "$kind-several"
	other_targets "$kind-several"
done
t_done
