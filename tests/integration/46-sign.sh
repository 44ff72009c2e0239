#!/bin/bash
# sign: what it shows and signs, that nothing else changes, and that no signature is lost.
. "$(dirname "$0")/../support/t.sh"
. "$T_TOP/tests/support/attack.sh"
. "$T_TOP/tests/support/job.sh"
. "$T_TOP/tests/support/team.sh"

lab registry notary s3
proxy N "$NOTARY"
make_image layout >/dev/null
terminal() { # [PATTERN ANSWER]... -- COMMAND...
	run "$(t_python)" "$T_TOP/tests/cli/terminal.py" "$@"
}
record() { # FILTER: of the qa-approval record, as eve sees it
	as eve
	run manifesto list --json "$image"
	jq -c ".records[] | select(.type == \"qa-approval\") | $1" "$T/stdout"
}
signers_are() { # NAME NUMBER
	check "$what: $1" test "$(record '.signers | length')" = "$2"
}
digest=sha256:$(sum "$approval")

# --- one story on four kinds of repositories: bob, carol, dave and eve read and sign for qa; frank has no role
story() {
	as alice
	machine first
	run manifesto put --init "$image" readme "$approval"
	check_status "$what: alice makes the repository" 0
	invite "$image" bob carol dave eve frank
	appoint "$image" qa qa-approval bob carol dave
	as bob
	run manifesto put --author 'Bob <b@example.com>' --reason 'all & tested' --annotation ticket=QA-1 "$image" qa-approval "$approval"
	check_status "$what: bob puts" 0
	local before created
	before=$(record 'del(.signers, .roleVersion, .roleExpires)')
	created=$(record .created)
	signers_are 'one signer' 1

	# shown, asked, refused
	as carol
	refused "$what: without a terminal" 2 sign "$image" qa-approval
	check_stderr_has 'the way is named' --yes
	terminal 'Sign it with key' 'n\n' -- manifesto sign "$image" qa-approval
	check_status "$what: a no" 1
	check_stdout_has 'is shown as one' 'was not signed'
	terminal 'Sign it with key' '\n' -- manifesto sign "$image" qa-approval
	check_status "$what: nothing is a no, too" 1
	CI=true terminal -- manifesto sign "$image" qa-approval
	check_status "$what: with CI set nobody is asked" 2
	signers_are 'nothing was signed' 1
	as carol
	terminal 'Sign it with key' 'y\n' "Passphrase for key 'carol'" "$MANIFESTO_PASSPHRASE\n" -- env -u MANIFESTO_PASSPHRASE manifesto sign "$image" qa-approval
	check_status "$what: a yes, and the passphrase" 0
	for text in "image      ${image%:*}" 'type       qa-approval' "content    $digest" "size       $(stat -c %s "$approval") bytes" 'media type application/json' \
		"created    ${created//\"/}" 'author     Bob <b@example.com>' 'reason     all & tested' 'annotation ticket=QA-1' 'signed by  ' \
		"Sign it with key 'carol' (ed25519 "; do
		check_stdout_has "$what: before the question it shows: ${text%% *}" "$text"
	done
	case $image in
	oci:*) ;;
	*) check_stdout_has "$what: and a member without a line of its own" 'member     artifact="sha256:' ;;
	esac
	signers_are 'two signers, at the next run of a reader with a warm cache' 2
	check "$what: nothing else of the record changed" test "$(record 'del(.signers, .roleVersion, .roleExpires)')" = "$before"
	as dave
	run manifesto sign --yes "$image" qa-approval
	check_status "$what: --yes for scripts" 0
	check 'it says what, and whose signatures there are' grep -qE "^'qa-approval' of '.*' signed at $digest, [0-9]+ bytes; signed by .*dave" "$T/stdout"
	check_stdout_has 'and where' 'qa, version '
	signers_are 'three signers' 3
	as dave
	run manifesto sign --yes --json "$image" qa-approval
	check_json "$what: once more changes nothing" '.schema == "manifesto/sign/v1" and .items[0].unchanged and (.items[0].record.signers | length) == 3'
	as frank
	refused "$what: frank may not sign" 11 sign --yes "$image" qa-approval
	refused "$what: nor in the role" 11 sign --yes --role qa "$image" qa-approval
	as carol
	refused "$what: no such record" 3 sign --yes "$image" nothing
	refused "$what: another role's type" 11 sign --yes "$image" readme
	as eve
	get_is "$what: eve reads it" "$approval" "$image" qa-approval

	# put over signatures
	as bob
	run manifesto put "$image" qa-approval "$approval"
	check_status "$what: put of another description" 0
	check_stderr_has 'the signatures that are lost are reported' 'replaced one with 2 signatures of others'
	signers_are 'one signer again' 1
	as carol
	run manifesto put "$image" qa-approval "$approval"
	check_status "$what: put of the same record" 0
	check_stdout_has 'adds a signature' 'signature added to those of others'
	check_stderr_empty 'nothing is lost'
	signers_are 'two signers by put' 2
	as carol
	run manifesto put --json "$image" qa-approval "$approval"
	check_json "$what: and once more nothing" '.items[0] | .unchanged and (.signatureAdded | not)'

	# all at once
	local round wrong='' pids person
	for round in 1 2 3; do
		as bob
		manifesto put -q --reason "round $round" "$image" qa-approval "$approval" 2>/dev/null || t_bail "$what: round $round"
		pids=()
		for person in carol dave; do
			(as $person && manifesto sign -q --yes "$image" qa-approval >"$T/$person.out" 2>&1 </dev/null) &
			pids+=($!)
		done
		for pid in "${pids[@]}"; do wait "$pid" || wrong+=" $(cat "$T"/*.out)"; done
		[ "$(record '.signers | length')" = 3 ] || wrong+=" round $round: $(record .signers)"
	done
	check "$what: two who sign at once are both there" test -z "$wrong"
}

what=layout image=oci:app:1.0
skopeo --insecure-policy copy --quiet oci:layout:1.0 oci:app:1.0 >/dev/null 2>&1
story

what=notary image=$REGISTRY/acme/notary:1.0
export MANIFESTO_TRUST_SERVER=$NOTARY
subject=$(push_image oci:layout:1.0 "$image" 2>/dev/null)
story
notary_in visitor list "${image%:*}" --roles targets/qa
check 'the notary program reads what many signed' grep -qE "^qa-approval/sha256-${subject#sha256:} .* targets/qa\$" "$T/stdout"

what=bucket image=$REGISTRY/acme/bucket:1.0
export MANIFESTO_TRUST_SERVER=tuf+s3://$S3_BUCKET/tuf
push_image oci:layout:1.0 "$image" >/dev/null 2>&1
story

what=directory image=$REGISTRY/acme/directory:1.0
export MANIFESTO_TRUST_SERVER=tuf+file://$T/tuf
mkdir "$T/tuf"
push_image oci:layout:1.0 "$image" >/dev/null 2>&1
story
export MANIFESTO_TRUST_SERVER=$NOTARY

# --- only what was shown is signed: the upload of one is held back until the other has published
image=$REGISTRY/acme/notary:1.0 what=late
fresh() { # a record that bob alone has signed
	as bob
	manifesto put -q --reason "again $RANDOM" "$image" qa-approval "$approval" >/dev/null 2>&1 || t_bail 'a fresh record'
}
fresh
as carol
late manifesto sign --yes "$image" qa-approval
as dave
run manifesto sign --yes "$image" qa-approval
check_status 'dave signs while carol does' 0
late_ends
check_status 'carol has signed as well' 0
check_stdout_has 'beside dave' 'signed by '
signers_are 'all three' 3
fresh
as carol
printf 'another' >another
late manifesto sign --yes "$image" qa-approval
as bob
run manifesto put "$image" qa-approval another
check_status 'bob puts another while carol signs' 0
late_ends
check_status 'carol has not signed that' 12
check_stderr_has 'which is reported' 'nothing was signed'
signers_are 'bob alone' 1
fresh
as carol
late manifesto sign --yes "$image" qa-approval
as bob
run manifesto withdraw --reason meanwhile "$image" qa-approval
late_ends
check_status 'a record that is withdrawn meanwhile is not signed' 9
as bob
run manifesto put --reinstate "$image" qa-approval "$approval"

# --- content that is gone, though it is cached; entries of other programs
as carol
get_is 'carol reads it' "$approval" "$image" qa-approval
find "$LAB" -path "*/acme/notary/_layers/sha256/${digest#sha256:}/link" -delete
get_is 'the cache has it still' "$approval" "$image" qa-approval
refused 'but who signs wants it there' 13 sign --yes "$image" qa-approval
gun=$REGISTRY/acme/theirs image=$gun:1.0
push_image oci:layout:1.0 "$image" >/dev/null 2>&1
make_collection "$gun"
make_people "$image" "$gun" gina
make_role "$gun" qa qa-approval/ gina
cp gina.key gina-role.key
sed -i 's/-----BEGIN PRIVATE KEY-----/&\nrole: targets\/qa\n/' gina-role.key
notary_in owner key import gina-role.key
notary_in owner add -p --roles targets/qa "$gun" "qa-approval/sha256-${subject#sha256:}" "$approval"
check_status 'the notary program makes an entry' 0
as gina
refused 'it has nothing to sign' 9 sign --yes "$image" qa-approval
check_stderr_has 'the hint has the next step' "'manifesto put'"

t_done
