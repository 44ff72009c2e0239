#!/bin/bash
# What `verify` prints for CI systems: JUnit, Markdown, annotations of GitHub; and tables and colours on a terminal.
. "$(dirname "$0")/../support/t.sh"
. "$T_TOP/tests/support/attack.sh"

make_image image >/dev/null
tag=$(jq -r '.manifests[0].annotations["org.opencontainers.image.ref.name"]' image/index.json)
subject=$(jq -r '.manifests[0].digest' image/index.json)
image=oci:image:$tag
echo '{"decision":"approved"}' >yes.json
for key in qa board; do
	run manifesto key generate --no-passphrase $key
done
fp() { # KEY
	manifesto key show --json "$1" | jq -r '.keys[0].fingerprint'
}
run manifesto put -q --init --no-passphrase --key alice "$image" contact yes.json
check_status 'the first record' 0
for role in 'qa qa-approval' 'board waiver'; do
	run manifesto role add -q "$image" "${role% *}" --types "${role#* }" --key "$(fp "${role% *}")"
	check_status "role ${role% *}" 0
done
put() { # TYPE FILE OPTION...
	run manifesto put -q "$image" "$@"
	check_status "put $1" 0
}
put qa-approval yes.json --key qa
evil=$'</failure><x a="b\'">|**[](x)\n::set-env\e[31m\xe2\x80\xae%0A ##[add-mask]x ##vso[a]y'
run manifesto veto -q "$image" contact --role qa --reason "$evil"
check_status 'a veto whose reason has markup' 0
cat >veto.json <<'END'
{"version": 1, "name": "release", "require": [{"type": "qa-approval", "roles": ["qa"]}, {"type": "contact"}, {"type": "scan"}],
 "veto": ["qa"], "waivers": {"roles": ["board"]}}
END
cat >waiver.json <<'END'
{"version": 1, "name": "W-<1>", "waives": ["scan"], "for": "a & b", "until": "2099-12-31", "reason": "down"}
END
put waiver waiver.json --key board

gate() { # STATUS FORMAT IMAGE...
	run manifesto verify --policy veto.json --format "$2" "${@:3}"
	check_status "$2: status $1" "$1"
}

# --- JUnit
junit() { # XPATH
	xmllint --xpath "$1" "$T/stdout"
}
check_junit() { # NAME XPATH WANTED
	check "$1" test "$(junit "$2")" = "$3"
}
gate 9 junit "$image"
check 'junit: the schema accepts it' xmllint --noout --schema "$T_TOP/testdata/junit.xsd" "$T/stdout"
check_junit 'junit: a suite for the image' 'string(//testsuite/@name)' "$image"
check_junit 'junit: a case for each requirement' 'count(//testcase)' 3
check_junit 'junit: the sums' 'concat(//testsuite/@tests, //testsuite/@failures, //testsuite/@errors, //testsuite/@skipped)' 3101
check_junit 'junit: what is met' 'count(//testcase[contains(@name, "qa-approval")]/*)' 0
check_junit 'junit: what is waived is skipped, and says by what' 'boolean(//testcase[contains(@name, "scan")]/skipped[contains(@message, "W-<1>")])' true
check_junit 'junit: what is vetoed has failed' 'string(//testcase[contains(@name, "contact")]/failure/@type)' vetoed
check 'junit: markup of other people stays text' grep -qF '</failure><x a="b' <(junit 'string(//failure)')
check_stdout_lacks 'junit: no control character' $'\e'
check_stdout_lacks 'junit: no bidirectional control' $'\xe2\x80\xae'
check_stderr_has 'junit: the log has the reason, too' "refused 'oci:"
failed=$(junit 'count(//failure | //error)')
gate 9 json "$image"
check 'junit: as many failures as --json has findings' test "$failed" = "$(jq '[.images[].findings[]] | length' "$T/stdout")"

gate 9 junit "$image" oci:image:none
check 'junit: two images: the schema accepts it' xmllint --noout --schema "$T_TOP/testdata/junit.xsd" "$T/stdout"
check_junit 'junit: an image that is not there is an error, no failure' 'concat(//testsuite[2]/@errors, //testsuite[2]/@failures)' 10
check_junit 'junit: and the error is the code of --json' 'string(//testsuite[2]//error/@type)' not_found

# --- Markdown
gate 9 markdown "$image"
check_stdout_has 'markdown: what is refused' '### Refused: oci\:image\:'
check_stdout_has 'markdown: what is met, by whom' '| met | '
check 'markdown: one row for each requirement, below the head' test "$(grep -c '^| ' "$T/stdout")" = 4
check_stdout_has 'markdown: what is waived' '| waived | '
check_stdout_has 'markdown: the sum' '**0 accepted, 1 refused, 0 not checked; exit status 9.**'
check 'markdown: a row has three cells, whatever it says' test -z "$(sed 's/\\|//g' "$T/stdout" | grep '^|' | grep -vE '^\|[^|]*\|[^|]*\|[^|]*\|$')"
check_stdout_has 'markdown: markup of other people is escaped' '\<\/failure\>'
check_stdout_lacks 'markdown: none of it is markup' '**[]('

# --- GitHub
gate 9 github "$image"
check 'github: an annotation for each finding' test "$(grep -c '^::error title=refused oci%3A' "$T/stdout")" = 1
check 'github: a warning for a waiver' test "$(grep -c '^::warning title=scan ' "$T/stdout")" = 1
check 'github: no other command' test "$(grep -c '^::' "$T/stdout")" = 2
check_stdout_has 'github: a percent sign stays one' '%250A'
for format in text json junit github; do
	gate 9 "$format" "$image"
	check 'no command of a runner in the middle of a line' test -z "$(grep -E '##[a-z]*\[' "$T/stdout" "$T/stderr")"
done
run manifesto verify --format github "$image" --require qa-approval=qa
check_status 'github: accepted' 0
check_stdout_is 'github: what to deploy' "$(manifesto list --json "$image" | jq -r .image)"

# --- a run that fails is not green, though every image is accepted
mkdir taken
failing() { # FORMAT
	run manifesto verify --format "$1" "$image" --require qa-approval=qa --vsa taken --key qa
	check_status "$1: a summary that cannot be written" 1
}
failing junit
check 'junit: the schema accepts it' xmllint --noout --schema "$T_TOP/testdata/junit.xsd" "$T/stdout"
check_junit 'junit: the run is an error' 'concat(count(//failure), sum(//testsuite/@errors), //error/@type)' 01io
failing markdown
check_stdout_has 'markdown: why' 'write the summary'
failing github
check 'github: why' grep -q '^::error title=failed manifesto verify::write the summary' "$T/stdout"

# --- neither is one that is stopped: what was not checked is in the report
proxy S ''
# So many that the last one is begun when the first one is done.
images="oci:image:none $(printf "$image %.0s" {1..129})"
stopped() { # FORMAT
	faults S '{"path":"/","action":"hold","until":"/none"}'
	# shellcheck disable=SC2153,SC2086 # set by proxy; a list
	MANIFESTO_TRUST_SERVER=http://$S manifesto verify --format "$1" $images "$S/app:1.0" --require qa-approval=qa \
		>"$T/stdout" 2>"$T/stderr" </dev/null &
	pid=$!
	for _ in {1..200}; do
		[ ! -s "$T/S.log" ] || break
		sleep 0.05
	done
	kill -TERM $pid
	wait $pid 2>/dev/null
	status=$? t_command="verify --format $1, stopped"
	check "$1: a run that is stopped fails" test "$status" != 0
}
stopped junit
check 'junit: the schema accepts it' xmllint --noout --schema "$T_TOP/testdata/junit.xsd" "$T/stdout"
check_junit 'junit: what was not checked is an error' 'concat(//testsuite[last()]/@name, //testsuite[last()]/@errors, count(//failure))' \
	'images that were not checked10'
check_junit 'junit: all are counted' 'count(//testsuite) - 1 + substring-before(//testsuite[last()]/testcase/@name, " ")' 131
stopped markdown
check 'markdown: what was not checked is counted' grep -qE '^\*\*[0-9]* accepted, 1 refused, [1-9][0-9]* not checked; exit status 1\.' "$T/stdout"
check 'markdown: why' grep -qE '^(verify was interrupted|.*cancelled)' "$T/stdout"
stopped github
check 'github: why' grep -q '^::error title=failed manifesto verify::' "$T/stdout"
stopped json
check_json 'json: what was not checked is counted' '.refused == 1 and .unchecked >= 1 and .accepted + .refused + .unchecked == 131 and
	.exit == 1 and (.images | length) == .accepted + .refused'

# --- one way to say it
run manifesto verify --json "$image" --require qa-approval=qa
cp "$T/stdout" json
run manifesto verify --format json "$image" --require qa-approval=qa
check '--format json is --json' cmp -s json "$T/stdout"
run manifesto verify "$image" --require qa-approval=qa
cp "$T/stdout" text
run manifesto verify --format text "$image" --require qa-approval=qa
check '--format text is what there is without it' cmp -s text "$T/stdout"
run manifesto verify --format xml "$image" --require qa-approval=qa
check_status 'an unknown format' 2
check_stderr_has 'names those that there are' 'text, json, junit, markdown or github'
run manifesto verify --json --format junit "$image" --require qa-approval=qa
check_status 'two formats at once' 2
run manifesto verify --format json oci:image:none --require qa-approval=qa
check_status 'an error with --format json' 3
check 'an error with --format json is JSON' jq -e '.error.exit == 3' "$T/stderr"
run manifesto verify --json --format '##[set-env name=x]' "$image" --require qa-approval=qa
check_status 'an error that quotes a command of a runner' 2
check 'and holds none' sh -c "grep -q set-env '$T/stderr' && ! grep -q '##\[' '$T/stderr'"

# --- on a terminal
terminal() { # COLUMNS COMMAND
	run env TERM=xterm "$(t_python)" "$T_TOP/tests/cli/terminal.py" -- sh -c "stty cols $1; $2"
}
widest() {
	sed 's/\x1b\[[0-9;]*m//g; s/\r$//; /^echo o/d' "$T/stdout" | LC_ALL=C.UTF-8 wc -L
}
terminal 100 "manifesto list '$image'"
check_status 'a list on a terminal' 0
check 'a table fits the terminal' test "$(widest)" -le 100
check 'and uses it' test "$(widest)" -gt 90
check_stdout_has 'what is cut has a mark' …
check_stdout_has 'a state has its colour' $'\e[32mcurrent\e[0m'
check_stdout_lacks 'the digest is cut first' "$subject"
terminal 400 "manifesto list '$image'"
check_stdout_lacks 'nothing is cut on a wide one' …
terminal 400 "NO_COLOR=1 manifesto list '$image'"
check_stdout_lacks 'NO_COLOR: no colour' $'\e['
terminal 400 "TERM=dumb manifesto list '$image'"
check_stdout_lacks 'a dumb terminal: no colour' $'\e['
terminal 400 "manifesto list '$image' | cat"
check_stdout_lacks 'a pipe: no colour' $'\e['
terminal 60 "manifesto list '$image' | cat"
check_stdout_lacks 'a pipe: nothing is cut' …
terminal 100 "manifesto verify '$image' --require missing"
check_stdout_has 'a refusal is red' $'manifesto: \e[31mrefused \e[0m'
t_done
