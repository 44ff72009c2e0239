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
section Commands: program | sed -E 's/^  ([a-z ]*[a-z])  .*/\1/; s/^  ([a-z]+( [a-z]+)?) .*/\1/' >commands
check 'help lists the commands of the main job' grep -cxE -e 'put|get|list|trust init|key list' commands
run manifesto help
check_stdout_file 'help is --help' program
run manifesto -h
check_stdout_file '-h is --help' program
run manifesto help trust
check_stdout_has 'help for a group lists its subcommands' 'trust pin'
run manifesto trust --help
check_stdout_has '--help for a group lists its subcommands' 'trust pin'
run manifesto help nothing
check_status 'help for an unknown command is a usage error' 2
run manifesto help put more
check_status 'help for two commands is a usage error' 2

# --- each command
mandoc -T ascii "$manual" | col -bx >manual.txt
option_names manual.txt >manual.options
: >usages
: >known.options
while read -r command; do
	# shellcheck disable=SC2086 # a command may be two words
	run manifesto $command --help
	check_status "$command --help succeeds" 0
	check_stderr_empty "$command --help writes nothing on stderr"
	cp "$T/stdout" help
	check "$command --help begins with its usage" grep -qE "^usage: manifesto $command \[OPTION\.\.\.\]" help
	sed -n 's/^usage: //p' help >>usages
	{
		section Options: help
		section 'Options of every command:' help
	} >rows
	option_names rows >options
	cat options >>known.options
	check "every option of '$command' is in the manual" test -z "$(comm -23 options manual.options)"
	# shellcheck disable=SC2086
	run manifesto help $command
	check_stdout_file "help $command is $command --help" help
done <commands

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

# --- completion
for shell in bash zsh fish; do
	run manifesto completion $shell
	check_status "completion for $shell is printed" 0
	cp "$T/stdout" "completion.$shell"
	missing=
	while read -r option; do
		case $shell in
		fish) grep -qE -e "-l ${option#--}( |\$)" completion.fish || missing+=" $option" ;;
		*) grep -qF -e "$option" "completion.$shell" || missing+=" $option" ;;
		esac
	done <known
	check "completion for $shell knows every option" test -z "$missing"
	missing=
	while read -r word; do grep -qwF -e "$word" "completion.$shell" || missing+=" $word"; done < <(tr ' ' '\n' <commands)
	check "completion for $shell knows every command" test -z "$missing"
done
run manifesto completion tcsh
check_status 'completion for another shell is a usage error' 2

# shellcheck disable=SC1091 # generated above
. ./completion.bash
completes() { # NAME EXPECTED WORDS...: the last word is to be completed
	local name=$1 expected=$2 got
	shift 2
	# shellcheck disable=SC2034 # read by the completion function
	COMP_WORDS=(manifesto "$@") COMP_CWORD=$# COMPREPLY=()
	_manifesto 2>/dev/null
	got=$(printf '%s\n' "${COMPREPLY[@]}" | LC_ALL=C sort | tr '\n' ' ')
	check "bash completes $name" test "${got% }" = "$expected"
}
completes 'a command' 'put' pu
completes 'commands' 'completion get help history key list policy put repair rm role sign status trust verify version withdraw' ''
completes 'a command behind an option with a value' 'get' --role x g
completes 'a command behind an option with =' 'get' --role = x g
completes 'a subcommand' 'export import init pin refresh show' trust ''
completes 'an option of the command' '--all-platforms --annotation --author' put --a
completes 'a global option' '--json' list --js
completes 'no option of another command' '' get --all
completes 'an option of a subcommand' '--threshold' trust pin --thr
completes 'a shell' 'zsh' completion z
completes 'a command to help' 'list' help li
touch ca.pem
completes 'a file for an option that takes one' 'ca.pem' list --cacert ca.p

t_done
