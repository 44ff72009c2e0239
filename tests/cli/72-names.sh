#!/bin/bash
# Names for colleagues' keys: shown in place of digits, carried to other machines, and never anybody else's.
. "$(dirname "$0")/../support/t.sh"
. "$T_TOP/tests/support/job.sh"

fingerprint() { # NAME
	manifesto key show --json "$1" | jq -r .keys[0].fingerprint
}
image=oci:$T/app:1.0
make_image app >/dev/null
echo content >file

# Dana and Erik have keys on machines of their own; Alice owns the repository.
dana='' erik=''
for person in dana erik; do
	machine $person
	manifesto key generate --no-passphrase $person >/dev/null
	declare "$person=$(fingerprint $person)"
	manifesto key show $person | sed -n '/BEGIN/,/END/p' >$person.pem
done
machine alice
export MANIFESTO_KEY=alice
manifesto put --init --no-passphrase "$image" note file >/dev/null 2>&1
manifesto role add --key dana.pem --types qa "$image" quality >/dev/null
manifesto role add --key erik.pem --types scan "$image" security >/dev/null
home_of_alice=$MANIFESTO_HOME
pin=$(jq -r '.pins[].fingerprints[0]' "$MANIFESTO_HOME/trust.json")
for person in dana erik; do
	export MANIFESTO_HOME=$T/home/manifesto-$person MANIFESTO_KEY=$person
	manifesto trust pin "$image" "$pin" >/dev/null
done
MANIFESTO_HOME=$T/home/manifesto-dana MANIFESTO_KEY=dana manifesto put "$image" qa file >/dev/null
MANIFESTO_HOME=$T/home/manifesto-erik MANIFESTO_KEY=erik manifesto put "$image" scan file >/dev/null
export MANIFESTO_HOME=$home_of_alice MANIFESTO_KEY=alice
run manifesto list "$image"
check 'without a name there are digits' grep -qE "^qa +quality +${dana:0:16} " "$T/stdout"
run manifesto list --json "$image"
cp "$T/stdout" list.json

# --- a name
run manifesto key name
check_stderr_has 'there are no names' "no colleague's key has a name"
run manifesto key name "$dana" dana
check_status 'a name for a key' 0
check_stdout_is 'is confirmed' "'dana' is the name of $dana"
run manifesto key name "$(tr a-f A-F <<<"$erik" | sed 's/../&:/g; s/:$//')" Erik.Berg
check_status 'the fingerprint may be typed with colons' 0
run manifesto key name
check 'both are listed' test "$(tr -s ' ' <"$T/stdout" | tail -n +2 | sort)" = "$(printf '%s\n' "dana $dana" "Erik.Berg $erik" | sort)"
run manifesto key name --json
check_json 'as JSON' ".schema == \"manifesto/key-name/v1\" and .names == {\"dana\": \"$dana\", \"Erik.Berg\": \"$erik\"}"
run manifesto list "$image"
check 'list has the name' grep -qE '^qa +quality +dana ' "$T/stdout"
check 'and the other' grep -qE '^scan +security +Erik.Berg ' "$T/stdout"
run manifesto list --json "$image"
check_stdout_file 'JSON keeps the fingerprint, and is as it was' list.json
run manifesto list --all "${image%:1.0}"
check_stdout_has 'list --all has it' dana
run manifesto history "$image"
check_stdout_has 'history has it' dana
run manifesto role list "$image"
check 'role list has it' grep -qE '^quality .* dana ' "$T/stdout"
run manifesto role keys "$image" quality
check 'role keys has it beside the fingerprint' grep -qE "^$dana .* dana " "$T/stdout"
run manifesto trust show "$image"
check 'trust show has it' grep -qE '^quality .* dana ' "$T/stdout"
run manifesto put "$image" qa file
check_status 'somebody without a key of the role' 11
check_stderr_has 'gets the names of those who have one' 'dana (ed25519)'
MANIFESTO_HOME=$T/home/manifesto-dana MANIFESTO_KEY=dana manifesto withdraw --reason bad "$image" qa >/dev/null
run manifesto get "$image" qa
check_status 'a withdrawn record' 9
check_stderr_has 'was withdrawn by name' '(key dana)'
manifesto role add --key dana "$image" security >/dev/null
run manifesto verify --require 'scan=2 of security' "$image"
check_status 'a gate that is not met' 9
check_stderr_has 'names who has signed' 'signed by Erik.Berg'
run manifesto role add --key Erik.Berg --types audit "$image" auditors
check_status 'a name stands for the key where keys are given' 0
run manifesto role keys "$image" auditors
check_stdout_has 'which is the right one' "$erik"

# --- nobody is taken for somebody else
mallory=$(printf '%064d' 7)
cp "$MANIFESTO_HOME/trust.json" before
refused 'the name of a key of ours' 12 key name "$mallory" alice
check_stderr_has 'is reported as that' "'alice' could be taken for 'alice', a key on this machine"
for name in Alice ALICE a.lice al1ce aIice alice- alice_; do
	refused "one that looks like it ($name)" 12 key name "$mallory" "$name"
done
refused "a colleague's" 12 key name "$mallory" dana
check_stderr_has 'is reported as that, too' "'dana' could be taken for 'dana', the name of another key"
for name in Dana d-ana clana c1ana CIana erik.berg Er1k-Berg ErikBerg Erik8erg; do
	refused "one that looks like it ($name)" 12 key name "$mallory" "$name"
done
refused 'digits that could be a fingerprint' 2 key name "$mallory" "${dana:0:16}"
refused 'with separators' 2 key name "$mallory" "$(sed 's/..../&-/g; s/-$//' <<<"${dana:0:16}")"
for name in '' -x 'a b' 'a,b' $'a\nb' 'dÄna' $'d\xd0\xb0na' "$(printf 'a%.0s' {1..65})" ../x 'x/y'; do
	refused "what is no name ('$name')" 2 key name "$mallory" -- "$name"
done
refused 'a name for a key of ours' 2 key name "$(fingerprint alice)" me
refused 'no fingerprint' 2 key name "${dana:0:16}" x
refused 'one argument' 2 key name "$dana"
check_same_file 'none of it is stored' before "$MANIFESTO_HOME/trust.json"

# The file may say anything, and a key may come later: then digits are shown.
shows_digits() { # NAME FILTER
	jq "$2" before >"$MANIFESTO_HOME/trust.json"
	run manifesto list "$image"
	check_status "$1: list" 0
	check "$1: digits" grep -qE "^scan +security +${erik:0:16} " "$T/stdout"
}
shows_digits 'the name of our key' ".names = {\"alice\": \"$erik\"}"
shows_digits 'one like it' ".names = {\"A1ice\": \"$erik\"}"
shows_digits "another's digits" ".names = {\"${dana:0:16}\": \"$erik\"}"
shows_digits 'two that look alike' ".names = {\"dana\": \"$dana\", \"Dana\": \"$erik\"}"
check 'for both of them' test -z "$(grep -i dana "$T/stdout")"
shows_digits 'what is no name' ".names = {\"d\\u0430na\": \"$erik\", \"\\u202eanad\": \"$erik\", \"a,b\": \"$erik\"}"
shows_digits 'no fingerprint' '.names = {"erik": "abc", "x": 7}'
jq '.names = 7' before >"$MANIFESTO_HOME/trust.json"
run manifesto list "$image"
check_status 'names of another kind do not keep anybody from reading' 0
cp before "$MANIFESTO_HOME/trust.json"
manifesto key generate --no-passphrase erikberg >/dev/null
run manifesto list "$image"
check 'a key of ours that came later' grep -qE "^scan +security +${erik:0:16} " "$T/stdout"
rm "$MANIFESTO_HOME/keys/erikberg.key"
MANIFESTO_HOME=$T/home/manifesto-dana run manifesto list "$image"
check 'on her own machine she is who she is' grep -qE '^qa +quality +dana ' "$T/stdout"

# --- to other machines
run manifesto trust export
check_json 'trust export has the names' ".names == {\"dana\": \"$dana\", \"Erik.Berg\": \"$erik\"}"
cp "$T/stdout" exported.json
machine carl
run manifesto trust import exported.json
check_status 'trust import' 0
check_stdout_has 'takes them over' 'named     dana'
run manifesto list "$image"
check 'and they are shown' grep -qE '^scan +security +Erik.Berg ' "$T/stdout"
run manifesto trust import --json exported.json
check_json 'once more nothing is new' '.named == [] and .unchanged == 1'
manifesto key name "$erik" security-erik >/dev/null
run manifesto trust import exported.json
check_stdout_is 'a name that a key has here stays' 'nothing new'
run manifesto trust import --force exported.json
check_stdout_has 'except with --force' 'named     Erik.Berg'
cp "$MANIFESTO_HOME/trust.json" before
for change in ".names = {\"dana\": \"$mallory\"}" ".names = {\"d.ana\": \"$mallory\"}"; do
	jq "$change | .pins[\"a/new\"] = {fingerprints: [\"$mallory\"]}" exported.json >bad.json
	refused "a file in which a name is another key's ($change)" 12 trust import bad.json
	check_same_file 'of which nothing is taken over' before "$MANIFESTO_HOME/trust.json"
done
refused 'one that looks alike, also with --force' 12 trust import --force bad.json
jq ".names = {\"dana\": \"$mallory\"}" exported.json >bad.json
run manifesto trust import --force bad.json
check_status '--force lets a colleague have another key' 0
manifesto key generate --no-passphrase carl >/dev/null
jq ".names = {\"carl\": \"$mallory\"}" exported.json >bad.json
refused 'but nobody the name of a key of ours' 12 trust import --force bad.json
for names in '{"x": 1}' '{"x": "abc"}' '{"a b": "'"$mallory"'"}' '[]'; do
	jq --argjson names "$names" '.names = $names' exported.json >bad.json
	refused "names that are none ($names)" 6 trust import bad.json
done
jq ".names = {\"somebody\": \"$(fingerprint carl)\"}" exported.json >own.json
run manifesto trust import own.json
check_stdout_is 'a name for a key of ours is not needed' 'nothing new'

# --- with the declared roles
machine frida
export MANIFESTO_KEY=alice
cp "$home_of_alice"/keys/*.key "$MANIFESTO_HOME/keys/" 2>/dev/null || { mkdir -p "$MANIFESTO_HOME" && cp -r "$home_of_alice/keys" "$MANIFESTO_HOME/"; }
manifesto trust pin "$image" "$pin" >/dev/null
cat >teams.json <<END2
{"schema": "manifesto/teams/v1", "names": {"dana": "$dana", "Erik.Berg": "$erik"},
	"roles": {"quality": {"types": ["qa"], "keys": ["dana"]}, "security": {"types": ["scan"], "keys": ["Erik.Berg", "dana"]}}}
END2
check 'the schema knows names' "$(t_python)" -c 'import json, sys, jsonschema; jsonschema.validate(json.load(open(sys.argv[1])), json.load(open(sys.argv[2])))' \
	teams.json "$T_TOP/docs/teams.schema.json"
run manifesto role apply --dry-run --file teams.json "${image%:1.0}"
check_status 'role apply --dry-run' 0
run manifesto key name
check_stderr_has 'takes no names over' "no colleague's key has a name"
run manifesto role apply --file teams.json "${image%:1.0}"
check_status 'role apply' 0
run manifesto role keys "$image" security
check 'keys may be given by name' grep -qE "^$dana .* dana " "$T/stdout"
run manifesto list "$image"
check 'the names are taken over' grep -qE '^scan +security +Erik.Berg ' "$T/stdout"
jq ".names.alice = \"$mallory\"" teams.json >bad.json
run manifesto role apply --file bad.json "${image%:1.0}"
check_status 'a name that is ours is refused before anything is published' 12

# --- what is not needed is not opened: each key file here that is opened gives a warning
machine greta
export MANIFESTO_KEY=alice
mkdir -p "$MANIFESTO_HOME"
cp -r "$home_of_alice/keys" "$MANIFESTO_HOME/"
manifesto trust pin "$image" "$pin" >/dev/null
for name in aaa zzz; do
	manifesto key generate --no-passphrase $name >/dev/null
	chmod 644 "$MANIFESTO_HOME/keys/$name.key"
done
ignored() { # COUNT
	test "$(grep -c 'ignored key file' "$T/stderr")" = "$1"
}
run manifesto get "$image" scan
check_status 'get' 0
check 'opens no key file' ignored 0
run manifesto list "$image"
check 'a signer without a name is looked for in all' ignored 2
manifesto key name "$erik" erik >/dev/null 2>&1
manifesto key name "$dana" dana >/dev/null 2>&1
run manifesto list --role security "$image"
check 'list has the name of a colleague' grep -q ' erik ' "$T/stdout"
check 'for which it opens no key file' ignored 0
run manifesto list --type note "$image"
check 'list has the name of an own key' grep -qE '^note +targets +alice ' "$T/stdout"
check 'for which it opens files until it is found' ignored 1
export MANIFESTO_HOME=$home_of_alice
machine frida

run manifesto key name --remove dana
check_status 'a name is taken away' 0
run manifesto list "$image"
check 'and there are digits again' test -z "$(grep ' dana ' "$T/stdout")"
refused 'one that is not there' 11 key name --remove dana

t_done
