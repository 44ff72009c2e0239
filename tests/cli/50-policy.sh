#!/bin/bash
# Policy files: `policy check` and docs/policy.schema.json agree about what one is.
. "$(dirname "$0")/../support/t.sh"

schema=$T_TOP/docs/policy.schema.json
fits() { # FILE
	"$(t_python)" - "$schema" "$1" <<-'END'
		import json, sys
		import jsonschema
		schema = json.load(open(sys.argv[1]))
		jsonschema.Draft202012Validator.check_schema(schema)
		jsonschema.Draft202012Validator(schema).validate(json.load(open(sys.argv[2])))
	END
}
no_fit() { # FILE
	! fits "$1"
}

for file in "$T_TOP"/testdata/policy/valid/*.json; do
	name=$(basename "$file" .json)
	run manifesto policy check "$file"
	check_status "$name: accepted" 0
	check_stderr_empty "$name: without a word"
	check "$name: the schema accepts it" fits "$file"
done
for file in "$T_TOP"/testdata/policy/invalid/*.json; do
	name=$(basename "$file" .json)
	run manifesto policy check "$file"
	check_status "$name: refused" 2
	check_stdout_empty "$name: nothing on stdout"
	check_stderr_has "$name: the file is named" "$file"
	case $name in
	reader-*) ;; # more than a schema can say
	*) check "$name: the schema refuses it" no_fit "$file" ;;
	esac
done

# --- the examples of the documentation
awk '/^```json/ { on = 1; n++; next } /^```/ { on = 0 } on { print > ("example" n) }' "$T_TOP/docs/policy.md"
policies=0
for file in example*; do
	grep -q '"require"' "$file" || continue
	policies=$((policies + 1))
	run manifesto policy check "$file"
	check_status "docs/policy.md: $file is a policy" 0
	check "docs/policy.md: $file fits the schema" fits "$file"
done
check 'docs/policy.md has examples' test $policies -ge 2

# --- in words
run manifesto policy check "$T_TOP/testdata/policy/valid/all-members.json"
check_stdout_is 'a policy in words' "An image must have, for 'release':
  - 'qa' signed by role qa, at most 30d old
  - 'scan.v2' signed by 2 keys of the roles qa, targets/appsec, as 'application/json', at most 60d old
  - a reference that names a digest, not a tag
  - no withdrawal by role security, of whatever type it may sign
  - in place of a requirement: an unexpired 'waiver' signed by 2 keys of the roles board, cto"
run manifesto policy check "$T_TOP/testdata/policy/valid/conditions.json"
check_stdout_is 'conditions in words' "An image must have:
  - 'qa' signed by role qa, where its content meets '.decision == \"approved\"'
  - 'scan' signed by a role that may sign it
  - different signers for 'qa', 'scan': no key counts for two of these requirements"
run manifesto policy check "$T_TOP/testdata/policy/invalid/reader-where-no-program.json"
check_stderr_has 'a condition that is no program: which' "policy '$T_TOP/testdata/policy/invalid/reader-where-no-program.json': the condition '.decision =='"
run manifesto policy check --json "$T_TOP/testdata/policy/valid/all-members.json"
check_json 'and as JSON' '.schema == "manifesto/policy-check/v1" and .name == "release" and (.requires | length) == 5'
run manifesto policy check -q "$T_TOP/testdata/policy/valid/short.json"
check_stdout_empty 'quietly'
run_with "$T_TOP/testdata/policy/valid/short.json" manifesto policy check -
check_status 'from standard input' 0
run env -u HOME -u MANIFESTO_HOME -u XDG_DATA_HOME manifesto policy check "$T_TOP/testdata/policy/valid/short.json"
check_status 'without a home' 0
run manifesto policy check nowhere.json
check_status 'a missing file' 2
run manifesto policy check .
check_status 'a directory' 2
run manifesto policy check
check_status 'no file' 2

# --- verify: what is refused before anything is asked
usage() { # NAME TEXT ARGUMENTS...
	local name=$1 text=$2
	shift 2
	run_with /dev/null manifesto verify "$@"
	check_status "$name" 2
	check_stdout_empty "$name: nothing on stdout"
	check_stderr_has "$name: why" "$text"
}
make_image layout >/dev/null
image=oci:layout:1.0
usage 'nothing is required' 'nothing is required' "$image"
usage 'only an age is required' 'nothing is required' "$image" --max-age 30d
usage 'no image' 'no image' --require qa
usage 'an empty list' 'names no image' - --require qa
usage 'trust on first use' 'never trusts on first use' "$image" --require qa --tofu
usage 'a list of roles without a number' 'does not say how many' "$image" --require qa=a,b
usage 'no type' 'record type' "$image" --require =qa
usage 'an empty requirement' 'empty value' "$image" --require ''
usage 'an age that is none' '--max-age' "$image" --require qa --max-age soon
usage 'a malformed reference' 'UPPER' "$image" example.com/UPPER --require qa
usage 'platforms twice' 'exclude each other' "$image" --require qa --platform linux/amd64 --all-platforms
usage 'a policy that is not there' 'nowhere.json' "$image" --policy nowhere.json
usage 'a policy that is none' 'reader-two-values' "$image" --policy "$T_TOP/testdata/policy/invalid/reader-two-values.json"
usage 'standard input twice' 'asked for more than once' - --images - --require qa
usage 'standard input for images and policy' 'asked for more than once' - --policy -
usage 'standard input for images twice' 'asked for more than once' - - --require qa
usage 'a list that is not there' 'nowhere' --images nowhere --require qa
printf '%s %s\n' "$image" "$image" >two
usage 'two references on a line' "line 1 of 'two'" --images two --require qa
printf '# a comment\n\n%s\n%03000d\n' "$image" 0 >long
usage 'a line that is too long' "line 4 of 'long'" --images long --require qa
printf 'a\0b\n' >nul
usage 'a NUL in a list' 'NUL' --images nul --require qa
head -c $((16 << 20)) /dev/zero | tr '\0' '\n' >huge
usage 'a list that is too long' 'longer than' --images huge --require qa
yes "$image" | head -n 100001 >many
usage 'too many images' '100000' --images many --require qa
run manifesto verify --json "$image"
check_status 'a usage error as JSON' 2
check_stdout_empty 'is no result'
check_json 'but an error' '.error.exit == 2' "$T/stderr"

t_done
