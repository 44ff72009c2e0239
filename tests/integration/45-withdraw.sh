#!/bin/bash
# rm, withdraw and --reinstate: what readers see at their next run, who may lift a withdrawal, and that none is lost in a race.
. "$(dirname "$0")/../support/t.sh"
. "$T_TOP/tests/support/attack.sh"
. "$T_TOP/tests/support/job.sh"
. "$T_TOP/tests/support/team.sh"

lab registry notary s3
proxy N "$NOTARY"
printf 'second\0version\377' >second
printf 'third' >third
make_image layout >/dev/null
hex=
state_is() { # NAME STATE IMAGE TYPE
	check "$1" test "$(listed "$3" "[.records[] | select(.type == \"$4\") | .state]")" = "$2"
}

# --- one story on four kinds of repositories
reader_gets() { # NAME FILE: with a warm cache, on another machine
	machine reader
	get_is "$what: $1" "$2" "$image" qa-approval
	machine first
}
reader_refused() { # NAME STATUS TEXT
	machine reader
	refused "$what: $1" "$2" get "$image" qa-approval
	check_stderr_has "$what: $1: and says so" "$3"
	machine first
}
story() {
	run manifesto put --init --author Dana "$image" qa-approval "$approval"
	check_status "$what: put" 0
	local fingerprint digest
	digest=sha256:$(sum "$approval")
	fingerprint=$(sed -n 's/.*root key pinned on this machine: //p' "$T/stderr")
	machine reader
	run manifesto trust pin "$image" "$fingerprint"
	reader_gets 'a reader, whose cache is warm now' "$approval"

	# rm
	refused "$what: rm of what is not there" 3 rm "$image" nothing
	refused "$what: rm with a key that is not here" 11 rm --key nobody "$image" qa-approval
	run manifesto rm "$image" qa-approval
	check_status "$what: rm" 0
	check 'it says what is removed' grep -qE "^'qa-approval' of '[^']*@sha256:[0-9a-f]{64}' removed: $digest, signed by alice\$" "$T/stdout"
	check_stdout_has 'and where' 'in targets, version 3'
	reader_refused 'then it was never there' 3 "no 'qa-approval' record"
	refused "$what: rm once more" 3 rm "$image" qa-approval
	run manifesto list "$image"
	check_stdout_empty "$what: nothing is listed"
	run manifesto put "$image" qa-approval "$approval"
	reader_gets 'put again' "$approval"
	run manifesto rm --json "$image" qa-approval
	check_json "$what: rm --json" ".schema == \"manifesto/rm/v1\" and .role == \"targets\" and (.items | length) == 1
		and (.items[0].record | .digest == \"$digest\" and .type == \"qa-approval\" and .signers[0].name == \"alice\" and .state == \"current\")"
	run manifesto put "$image" qa-approval "$approval"

	# withdraw
	refused "$what: withdraw needs a reason" 2 withdraw "$image" qa-approval
	refused "$what: which says something" 2 withdraw --reason '  ' "$image" qa-approval
	refused "$what: withdraw of what is not there" 3 withdraw --reason x "$image" nothing
	run manifesto withdraw --author 'S. Ec' --reason 'CVE <1> & more' "$image" qa-approval
	check_status "$what: withdraw" 0
	check_stdout_has 'it says what' " withdrawn: $digest"
	check_stdout_lacks 'which is no veto' veto
	reader_refused 'get refuses it' 9 "'qa-approval' was withdrawn by 'targets' (key "
	check_stderr_has 'with the reason' ': CVE <1> & more'
	machine reader
	run manifesto get --json -o out "$image" qa-approval
	check_json "$what: get --json has another code than for what never was" '.error | .code == "withdrawn" and .exit == 9' "$T/stderr"
	check 'no file is made' test ! -e out
	run manifesto list "$image"
	check_status "$what: list" 0
	check_stdout_has 'the list has its state' ' withdrawn '
	check_stderr_has 'and the reason' "withdrawn by 'targets' at 20"
	run manifesto list --json "$image"
	check_json "$what: list --json has who, why, when and what" ".records | length == 1 and (.[0] | .state == \"withdrawn\" and .role == \"targets\"
		and .reason == \"CVE <1> & more\" and .author == \"S. Ec\" and (.signers | length) == 1 and (.created | startswith(\"20\"))
		and .withdrew == [\"$digest\"] and .digest != \"$digest\" and .mediaType == \"application/vnd.manifesto.withdrawn.v1+json\")"
	tombstone=$(jq -r '.records[0].digest' "$T/stdout")
	machine first
	run manifesto withdraw --reason 'CVE <1> & more' "$image" qa-approval
	check_status "$what: withdraw it twice" 0
	check_stdout_has 'nothing changes' 'was already withdrawn'
	check_stdout_lacks 'nothing is published' published
	for options in '' --force; do
		# shellcheck disable=SC2086 # no word, or one
		refused "$what: put $options does not lift it" 9 put $options "$image" qa-approval "$approval"
		check_stderr_has 'the way is named' 'put --reinstate'
	done
	refused "$what: nor does rm" 9 rm "$image" qa-approval
	check_stderr_has 'the way is named' 'rm --reinstate'
	refused "$what: nobody signs it" 9 sign --yes "$image" qa-approval
	reader_refused 'it still holds' 9 withdrawn
	"$1"

	# --reinstate
	run manifesto put --reinstate "$image" qa-approval second
	check_status "$what: put --reinstate" 0
	reader_gets 'lifts it' second
	run manifesto withdraw --json --reason again "$image" qa-approval
	check_json "$what: withdraw --json" ".schema == \"manifesto/withdraw/v1\" and .items[0].veto == false and .items[0].unchanged == false
		and .items[0].record.withdrew == [\"sha256:$(sum second)\"]"
	reader_refused 'withdrawn again' 9 again
	run manifesto rm --reinstate "$image" qa-approval
	check_status "$what: rm --reinstate" 0
	reader_refused 'lifts it, too' 3 "no 'qa-approval' record"
	run manifesto put "$image" qa-approval third
	refused "$what: rm --reinstate removes no record" 3 rm --reinstate "$image" qa-approval
	reader_gets 'which is still there' third
}

# The document of a withdrawal is stored like content; the withdrawn content is no longer named.
document_is() { # FILE
	check_json "$what: the document" ".v == 1 and .type == \"qa-approval\" and .role == \"targets\" and .reason == \"CVE %3C1%3E %26 more\"
		and .author == \"S. Ec\" and .withdrawn == [\"sha256:$(sum "$approval")\"] and (.signer | test(\"^[0-9a-f]{64}\$\")) and (.when | test(\"Z\$\"))
		and .subject == \"$subject\"" "$1"
}
in_layout() {
	document_is "app/blobs/sha256/${tombstone#sha256:}"
	check_same_file "$what: it is a target file" "app/blobs/sha256/${tombstone#sha256:}" \
		"app/trust/targets/qa-approval/${tombstone#sha256:}.sha256-${subject#sha256:}"
}
in_registry() {
	local repository=${image%:*}
	repository=http://${repository%%/*}/v2/${repository#*/}
	curl -s "$repository/blobs/$tombstone" >document
	document_is document
	check "$what: the referrers have its artifact alone" test "$(curl -s -H 'Accept: application/vnd.oci.image.index.v1+json' \
		"$repository/manifests/sha256-${subject#sha256:}" | jq '.manifests | length')" = 1
	curl -s -H 'Accept: application/vnd.oci.image.manifest.v1+json' "$repository/manifests/_manifesto" >catalogue
	check_json "$what: the catalogue has it, and not what it withdraws" "[.layers[].digest] == [\"$tombstone\"]" catalogue
}
what=layout image=oci:app:1.0
skopeo --insecure-policy copy --quiet oci:layout:1.0 oci:app:1.0 >/dev/null 2>&1
subject=$(jq -r '.manifests[0].digest' app/index.json)
story in_layout

what=notary image=$REGISTRY/acme/notary:1.0
export MANIFESTO_TRUST_SERVER=$NOTARY
subject=$(push_image oci:layout:1.0 "$image" 2>/dev/null)
hex=${subject#sha256:}
in_notary() {
	in_registry
	run_with document notary -s "$NOTARY" -d "$T/visitor" verify "${image%:*}" "qa-approval/sha256-$hex"
	check_status "$what: the notary program verifies the document" 0
}
story in_notary

what=bucket image=$REGISTRY/acme/bucket:1.0
export MANIFESTO_TRUST_SERVER=tuf+s3://$S3_BUCKET/tuf
push_image oci:layout:1.0 "$image" >/dev/null 2>&1
story in_registry

what=directory image=$REGISTRY/acme/directory:1.0
export MANIFESTO_TRUST_SERVER=tuf+file://$T/tuf
mkdir "$T/tuf"
push_image oci:layout:1.0 "$image" >/dev/null 2>&1
story in_registry
machine first
run manifesto rm "$image" qa-approval
curl -s -H 'Accept: application/vnd.oci.image.manifest.v1+json' "http://$REGISTRY/v2/acme/directory/manifests/_manifesto" >catalogue
check 'after rm the catalogue has no content' test "$(jq -c '[.layers[].digest] | map(select(. != "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"))' catalogue)" = '[]'
check 'nor the list of referrers' test "$(curl -s -H 'Accept: application/vnd.oci.image.index.v1+json' \
	"http://$REGISTRY/v2/acme/directory/manifests/sha256-$hex" | jq '.manifests // [] | length')" = 0

# --- platforms
make_image multi --index >/dev/null || t_bail 'an index'
run manifesto put --init --all-platforms oci:multi:1.0 qa-approval third
check_status 'put for all platforms' 0
run manifesto withdraw --platform linux/amd64 --reason 'this one' oci:multi:1.0 qa-approval
check_status 'withdraw for one' 0
refused 'that one is withdrawn' 9 get --platform linux/amd64 oci:multi:1.0 qa-approval
get_is 'the index is not' third oci:multi:1.0 qa-approval
run manifesto rm --all-platforms oci:multi:1.0 qa-approval
check_status 'rm for all refuses that' 9
get_is 'and removes none' third oci:multi:1.0 qa-approval
run manifesto withdraw --all-platforms --reason 'all of them' oci:multi:1.0 qa-approval
check_status 'withdraw for all' 0
refused 'the index as well' 9 get oci:multi:1.0 qa-approval
run manifesto rm --reinstate --all-platforms oci:multi:1.0 qa-approval
check_status 'lift all' 0
refused 'none is there' 3 get oci:multi:1.0 qa-approval
run manifesto put --platform linux/amd64 oci:multi:1.0 qa-approval third
run manifesto withdraw --json --all-platforms --reason 'as far as there are any' oci:multi:1.0 qa-approval
check_json 'of all platforms those with a record' '.items | length == 1 and .[0].record.platform == "linux/amd64"'
run manifesto put --platform linux/amd64 --reinstate oci:multi:1.0 qa-approval third
run manifesto sign --json --yes --all-platforms oci:multi:1.0 qa-approval
check_json 'sign' '.items | length == 1 and .[0].unchanged'
run manifesto rm --json --all-platforms oci:multi:1.0 qa-approval
check_json 'and rm' '.items | length == 1 and .[0].record.platform == "linux/amd64"'

# --- two teams on a Notary server: a veto
export MANIFESTO_TRUST_SERVER=$NOTARY
gun=$REGISTRY/acme/teams image=$gun:1.0
push_image oci:layout:1.0 "$image" >/dev/null 2>&1
make_collection "$gun"
make_people "$image" "$gun" alice bob carol dave
make_role "$gun" qa qa-approval/ alice bob
make_role "$gun" security qa-approval/ carol
as alice
run manifesto put "$image" qa-approval "$approval"
check_status 'alice of qa approves' 0
as dave
get_is 'dave reads it' "$approval" "$image" qa-approval
refused 'he cannot withdraw it' 11 withdraw --reason no "$image" qa-approval
refused 'nor remove it' 11 rm "$image" qa-approval
as carol
refused 'carol of security has none to remove' 3 rm "$image" qa-approval
check_stderr_has 'who has is named' targets/qa
run manifesto withdraw --reason CVE-2026-1 "$image" qa-approval
check_status 'she withdraws it' 0
check_stdout_has 'which is a veto' "veto: 'targets/security' holds no such record"
check_stdout_has 'of that content' "withdrawn: sha256:$(sum "$approval")"
as dave
refused 'dave reads it no more' 9 get "$image" qa-approval
check_stderr_has 'who and why is reported' "withdrawn by 'targets/security' (key "
run manifesto list --json "$image"
check_json 'he sees both' '[.records[] | "\(.role) \(.state)"] == ["targets/qa current", "targets/security withdrawn"]'
for options in '' --reinstate '--reinstate --force'; do
	as bob
	# shellcheck disable=SC2086 # words
	refused "bob cannot lift it: put $options" 9 put $options "$image" qa-approval second
	check_stderr_has 'who can is reported' "only a key of role 'targets/security'"
done
refused 'nor by rm' 3 rm --reinstate "$image" qa-approval
as alice
refused 'nor does alice sign what is withdrawn' 9 sign --yes "$image" qa-approval
run manifesto withdraw --reason 'qa agrees' "$image" qa-approval
check_status 'alice withdraws hers as well' 0
as carol
run manifesto rm --reinstate "$image" qa-approval
check_status 'carol lifts her veto' 0
as dave
refused "alice's still holds" 9 get "$image" qa-approval
check_stderr_has 'by qa' "withdrawn by 'targets/qa'"
as bob
run manifesto put --reinstate "$image" qa-approval "$approval"
check_status 'bob, of the same role, lifts it' 0
check_stderr_empty 'without a warning'
as dave
get_is 'dave reads it again' "$approval" "$image" qa-approval

# --- races: the upload of the first is held back until the second has published
fresh() {
	as bob
	manifesto put -q --reinstate "$image" qa-approval "$approval" >/dev/null 2>&1 || t_bail 'a fresh record'
}
for options in '' --force; do
	fresh
	# shellcheck disable=SC2086 # no word, or one
	as alice
	late manifesto put $options "$image" qa-approval second
	as bob
	run manifesto withdraw --reason meanwhile "$image" qa-approval
	check_status "a withdrawal while a put $options is under way" 0
	late_ends
	check_status 'the put is refused' 9
	as dave
	refused 'the withdrawal holds' 9 get "$image" qa-approval
done
fresh
as alice
late manifesto withdraw --reason late "$image" qa-approval
as bob
run manifesto put "$image" qa-approval second
check_status 'a put while a withdrawal is under way' 0
late_ends
check_status 'the withdrawal says that it was not of this record' 12
check_stderr_has 'and how to insist' --force
as dave
get_is 'the other record is there' second "$image" qa-approval
fresh
as alice
late manifesto withdraw --force --reason late "$image" qa-approval
as bob
run manifesto put "$image" qa-approval second
late_ends
check_status 'insisting' 0
as dave
refused 'it is withdrawn' 9 get "$image" qa-approval
fresh
as alice
late manifesto rm "$image" qa-approval
as bob
run manifesto put "$image" qa-approval second
late_ends
check_status 'rm of a record that changed meanwhile' 12
fresh
as alice
late manifesto rm --force "$image" qa-approval
as bob
run manifesto put "$image" qa-approval second
late_ends
check_status 'rm --force of it' 0
as dave
refused 'it is gone' 3 get "$image" qa-approval
fresh
as alice
late manifesto rm "$image" qa-approval
as bob
run manifesto rm "$image" qa-approval
late_ends
check_status 'rm of what was removed meanwhile' 0
fresh
as alice
late manifesto put "$image" qa-approval second
as carol
run manifesto withdraw --reason meanwhile "$image" qa-approval
check_status 'a veto while a put is under way' 0
late_ends
# Each role has its own file, so the two publishes need not conflict.
check_status 'the put of the other role succeeds' 0
check_stderr_has 'but says that it is withdrawn' "'qa-approval' is still withdrawn by 'targets/security'"
as dave
refused 'the veto holds' 9 get "$image" qa-approval
as carol
run manifesto rm --reinstate "$image" qa-approval

# Without a proxy: every reported success is true.
wrong=
for ((round = 0; round < 6; round++)); do
	fresh
	(as alice && manifesto put "$image" qa-approval second >"$T/put.out" 2>&1 </dev/null) &
	putter=$!
	as bob
	manifesto withdraw --reason "round $round" "$image" qa-approval >"$T/withdraw.out" 2>&1 </dev/null
	withdrawn=$?
	wait $putter
	stored=$?
	as dave
	run manifesto get "$image" qa-approval
	case "$withdrawn $stored $status" in
	'0 9 9' | '0 0 9' | '12 0 0') ;;
	*) wrong+=" $withdrawn/$stored/$status" ;;
	esac
done
check 'no withdrawal is lost in a race' test -z "$wrong"

t_done
