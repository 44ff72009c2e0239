#!/bin/bash
# Help, version, completion and the manual page: all say what the tables of commands and options say.
. "$(dirname "$0")/../support/t.sh"

manual=$T_TOP/docs/manifesto.1

# Rows of a section of help: lines of two spaces and a word.
section() { # HEADING FILE
	awk -v heading="$1" '$0 == heading { on = 1; next } on && !/^ / { exit } on' "$2"
}

option_names() { # FILE
	grep -oE -e '(^|[^a-z-])--[a-z][a-z-]+' "$1" | grep -oE -e '--[a-z-]+' | sort -u
}

# --- the program
run manifesto --help
check_status '--help succeeds' 0
check_stderr_empty '--help writes nothing on stderr'
cp "$T/stdout" program
sed -nE 's/^  ([a-z]+( [a-z]+)?) .*/\1/p' program >commands
check 'help lists the commands of the main job' test "$(grep -cxE -e 'put|get|list|trust init|key list' commands)" = 5
section 'Records of an image:' program >records
check 'in groups: records' grep -q '^  withdraw ' records
section 'Gate of a pipeline:' program >gate
check 'in groups: the gate' grep -q '^  policy check ' gate
check 'commands for scripts are not listed' test -z "$(grep _ commands)"
check 'no line is wider than a terminal' test -z "$(grep -E '.{93}' program)"
run manifesto help
check_stdout_file 'help is --help' program
run manifesto -h
check_stdout_file '-h is --help' program
run manifesto help trust
check_stdout_has 'help for a group lists its subcommands' 'trust pin'
run manifesto trust --help
check_stdout_has '--help for a group lists its subcommands' 'trust pin'
run manifesto help options
check_status 'the options of every command have a page' 0
cp "$T/stdout" global
check_stdout_has 'with all of them' '--passphrase-cmd COMMAND'
run manifesto help nothing
check_status 'help for an unknown command is a usage error' 2
run manifesto help put more
check_status 'help for two commands is a usage error' 2

# --- each command
mandoc -T ascii "$manual" | col -bx >manual.txt
option_names manual.txt >manual.options
: >usages
option_names global >global.options
cp global.options known.options
while read -r command; do
	# shellcheck disable=SC2086 # a command may be two words
	run manifesto $command --help
	check_status "$command --help succeeds" 0
	check_stderr_empty "$command --help writes nothing on stderr"
	cp "$T/stdout" help
	check "$command --help begins with its usage" grep -qE "^usage: manifesto $command \[OPTION\.\.\.\]" help
	sed -n 's/^usage: //p' help >>usages
	check "$command --help names the page of the options of every command" grep -qF "'manifesto help options'" help
	check "$command --help fits into 80 columns" test -z "$(grep -vE '^usage: ' help | grep -E '.{81}')"
	section Options: help >rows
	option_names rows >options
	check "$command --help has no option of every command" test -z "$(comm -12 options global.options | grep -vx -e --version)"
	cat options >>known.options
	check "every option of '$command' is in the manual" test -z "$(comm -23 options manual.options)"
	# shellcheck disable=SC2086
	run manifesto help $command
	check_stdout_file "help $command is $command --help" help
done <commands

# --- one option, and what it does for each command
row() { # COMMAND OPTION: its help
	# shellcheck disable=SC2086
	manifesto help $1 | awk -v option="$2" '$1 == option { on = 1; print; next } on && /^                    / { print; next } { on = 0 }' |
		tr -s ' \n' '  '
}
says() { # COMMAND OPTION TEXT
	check "$1 $2: $3" grep -qF -e "$3" <(row "$1" "$2")
}
says put --force 'replace the record even if it changed in the meantime or is the same'
says put --key 'key to sign with, and the name of a key that is created'
says sign --key '--key NAME key to sign with '
says role\ add --key '--key KEY key that may sign for the role'
says role\ remove --force 'even if it holds records'
says trust\ refresh --force 're-sign all roles, whenever they expire'
says trust\ import --force 'replace pins and maps that differ'
says key\ generate --type 'ed25519 (default) or ecdsa'
says list --type 'only records of this type'

# --- the manual
# The database of manual pages, which the references are looked up in, is the machine's affair.
check 'mandoc finds nothing to say about the manual' test -z "$(mandoc -T lint -W style "$manual" 2>&1 | grep -vF 'mandoc.db')"
sort -u known.options >known
check 'every option in the manual exists' test -z "$(comm -13 known manual.options)"
sed -n '/^SYNOPSIS/,/^DESCRIPTION/p' manual.txt | sed -n 's/^ *manifesto /manifesto /p' | tr -s ' ' >synopsis
sed -E 's/ +/ /g; s/ $//' usages >expected
check 'the SYNOPSIS is the usage of each command' diff expected synopsis

# --- version
run manifesto --version
check 'the version is one line' grep -qxE 'manifesto [0-9]+\.[0-9]+\.[0-9]+' "$T/stdout"
cp "$T/stdout" version
run manifesto version
check_stdout_file 'version is --version' version
run manifesto version --json
check_json 'version as JSON' '.schema == "manifesto/version/v1" and (.version | test("^[0-9]+\\."))'

t_done
