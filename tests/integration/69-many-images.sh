#!/bin/bash
# Releases of many images: put, sign, withdraw, rm and veto change the records of several images in one run. Each repository is
# published to once, all of its images are changed or none, repositories do not depend on each other, and every image gets its line.
. "$(dirname "$0")/../support/t.sh"
. "$T_TOP/tests/support/attack.sh"
. "$T_TOP/tests/support/job.sh"
unset MANIFESTO_PASSPHRASE

lab registry notary
proxy N "$NOTARY"
proxy R "http://$REGISTRY"
export MANIFESTO_TRUST_SERVER=http://$N
R=$R/acme
images=30
make_image layout >/dev/null
for ((i = 1; i <= images; i++)); do
	make_image layout --tag $i --seed $i >/dev/null
	push_image oci:layout:$i "$R/app:$i" >/dev/null
	[ $i -gt 3 ] || push_image oci:layout:$i "$R/web:$i" >/dev/null
done
make_image layout --tag index --index --seed index >/dev/null
push_image oci:layout:index "$R/app:index" >/dev/null
push_image oci:layout:2 "$R/app:also-2" >/dev/null
seq -f "$R/app:%g" 1 $images >list
echo '{"ok":true}' >yes.json
echo '{"ok":false}' >no.json

publishes() { # requests to the trust server that publish, since `forget_requests`
	jq -s '[.[] | select(.method == "POST" and (.path | endswith("/_trust/tuf/")))] | length' "$T/N.log"
}
forget_requests() {
	faults N
	faults R
}
published() { # NAME N
	check "$1" test "$(publishes)" = "$2"
}
# The most requests of a kind that were in progress together.
at_once() { # NAME METHOD PATH
	jq -s --arg m "$2" --arg p "$3" '[.[] | select(.method == $m and (.path | test($p))) | .active] | max // 0' "$T/$1.log"
}
version_of() { # IMAGE
	manifesto list --json "$1" 2>/dev/null | jq '.records[0].roleVersion // 0'
}

# --- the first put, to two new repositories, in one run
forget_requests
run manifesto put --init --no-passphrase "$R/app:1" "$R/web:1" "$R/app:2" "$R/app:also-2" "$R/web:2" "$R/app:1" qa yes.json
check_status 'the first put, to two new repositories' 0
check_line_count 'a line for each image and each repository' 8
for ((i = 1; i <= 6; i++)); do
	repository=app
	[ $i != 2 ] && [ $i != 5 ] || repository=web
	check "line $i is that of image $i" grep -q "^'qa' of '$R/$repository@sha256:.* stored at $(sha256sum yes.json | sed 's/^/sha256:/; s/ .*//')\$" <(sed -n ${i}p "$T/stdout")
done
check 'two names of one image have one record' test "$(sed -n 3p "$T/stdout")" = "$(sed -n 4p "$T/stdout")"
check 'two repositories were made' test "$(grep -c 'trust repository made' "$T/stderr")" = 2
published 'each was published to twice: made, and put' 4
get_is 'the first image' yes.json "$R/app:1" qa
get_is 'the last one' yes.json "$R/web:2" qa
run manifesto list --all --json "$R/app"
check_json 'no record twice' '.records | length == 2'

# --- 30 images
forget_requests
run manifesto put --images list qa yes.json
check_status '30 images of one repository' 0
check_line_count 'a line for each, and one for the repository' $((images + 1))
check_stdout_has 'what has the record has it' "is already stored at"
published 'one publish' 1
check 'the content went up once at most' test "$(jq -s '[.[] | select(.method == "PUT" and (.path | test("/blobs/uploads/")))] | length' "$T/R.log")" -le 3
check 'tags are resolved together' test "$(at_once R GET '/manifests/[0-9]+$')" -gt 4
check 'and not all at once' test "$(at_once R GET '/manifests/[0-9]+$')" -le 20
check 'artifact manifests are stored together' test "$(at_once R PUT /manifests/sha256)" -gt 4
get_is 'the last one has it' yes.json "$R/app:30" qa
forget_requests
run_with list manifesto put --json --images - qa yes.json
check_status 'again: nothing to publish' 0
published 'and nothing is published' 0
check_json 'one document, an image each, in the order given' ".schema == \"manifesto/put-images/v1\" and .exit == 0 and .changed == $images and
	.failed == 0 and [.images[].reference] == [range(1; $images + 1) | \"$R/app:\\(.)\"]"
check_json 'each says what the document for one image says' 'all(.images[]; .exit == 0 and .type == "qa" and .items[0].unchanged and
	.role == "targets" and .signer.name == "alice" and (.initialised | not) and .warnings == [])'
run_with list manifesto put -q - qa yes.json
check_status "IMAGE '-' is a list, too" 0
check_stdout_empty 'quiet'
head -1 list >one
run manifesto put --json --images one qa yes.json
check_json 'a list of one image is a list' '.schema == "manifesto/put-images/v1" and (.images | length) == 1'
run manifesto put --json "$R/app:1" qa yes.json
check_json 'one image is not' '.schema == "manifesto/put/v1" and (.items | length) == 1 and has("images") == false'

# --- all or nothing in a repository, each repository for itself
before=$(version_of "$R/app:1")
forget_requests
run manifesto put "$R/app:1" "$R/web:3" "$R/app:none" "$R/app:3" "$R/app:gone" qa no.json
check_status 'an image that is not there' 3
check_line_count 'only the other repository is changed' 2
check_stdout_has 'with its line' "'qa' of '$R/web@sha256:"
check 'each other image says why' test "$(grep -c "^manifesto: not changed '" "$T/stderr")" = 4
check_stderr_has 'the one that is not there' "not changed '$R/app:none': no image with tag 'none'"
check_stderr_has 'another that is not there' "not changed '$R/app:gone': no image with tag 'gone'"
check_stderr_has 'one that is' "not changed '$R/app:3': nothing was published to its repository, because of '$R/app:none'"
check_stderr_has 'and the sum' '4 of 5 images not changed'
published 'the other repository was published to' 1
check 'nothing of this one' test "$(version_of "$R/app:1")" = "$before"
get_is 'the record is the old one' yes.json "$R/app:1" qa
run manifesto put --json "$R/app:1" "$R/web:3" "$R/app:none" qa no.json
check_status 'the same with --json' 3
check_json 'each image with its status' '[.images[].exit] == [3, 0, 3] and .changed == 1 and .failed == 2 and .exit == 3 and
	.images[2].error.code == "not_found" and (.images[2] | has("items") | not)'
run manifesto withdraw --reason broken "$R/app:5" qa
check_status 'one is withdrawn' 0
run manifesto put "$R/app:none" "$R/app:4" qa no.json
check_status 'not there: 3' 3
run manifesto put "$R/app:4" "$R/app:5" "$R/web:1" "$R/nothing:1" qa no.json
check_status 'the gravest of a withdrawal and an image that is not there: 9' 9
check_stderr_has 'the withdrawal' "not changed '$R/app:5': 'qa' was withdrawn by 'targets'"
check_stderr_has 'its neighbour' "because of '$R/app:5'"
get_is 'a repository behind them is changed' no.json "$R/web:1" qa
get_is 'its neighbour is not' yes.json "$R/app:4" qa
run manifesto put --reinstate "$R/app:4" "$R/app:5" qa yes.json
check_status 'lifted' 0

# --- slips are found before anything is done
slip() { # NAME TEXT ARGUMENTS...
	local name=$1 text=$2
	shift 2
	forget_requests
	run manifesto "$@"
	check_status "$name: 2" 2
	check_stderr_has "$name: why" "$text"
	check "$name: no request" test ! -s "$T/N.log" -a ! -s "$T/R.log"
}
slip 'a malformed reference among others' "image 'Acme/App:1'" put "$R/app:1" Acme/App:1 qa yes.json
slip 'a type that is none' 'Qa' sign --yes "$R/app:1" "$R/app:2" Qa
slip 'no type' "'rm' takes 1 argument with --images" rm --images list
slip 'images beside a list' "'sign' takes 1 argument with --images" sign --yes --images list "$R/app:1" qa
slip 'an empty list' "names no image" put --images /dev/null qa yes.json
slip 'standard input twice' 'more than once' put --images - qa -
slip 'no reason' "needs '--reason TEXT'" withdraw --images list qa
slip 'a proposal of two repositories in one file' 'a proposal is for one repository, and the images are of 2' put --propose p.json "$R/app:1" "$R/web:1" qa no.json
check 'which is not written' test ! -e p.json

# --- one unlock, one question
fp() { # KEY
	manifesto key show --json "$1" | jq -r '.keys[0].fingerprint'
}
MANIFESTO_PASSPHRASE=secret run manifesto key generate bob
run manifesto role add -q "$R/app:1" release --types release --key "$(fp alice)" --key "$(fp bob)"
run manifesto role add -q "$R/web:1" release --types release --key "$(fp alice)" --key "$(fp bob)"
run manifesto put -q "$R/app:1" "$R/app:2" "$R/app:3" "$R/web:1" "$R/web:2" release yes.json
check_status 'records for two to sign' 0
forget_requests
run manifesto sign --yes --key bob --passphrase-cmd 'echo asked >>asked; echo secret' "$R/app:1" "$R/app:2" "$R/web:1" "$R/app:also-2" release
check_status 'signed by another key' 0
check_line_count 'a line each' 6
check_line_count 'the key is unlocked once' 1 asked
published 'each repository is published to once' 2
run manifesto list --json "$R/app:2"
check_json 'both signatures are there' '.records[] | select(.type == "release") | .signers | length == 2'
terminal() { # [PATTERN ANSWER]... -- COMMAND...
	run "$(t_python)" "$T_TOP/tests/cli/terminal.py" "$@"
}
forget_requests
terminal '[y/N]' 'n\n' -- manifesto sign --key bob --passphrase-cmd 'echo secret' "$R/app:2" "$R/app:3" "$R/web:2" release
check_status 'no' 1
check_stdout_has 'every record that lacks the signature was shown' 'Record 2 of 2:'
check 'with all that is signed' test "$(grep -c '^ *content  *sha256:' "$T/stdout") $(grep -c '^ *media type ' "$T/stdout")" = '2 2'
published 'no is for all' 0
terminal '[y/N]' 'y\n' -- manifesto sign --key bob --passphrase-cmd 'echo secret' "$R/app:2" "$R/app:3" "$R/web:2" release
check_status 'yes, once, in two repositories' 0
check 'asked once' test "$(grep -c 'y/N' "$T/stdout")" = 1
published 'both are published to' 2
run manifesto sign --yes "$R/app:1" "$R/app:9" release
check_status 'an image without a record' 3
check_stderr_has 'is named' "not changed '$R/app:9': role 'targets/release' has no 'release' record"
run manifesto sign --yes "$R/app:8" "$R/app:9" release
check_status 'two without' 3
check_stderr_has 'so are they' "no 'release' record for any of the images"

# --- one key a repository
run manifesto key generate -q --no-passphrase carol
run manifesto role add -q "$R/web:1" other --types other --key "$(fp bob)" --key "$(fp carol)"
run manifesto role add -q "$R/app:1" other --types other --key "$(fp alice)" --key "$(fp carol)"
run manifesto put -q --key carol "$R/app:1" "$R/web:1" other yes.json
check_status 'records of the same type in two repositories' 0
MANIFESTO_KEY=alice terminal '[y/N]' 'y\n' '[y/N]' 'y\n' -- manifesto sign --passphrase-cmd 'echo secret' --role other "$R/app:1" "$R/web:1" other
check_status 'two keys are two questions' 0

# --- withdraw, rm
forget_requests
# Uploads that the registry loses are begun again, one by one.
faults R '{"method":"PUT","path":"/blobs/uploads/","action":"status","status":404,"count":2}'
run manifesto withdraw --json --reason 'bad batch' --images list qa
check_status '30 are withdrawn' 0
check_json 'each with its record' ".schema == \"manifesto/withdraw-images/v1\" and (.images | length) == $images and
	all(.images[]; .items[0].record.state == \"withdrawn\" and .items[0].record.reason == \"bad batch\")"
published 'in one publish' 1
check 'their documents go up together' test "$(at_once R PUT /blobs/uploads/)" -gt 4
faults R
run manifesto get "$R/app:30" qa
check_status 'and are' 9
run manifesto repair "$R/app"
check_stdout_has 'nothing is missing' 'nothing to repair'
run manifesto withdraw --reason 'bad batch' "$R/app:1" "$R/app:index" qa
check_status 'an image that has no record' 3
check_stderr_has 'is named' "not changed '$R/app:index': no 'qa' record for sha256:"
forget_requests
run manifesto rm --images list qa
check_status 'withdrawals are not removed' 9
check 'each says so' test "$(grep -c "not changed '.*was withdrawn by" "$T/stderr")" = $images
published 'nothing is published' 0
run manifesto rm --reinstate --images list qa
check_status 'they are lifted' 0
check_line_count 'each' $((images + 1))
published 'in one publish' 1
run manifesto put -q "$R/app:1" "$R/app:2" "$R/web:1" qa yes.json
run manifesto rm "$R/app:1" "$R/web:1" "$R/app:7" qa
check_status 'rm of an image without a record' 3
get_is 'its repository keeps the others' yes.json "$R/app:1" qa
run manifesto get "$R/web:1" qa
check_status 'the other repository does not' 3

# --- all platforms
run manifesto put --all-platforms --json "$R/app:index" "$R/app:1" scan yes.json
check_status 'an index with its images, and an image' 0
check_json 'each with its own records' '[.images[].items | length] == [3, 1] and (.images[0].items | map(.platform) == [null, "linux/amd64", "linux/arm64"])'

# --- veto
run manifesto veto --reason 'stop' --role release --key bob --passphrase-cmd 'echo secret' --images list
check_status 'a veto on all' 0
check_line_count 'a line each' $((images + 1))
run manifesto veto --lift --role release --json --images one release
check_status 'nothing to lift on one type' 3
run manifesto veto --lift --role release --json --images list
check_status 'lifted from all' 0
check_json 'each' ".schema == \"manifesto/veto-images/v1\" and .changed == $images and all(.images[]; .items | length == 1)"
run manifesto veto --reason stop --role release --images list release more
check_status 'a word too many' 2

# --- proposals: one for a repository
run manifesto put --propose p.json "$R/app:1" "$R/app:2" "$R/app:3" qa no.json
check_status 'one proposal for three images' 0
check_stdout_has 'is made' 'Proposed, nothing is published yet: p.json'
run manifesto proposal show --json p.json
check_json 'with three records' '.proposal.records | map(.what) | sort == ["added", "replaced", "replaced"]'
run manifesto proposal publish p.json
check_status 'and published' 0
get_is 'the second of them' no.json "$R/app:2" qa
run manifesto put --propose @ "$R/app:1" "$R/web:1" "$R/web:2" qa yes.json
check_status 'beside the images of two repositories' 0
check 'there are two' test "$(grep -c '^Proposed' "$T/stdout")" = 2
run manifesto proposal list --json "$R/web:1"
check_json 'beside the first image of each' '.proposals | length == 1'

# --- somebody else was faster; a server that fails
repository_fails() { # NAME STATUS
	check_status "$1" "$2"
	check "$1: every image of the repository says why" test "$(grep -c "not changed '$R/web:" "$T/stderr")" = 2
	check_stdout_has "$1: the other repository is changed" "'fails' of '$R/app@"
}
faults N '{"method":"POST","path":"web/_trust/tuf/$","action":"status","status":500}'
run manifesto put --timeout 5 "$R/web:1" "$R/app:1" "$R/web:2" fails yes.json
repository_fails 'the trust server fails for one repository' 4
faults N

# --- a run that is killed: nothing that was reported is lost, and the next run completes
acknowledged() { # NAME: what the killed run said
	local lost=0 reference
	while read -r reference; do
		manifesto get "$reference" kill >/dev/null 2>&1 </dev/null || lost=$((lost + 1))
	done < <(sed -n "s/^'kill' of '\([^']*\)'.*/\1/p" "$T/kill.out")
	check "$1: nothing acknowledged is lost" test $lost = 0
}
for moment in '"R" "PUT" "/manifests/sha256"' '"R" "PUT" "/blobs/uploads/"' '"N" "POST" "app/_trust/tuf/$"' '"N" "POST" "web/_trust/tuf/$"'; do
	read -r proxy method path <<<"${moment//\"/}"
	faults "$proxy" "{\"method\":\"$method\",\"path\":\"$path\",\"action\":\"delay\",\"ms\":20000}"
	echo "$moment" >kill.txt
	manifesto put "$R/app:1" "$R/web:1" "$R/app:2" "$R/web:2" kill kill.txt >"$T/kill.out" 2>&1 </dev/null &
	pid=$!
	for ((i = 0; i < 200; i++)); do
		grep -q "\"$method\".*${path%\$}" "$T/$proxy.log" && break
		sleep 0.05
	done
	kill -9 $pid
	wait $pid 2>/dev/null
	faults "$proxy"
	acknowledged "killed at $method $path"
	[ "$path" != 'web/_trust/tuf/$' ] ||
		check 'what was published before is reported' grep -q "^'kill' of '$R/app@" "$T/kill.out"
	run manifesto put --timeout 60 "$R/app:1" "$R/web:1" "$R/app:2" "$R/web:2" kill kill.txt
	check_status "killed at $method $path: the next run completes" 0
	get_is "killed at $method $path: one image" kill.txt "$R/app:2" kill
	get_is "killed at $method $path: one of the other repository" kill.txt "$R/web:2" kill
done

# --- with --store, images of several repositories share one trust repository
run manifesto put --store "$R/store" --init "$R/app:1" "$R/web:2" "$R/web:1" qa yes.json
check_status 'images of two repositories, one store' 0
check_stdout_has 'each with its own name' "'qa' of '$R/web@sha256:"
check 'one publish' test "$(grep -c '^Signed by' "$T/stdout")" = 1
get_is 'and it is there' yes.json --store "$R/store" "$R/web:2" qa

# --- layouts
unset MANIFESTO_TRUST_SERVER
make_image other --tag 1 --seed other >/dev/null
run manifesto put --init --no-passphrase oci:layout:1 oci:other:1 oci:layout:2 oci:./layout:3 qa yes.json
check_status 'layouts' 0
check 'two spellings of one are one' test "$(grep -c '^Signed by' "$T/stdout")" = 2
run manifesto put oci:layout:1 oci:missing:1 oci:layout:2 qa no.json
check_status 'a layout that is not there' 3
check_line_count 'hinders no other one' 3

t_done
