#!/bin/bash
# trust clock and trust forget: the ways out when the clock was ahead, and when a repository was created again.
. "$(dirname "$0")/../support/t.sh"
. "$T_TOP/tests/support/job.sh"

image=oci:app:1.0
make_image app >/dev/null
echo content >file
terminal() { # [PATTERN ANSWER]... -- COMMAND...
	run "$(t_python)" "$T_TOP/tests/cli/terminal.py" "$@"
}
manifesto put --init --no-passphrase $image qa file >/dev/null 2>&1
cp -r app/trust old
manifesto put $image scan file >/dev/null 2>&1
name=oci:$(realpath app)
floors=$(echo "$MANIFESTO_HOME"/floors/*.json)
later=$(date -u -d '+2 days' +%FT%TZ)

# --- a run with a clock that is ahead has left its time
ahead() {
	jq --argjson t "$(date -d "$later" +%s)" '.clock = $t' "$floors" >changed
	cp changed "$floors"
}
ahead
refused 'a recorded time later than the clock' 8 list $image
check_stderr_has 'the message has that time' "$later"
check_stderr_has 'and the file' "$floors"
check_stderr_has 'and the way out' "'manifesto trust clock IMAGE'"
refused 'without a terminal it does not ask' 2 trust clock $image
check_stderr_has 'but wants a word' '--yes'
terminal 'Is the clock right?' 'n\n' -- manifesto trust clock $image
check_status 'a no on the terminal' 1
refused 'changes nothing' 8 list $image
terminal 'Is the clock right?' 'y\n' -- manifesto trust clock $image
check_status 'a yes on the terminal' 0
run manifesto list $image
check_status 'leads out' 0
ahead
run manifesto trust clock --yes --json $image
check_status '--yes does not ask' 0
check_json 'and says what it did' '.schema == "manifesto/trust-clock/v1" and .changed and .recorded == "'"$later"'" and .gun == "'"$name"'"'
run manifesto get $image scan
check_stdout_file 'then records are given again' file
run manifesto trust clock --yes $image
check_stdout_has 'once more there is nothing to do' 'not later than the system clock'
rm -rf app/trust
cp -r old app/trust
refused 'but a repository that was rolled back is still refused' 8 list $image

# --- a layout that is made again at the same path
rm -rf app
make_image app >/dev/null
refused 'a layout made again without its trust repository' 8 list $image
check_stderr_has 'has a way out' "'manifesto trust forget IMAGE'"
manifesto -q put --home other --init --no-passphrase $image qa file >/dev/null 2>&1 ||
	MANIFESTO_HOME=$T/other manifesto put --init --no-passphrase $image qa file >/dev/null 2>&1
refused 'with one of other keys' 10 list $image
refused 'forget does not ask without a terminal' 2 trust forget $image
run manifesto trust forget --dry-run $image
check_status '--dry-run' 0
check_stdout_has 'lists the recorded versions' "$floors"
check_stdout_has 'and the pin' 'pinned root key'
refused 'and forgets nothing' 10 list $image
terminal 'Type the name' 'yes\n' -- manifesto trust forget $image
check_status 'another answer than the name' 1
refused 'forgets nothing' 10 list $image
terminal 'Type the name' "$name\n" -- manifesto trust forget $image
check_status 'the name' 0
check_stdout_has 'it was shown what goes' "$floors"
check 'the file is gone' test ! -e "$floors"
refused 'the repository is new to this machine' 10 list $image
check_stderr_has 'and needs a pin' 'no pin for'
run manifesto list --tofu $image
check_status 'with which it is read' 0
run manifesto trust forget --yes --json $image
check_json '--yes does not ask' '.schema == "manifesto/trust-forget/v1" and .gun == "'"$name"'" and (.pinned | length == 1) and .rootVersion == 1 and .dryRun == false'
refused 'what is forgotten cannot be forgotten' 3 trust forget --yes $image

# --- a pin of a prefix is not this repository's alone
jq -n --arg p "oci:$(realpath .)/*" '{manifestoTrust: 1, pins: {($p): {fingerprints: ["'"$(printf '%064d' 0)"'"]}}}' >pins.json
manifesto trust import pins.json >/dev/null
refused 'a pin of a prefix decides' 10 list $image
refused 'it is not forgotten with one repository' 3 trust forget --yes $image
echo '{}' >"$floors"
run manifesto trust forget --yes $image
check_status 'broken floors are forgotten' 0
check_stdout_has 'the pin of the prefix stays' 'stays'
refused 'and still decides' 10 list $image

# --- whoever may write in the cache cannot aim it at other files
mkdir -p precious "$XDG_CACHE_HOME/manifesto/tuf"
echo content >precious/file
cache=$XDG_CACHE_HOME/manifesto/tuf/$(basename "$floors" .json)
rm -rf "$cache"
ln -s "$PWD/precious" "$cache"
run manifesto trust forget --yes $image
check_status 'a link in place of the cached metadata' 0
check 'is removed' test ! -L "$cache"
check 'and what it leads to is not' test -e precious/file

# --- a name is shown in its safe form
mv app $'a\ev'
mv "$MANIFESTO_HOME/trust.json" kept.json
manifesto list --tofu $'oci:a\ev:1.0' >/dev/null 2>&1
terminal 'Type the name' 'no\n' -- manifesto trust forget $'oci:a\ev:1.0'
check_status 'the name of a directory with a control character' 1
check_stdout_has 'is escaped' 'a\u{1b}v'
check 'everywhere' test "$(grep -c $'a\ev' "$T/stdout")" = 0
t_done
