#!/bin/bash
# Who leaves: each record that stops counting with a key or a role is named, before and after, and history keeps it.
. "$(dirname "$0")/../support/t.sh"
. "$T_TOP/tests/support/job.sh"

lab registry notary
make_image layout >/dev/null
printf 'second\0version\377' >second
for name in sam sue; do
	machine "$name"
	run manifesto key generate "$name"
	manifesto key show "$name" >"$name.pub"
done
person() { # NAME
	machine "$1"
	export MANIFESTO_KEY=$1
}
events() { # FILE: of history, without what SEEN may add
	run manifesto history --json "$image"
	check_status "history: $1" 0
	jq -c '[.event, .type, .role, .version, .delegatorVersion]' "$T/stdout" | sort >"$1"
}

leaver() { # IMAGE NAME-OF-QA
	image=$1 qa=$2
	local root subject
	person alice
	run manifesto put --init "$image" contact "$approval"
	root=$(sed -n 's/.*root key pinned on this machine: //p' "$T/stderr")
	spare_root "$image"
	run manifesto role add "$image" qa --key sam.pub --key sue.pub --types qa-approval,scan
	check_status "$image: a role of two" 0
	for name in sam sue; do
		person "$name"
		run manifesto trust pin "$image" "$root"
	done
	person alice
	run manifesto role add --json "$image" pair --key sam.pub --key sue.pub --types pair --threshold 2
	check_status 'a role of two signatures' 0
	check_json 'a threshold says what it takes to publish' '.warnings | length == 1 and (.[0] | contains("changes are proposed with --propose"))'
	person sam
	refused 'a put that cannot reach the threshold says so at once' 11 put "$image" pair "$approval"
	check_stderr_has 'with both numbers' 'needs 2 signatures, and 1 of its keys is on this machine'
	run manifesto put "$image" qa-approval "$approval"
	subject=$(manifesto list --json "$image" | jq -r '.records[] | select(.type == "qa-approval") | .subject')
	person sue
	run manifesto put "$image" scan "$approval"
	run manifesto role sign "$image" qa
	check_status 'sue signs the file' 0

	person alice
	run manifesto role remove --dry-run --json "$image" qa --key sam.pub
	check_status 'a dry run of taking sam away' 0
	check_json 'the dry run names the record' "[.changes[] | select(.what == \"record unsigned\")] == [{\"what\": \"record unsigned\", \"role\": \"$qa\", \"detail\": \"qa-approval of $subject\"}]"
	check_json 'and how many there are' '.warnings | length == 1 and (.[0] | startswith("1 record without a signature"))'
	run manifesto status --json "${image%:1.0}"
	check_status 'until then all is well' 0
	run manifesto role remove "$image" qa --key sam.pub
	check_status 'sam is taken away' 0
	check_stdout_has 'the record is named' "record unsigned: $qa qa-approval of $subject"
	check_stdout_lacks 'that of sue is not' "scan of"
	run manifesto status --json "${image%:1.0}"
	check_status 'status warns' 14
	check_json 'of that record' '[.repositories[0].findings[] | select(.kind == "record-unsigned")] | length == 1 and .[0].type == "qa-approval" and .[0].role == "'"$qa"'" and .[0].exit == 14'
	check_json 'and has the command that lets it count again' '[.repositories[0].findings[] | select(.kind == "record-unsigned").action] == ["manifesto sign '"${image%:1.0}@$subject"' qa-approval"]'
	check 'and names its signer' grep -q "signer $(sed -n 's/^[^ ]* *ed25519 *\([0-9a-f]\{16\}\).*/\1/p' sam.pub)" "$T/stdout"
	events earlier
	check 'the history says what the owner did' grep -q '"unsigned","qa-approval"' earlier

	# --- what comes later does not change that
	person sue
	run manifesto put --force "$image" qa-approval second
	check_status 'sue approves again' 0
	run manifesto put "$image" scan second
	person alice
	events later
	check 'no event is lost' test -z "$(comm -23 earlier later)"
	run manifesto status --json "${image%:1.0}"
	check_status 'the record counts again' 0
	check_json 'and is named no longer' '[.repositories[0].findings[] | select(.kind == "record-unsigned")] == []'
	run manifesto role add --dry-run --force --json "$image" other --key sam.pub --types contact
	check_json 'what another role takes from targets is named' '[.changes[] | select(.what == "record not read") | .role] == ["targets"]'
	run manifesto role remove --dry-run --force --json "$image" qa
	check_json 'so is all that goes with a role' '[.changes[] | select(.what == "record gone") | .detail] == ["qa-approval of '"$subject"'", "scan of '"$subject"'"]'
	run manifesto role remove --force "$image" qa
	check_status 'the role goes' 0
	events last
	check 'and the history still has all' test -z "$(comm -23 later last)"
}

leaver oci:layout:1.0 qa
image=$REGISTRY/acme/app:1.0
push_image oci:layout:1.0 "$image" >/dev/null 2>&1
export MANIFESTO_TRUST_SERVER=$NOTARY
leaver "$image" targets/qa

t_done
