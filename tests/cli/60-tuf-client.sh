#!/bin/bash
# manifesto-tuf: its help, its manual page and what it takes are the same.
. "$(dirname "$0")/../support/t.sh"

tuf=$(dirname "$T_MANIFESTO")/manifesto-tuf
export ASAN_OPTIONS=${ASAN_OPTIONS:-exitcode=99} # 1 is a status of the program's
manual=$T_TOP/docs/manifesto-tuf.1

option_names() { # FILE
	grep -oE -e '(^|[^a-z-])--[a-z][a-z-]+' "$1" | grep -oE -e '--[a-z-]+' | sort -u
}

run "$tuf" --help
check_status '--help' 0
cp stdout help
check 'no line of it is longer than 90 columns' test -z "$(grep -E '.{91}' help)"
option_names help >help.options
check 'the database of manual pages aside, mandoc finds nothing to say' test -z "$(mandoc -T lint -W style "$manual" 2>&1 | grep -vE 'mandoc.db|not found: Xr manifesto 1')"
mandoc -T ascii "$manual" | col -bx >manual.txt
option_names manual.txt >manual.options
check 'the manual page and --help name the same options' diff manual.options help.options
for word in init refresh download; do
	check "both tell of $word" test "$(grep -cE "^ *$word( |$)" help manual.txt | grep -vc ':0$')" = 2
done
while read -r option; do
	run "$tuf" "$option" --metadata-dir md nothing
	check_stderr_lacks "$option is taken" 'unknown option'
done <help.options
check 'the limit in both is the same' test "$(grep -oE '268435456|120' help | sort -u | tr '\n' ' ')" = "$(grep -oE '268435456|120' manual.txt | sort -u | tr '\n' ' ')"

t_done
