#!/bin/bash
# A veto that can be given: a role stops what it does not sign, in both dialects, and only it can lift that.
. "$(dirname "$0")/../support/t.sh"
. "$T_TOP/tests/support/job.sh"
. "$T_TOP/tests/support/notary.sh"

lab registry notary
make_image layout >/dev/null
for name in bob sue; do
	machine "$name"
	run manifesto key generate "$name"
	manifesto key show "$name" >"$name.pub"
done
echo '{"version":1,"require":[{"type":"sbom","roles":["build"]}],"veto":["security"]}' >policy.json
echo '{"version":1,"require":[{"type":"sbom","roles":["build"]}],"veto":["build"]}' >other.json

person() { # NAME
	machine "$1"
	export MANIFESTO_KEY=$1
}
vetoes() { # IMAGE NAME-OF-SECURITY
	local image=$1 security=$2 root name
	person alice
	run manifesto put --init "$image" contact "$approval"
	check_status "$image: a repository" 0
	spare_root "$image"
	root=$(sed -n 's/.*root key pinned on this machine: //p' "$T/stderr")
	run manifesto role add "$image" build --key bob.pub --types sbom
	run manifesto role add "$image" security --key sue.pub --types security-review
	check_status 'two roles' 0
	for name in bob sue; do
		person "$name"
		run manifesto trust pin "$image" "$root"
	done
	person bob
	run manifesto put "$image" sbom "$approval"
	run manifesto verify --policy policy.json "$image"
	check_status 'the gate accepts it' 0

	# --- one type
	person sue
	refused 'a veto needs a reason' 2 veto "$image" sbom
	refused 'and one that says something' 2 veto --reason ' ' "$image" sbom
	refused 'there is none to lift' 3 veto --lift "$image" sbom
	run manifesto veto --json --reason 'CVE-2026-1 <&> %' "$image" sbom
	check_status 'security stops the type that it may not sign' 0
	check_json 'and says so' '.schema == "manifesto/veto/v1" and .role == "'"$security"'" and (.items[0].record | .type == "sbom" and .state == "veto" and .reason == "CVE-2026-1 <&> %" and (.signers | length) == 1)'
	run manifesto veto --json --reason 'CVE-2026-1 <&> %' "$image" sbom
	check_json 'the same again changes nothing' '.items[0].unchanged'
	person bob
	run manifesto verify --policy policy.json "$image"
	check_status 'the gate refuses it' 9
	check_stderr_has 'it names the role' "vetoed by role '$security'"
	check_stderr_has 'and the reason' 'CVE-2026-1 <&> %'
	run manifesto verify --json --policy policy.json "$image"
	check_json 'with a stable code' '.images[0].findings[0] | .code == "vetoed" and .exit == 9'
	run manifesto verify --policy other.json "$image"
	check_status 'a gate that gives the role no veto accepts it' 0
	run manifesto verify --require sbom=build "$image"
	check_status 'so does one without a policy' 0
	get_is 'and get gives what it gave' "$approval" "$image" sbom

	# --- it is shown
	run manifesto list "$image"
	check 'list shows it' grep -qE "^sbom +$security .*veto" "$T/stdout"
	run manifesto list --json --state veto "$image"
	check_json 'and can be asked for it' '.records | length == 1 and .[0].type == "sbom" and .[0].reason == "CVE-2026-1 <&> %"'
	run manifesto history --json "$image"
	check 'history has the event' jq -se 'map(select(.event == "veto")) | length == 1 and .[0].type == "sbom" and .[0].reason == "CVE-2026-1 <&> %"' "$T/stdout"
	run manifesto status --json "${image%:1.0}"
	check_status 'status is about it' 0
	check_json 'and has it' '[.repositories[0].findings[] | select(.kind == "record-veto") | .exit] == [0]'

	# --- nobody else lifts or hides it
	refused 'a role cannot lift the veto of another' 11 veto --lift --role security "$image" sbom
	refused 'nor has it one of its own to lift' 3 veto --lift "$image" sbom
	run manifesto put --force "$image" sbom "$approval"
	check_status 'another put' 0
	run manifesto verify --policy policy.json "$image"
	check_status 'does not change that' 9
	run manifesto veto --reason 'mine' "$image" security-review
	check_status 'build may say no, too' 0
	run manifesto verify --policy policy.json --require sbom=build "$image"
	check_status 'which changes nothing where it has no veto' 9
	check_stderr_lacks 'and is ignored' mine
	person sue
	run manifesto veto --lift --json "$image" sbom
	check_status 'security lifts it' 0
	check_json 'and says what was lifted' '.items[0].record | .type == "sbom" and .state == "veto"'
	person bob
	run manifesto verify --policy policy.json "$image"
	check_status 'the gate accepts it again' 0
	run manifesto history --json "$image"
	check 'history has both' jq -se 'map(select(.event == "veto" or .event == "veto-lifted") | select(.role == "'"$security"'") | .event) == ["veto", "veto-lifted"]' "$T/stdout"

	# --- all types
	person sue
	run manifesto veto --reason 'stolen key' "$image"
	check_status 'security stops all types' 0
	check_stdout_has 'and says so' "stopped by '$security'"
	person bob
	run manifesto verify --policy policy.json "$image"
	check_status 'the gate refuses it' 9
	check_stderr_has 'for all types' 'for all types: stolen key'
	person alice
	run manifesto role remove --dry-run "$image" security
	check_status 'a role with a veto does not vanish unasked' 2
	check_stderr_has 'what would be lost is named' veto-sha256-
	run manifesto role remove --dry-run --force "$image" security
	check_stdout_has 'and listed' 'record gone: '
	check_stdout_has 'as a veto' 'veto on * of sha256:'
	person sue
	run manifesto veto --lift "$image"
	person bob
	run manifesto verify --policy policy.json "$image"
	check_status 'lifted' 0
}

vetoes oci:layout:1.0 security

image=$REGISTRY/acme/app:1.0
push_image oci:layout:1.0 "$image" >/dev/null 2>&1
export MANIFESTO_TRUST_SERVER=$NOTARY
vetoes "$image" targets/security
person sue
run manifesto veto --reason 'for notary to read' "$image" sbom
run manifesto put "$image" security-review "$approval"
run manifesto veto --json --reason 'all' "$image"
check_status 'a veto on all types, beside a record of the role' 0
get_is 'of that version the record is got, not the veto' "$approval" --version "$(jq .version "$T/stdout")" "$image" security-review
mkdir -p cli
notary_in cli list "$REGISTRY/acme/app"
check_status 'the notary program reads the file' 0
check_stdout_has 'the veto is a target in a path of the role' 'security-review/veto-sha256-'
check_stdout_has 'of that role' targets/security

t_done
