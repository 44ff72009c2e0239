#!/bin/bash
# trust export and import: pins from one machine to others.
. "$(dirname "$0")/../support/t.sh"
. "$T_TOP/tests/support/job.sh"

fp() { # DIGIT: a fingerprint
	printf "%064d" 0 | tr 0 "$1"
}

run manifesto trust export
check_status 'a machine without pins' 0
check_json 'has none to export' '.manifestoTrust == 1 and .pins == {} and .schema == "manifesto/trust-export/v1"'
export MANIFESTO_TRUST_SERVER=http://127.0.0.1:1
run manifesto trust pin 127.0.0.1:5000/acme/app "$(fp a)" "$(fp b)" --threshold 2
run manifesto trust pin '127.0.0.1:5000/team/*' "$(fp c)"
check_status 'two pins' 0
run manifesto trust export
check_status 'export' 0
cp "$T/stdout" all.json
check_json 'has both' '.pins | keys == ["127.0.0.1:5000/acme/app", "127.0.0.1:5000/team/*"]' all.json
run manifesto trust export '127.0.0.1:5000/team/*'
check_json 'or the one that is asked for' '.pins | keys == ["127.0.0.1:5000/team/*"]'
cp "$T/stdout" team.json
refused 'one that is not pinned' 3 trust export 127.0.0.1:5000/acme/app 127.0.0.1:5000/other

machine other
run manifesto trust import team.json
check_status 'import on another machine' 0
check_stdout_is 'tells what is new' "added     127.0.0.1:5000/team/*"
run manifesto trust import team.json
check_stdout_is 'once more there is nothing new' 'nothing new'
run manifesto trust import --json all.json
check_json 'a file with more' '.added == ["127.0.0.1:5000/acme/app"] and .replaced == [] and .unchanged == 1'
run manifesto trust export
check_stdout_file 'then both machines have the same pins' all.json
check_file_mode 'everybody may read them' 644 "$MANIFESTO_HOME/trust.json"

jq '.pins["127.0.0.1:5000/acme/app"].fingerprints |= reverse' all.json >reversed.json
run manifesto trust import reversed.json
check_stdout_is 'the order of fingerprints says nothing' 'nothing new'
for change in '.pins["127.0.0.1:5000/acme/app"].threshold = 1' \
	".pins[\"127.0.0.1:5000/acme/app\"].fingerprints[0] = \"$(fp d)\"" \
	".pins[\"127.0.0.1:5000/acme/app\"].fingerprints += [\"$(fp d)\"]"; do
	jq "$change | .pins[\"a/new\"] = {fingerprints: [\"$(fp e)\"]}" all.json >differs.json
	refused "a pin that differs ($change)" 10 trust import differs.json
	check_stderr_has 'is named' "different pin for '127.0.0.1:5000/acme/app'"
	run manifesto trust export
	check_stdout_file 'and nothing of the file was taken over' all.json
done
# A pin of a longer name would decide instead of the prefix that is pinned.
jq '{manifestoTrust: 1, pins: {"registry.example/team/app": {fingerprints: ["'"$(fp e)"'"]}}}' all.json >longer.json
jq '.pins = {"registry.example/team/*": {fingerprints: ["'"$(fp d)"'"]}} | .manifestoTrust = 1' all.json >prefix.json
MANIFESTO_HOME=$T/other run manifesto trust import prefix.json
check_status 'a prefix is pinned' 0
MANIFESTO_HOME=$T/other refused 'a pin that overrules a prefix' 10 trust import longer.json
jq '.pins["registry.example/team/app"].fingerprints = ["'"$(fp d)"'"]' longer.json >agrees.json
MANIFESTO_HOME=$T/other run manifesto trust import agrees.json
check_status 'one that agrees with it' 0
run manifesto trust import --force --json differs.json
check_status '--force' 0
check_json 'replaces it' '.replaced == ["127.0.0.1:5000/acme/app"] and .added == ["a/new"] and .unchanged == 1'
run manifesto trust export 127.0.0.1:5000/acme/app
check_json 'with the whole of it' '.pins[] | .threshold == 2 and (.fingerprints | length) == 3'

machine third
refused 'no such file' 2 trust import missing.json
printf '{"manifestoTrust":2,"pins":{}}' >bad
refused 'a file of another version' 6 trust import bad
printf '{"pins":{}}' >bad
refused 'any other JSON' 6 trust import bad
printf 'pins' >bad
refused 'no JSON' 6 trust import bad
for pin in '{}' '{"fingerprints":[]}' '{"fingerprints":["abc"]}' "{\"fingerprints\":[\"$(fp a | cut -c 2-)\"]}" \
	"{\"fingerprints\":[\"$(fp a)\"],\"threshold\":2}" "{\"fingerprints\":[\"$(fp a)\"],\"threshold\":0}" '{"ca":"missing.pem"}' '7'; do
	printf '{"manifestoTrust":1,"pins":{"good":{"fingerprints":["%s"]},"zz":%s}}' "$(fp a)" "$pin" >bad
	refused "a pin like $pin" 6 trust import bad
	check 'takes nothing over' test ! -e "$MANIFESTO_HOME/trust.json"
done
printf '{"manifestoTrust":1,"pins":{"":{"fingerprints":["%s"]}}}' "$(fp a)" >bad
refused 'a pin of nothing' 6 trust import bad
refused 'a directory' 2 trust import .
mkdir -p "$MANIFESTO_HOME"
printf '{"manifestoTrust":1,"pins":7}' >"$MANIFESTO_HOME/trust.json"
refused 'pins of this machine that are broken are not written over' 10 trust import team.json
refused 'nor exported' 10 trust export
t_done
