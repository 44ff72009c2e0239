#!/bin/bash
# Completion in the shells: commands, options, files, and the names that this machine knows.
. "$(dirname "$0")/../support/t.sh"

for shell in bash zsh fish; do
	run manifesto completion $shell
	check_status "a script for $shell" 0
	cp "$T/stdout" "completion.$shell"
done
run manifesto completion tcsh
check_status 'a script for another shell is a usage error' 2

# --- what may stand there
offers() { # NAME EXPECTED WORD...: the last one is to be completed
	local name=$1 expected=$2
	shift 2
	run manifesto __complete -- "$@"
	check "offers $name" test "$(cut -f 1 "$T/stdout" | LC_ALL=C sort | tr '\n' ' ')" = "${expected:+$expected }"
	check_stderr_empty "offers $name: nothing is reported"
	check_status "offers $name: no failure" 0
}
offers 'a command' 'put' pu
offers 'commands' 'bundle cache completion copy export get help history key list mirror policy proposal prune put repair report rm role sign status trust verify version veto withdraw' ''
offers 'a command behind an option with a value' 'get' --role x g
offers 'a command behind an option with =' 'get' --role=x g
offers 'subcommands' 'clock export forget import init map pin refresh rotate show' trust ''
offers 'nothing for an unknown command' '' nothing ''
offers 'an option of the command' '--all-platforms --annotation --author' put --a
offers 'a global option' '--json' list --js
offers 'a global option before the command' '--json' --js
offers 'no option of another command' '' get --all
offers 'an option of a subcommand' '--threshold' trust pin --thr
offers 'no option behind --' '' list -- --js
offers 'a shell' 'zsh' completion z
offers 'a command to help' 'list' help li
offers 'a subcommand to help' 'init' help trust in
offers 'files for an option that takes one' ':files' list --cacert ''
offers 'files for an option with =' ':files' list --cacert=ca
offers 'files behind a short option' ':files' role apply -f ''
offers 'files as an argument' ':files' put app qa ''
offers 'nothing behind the last argument' '' put app qa file ''
offers 'nothing for a value that nobody can know' '' put --author ''
offers 'nothing for an option that does not exist' '' put --no=
run manifesto __complete -- put --forc
check_stdout_is 'the effect of an option on the command is shown beside it' "--force	replace the record even if it changed in the meantime or is the same"

# --- names that this machine knows
export MANIFESTO_KEY=alice
make_image app >/dev/null
echo content >file
manifesto put --init --no-passphrase oci:app:1.0 qa-approval file >/dev/null 2>&1
manifesto key generate --no-passphrase bob >/dev/null
manifesto role add --key bob --types scan,seccomp oci:app:1.0 security >/dev/null 2>&1
offers 'types that are there, and that a role may sign' 'qa-approval scan seccomp' get oci:app:1.0 ''
offers 'the type that begins so' 'qa-approval' get oci:app:1.0 q
offers 'types for an option' 'scan seccomp' list oci:app --type s
offers 'types for an option with =' '--types=scan --types=seccomp' role add oci:app security --types=s
offers 'the last type of a list' 'qa-approval,scan qa-approval,seccomp' list oci:app --type qa-approval,s
offers 'roles' 'security targets' role keys oci:app:1.0 ''
offers 'roles for an option' 'security' put oci:app:1.0 --role s
offers 'keys' 'alice alice-root bob' key show ''
offers 'keys for an option, and files where colleagues give theirs' ':files bob' role add oci:app qa --key b
offers 'keys to sign with' '--key=bob' sign oci:app scan --key=b
offers 'repositories that are pinned, and files of layouts' ":files oci:$(realpath app)" list "oci:$(realpath app)"
cp app/trust/metadata/1.security.json 'app/trust/metadata/1.se;id.json'
cp app/trust/metadata/1.security.json app/trust/metadata/1.--role.json
offers 'no role whose name is more than a word' 'security' put oci:app:1.0 --role s
offers 'no role whose name is an option' 'security targets' role keys oci:app:1.0 ''
rm 'app/trust/metadata/1.se;id.json' app/trust/metadata/1.--role.json
touch qa-file
sed -i.old 's|"oci:/|"oci:/x\xe2\x80\xae|' "$MANIFESTO_HOME/trust.json"
offers 'nothing that is unsafe to show' ':files' list oci:/x

# shellcheck disable=SC2016,SC1003 # no expansion is wanted
for bad in '$(id)' '`id`' ';id' '|id' '&id' '>x' '<x' 'a b' "'" '\\\\' '*' '{a,b}' '!!' '~'; do
	BAD=$bad perl -pe 's|"oci:/|"oci:/x$ENV{BAD}|' "$MANIFESTO_HOME/trust.json.old" >"$MANIFESTO_HOME/trust.json"
	offers "nothing that a shell would not take for a word: $bad" ':files' list oci:/x
done
mv "$MANIFESTO_HOME/trust.json.old" "$MANIFESTO_HOME/trust.json"

# No request is made, and nothing is written.
find "$MANIFESTO_HOME" "$XDG_CACHE_HOME" app -printf '%p %T@\n' 2>/dev/null | sort >before
export MANIFESTO_TRUST_SERVER=http://127.0.0.1:1
offers 'nothing for a repository that this machine has never seen' '' get 127.0.0.1:1/a/b ''
unset MANIFESTO_TRUST_SERVER
offers 'and keeps everything as it is' 'qa-approval' get oci:app q
find "$MANIFESTO_HOME" "$XDG_CACHE_HOME" app -printf '%p %T@\n' 2>/dev/null | sort >after
check_same_file 'completion writes nothing' before after
MANIFESTO_HOME=/dev/null/x offers 'nothing when the home cannot be read' '' key show ''

# --- bash
# shellcheck disable=SC1091 # printed above
. ./completion.bash
bash_completes() { # LINE EXPECTED
	# shellcheck disable=SC2034 # read by the completion function
	COMP_LINE=$1 COMP_POINT=${#1} COMPREPLY=()
	_manifesto 2>/dev/null
	check "bash completes '$1'" test "$(printf '%s\n' "${COMPREPLY[@]}" | LC_ALL=C sort | tr '\n' ' ' | sed 's/ $//')" = "$2"
}
bash_completes 'manifesto pu' put
bash_completes 'manifesto trust ' 'clock export forget import init map pin refresh rotate show'
bash_completes 'manifesto put --role=s oci:app:1.0 ' 'qa-approval scan seccomp'
bash_completes 'manifesto put --role=x oci:app:1.0 q' 'qa-approval'
bash_completes 'manifesto put oci:app:1.0 --role=s' 'security'
bash_completes "manifesto list oci:${PWD:0:3}" "$(realpath app)"
bash_completes 'manifesto get no-such --xx' ''
types() { # KEYS EXPECTED COMMAND...: what a shell shows when they are typed
	local keys=$1 expected=$2
	shift 2
	run "$(t_python)" "$T_TOP/tests/cli/terminal.py" '$ ' "$keys" "$expected" '\x15exit 0\n' -- "$@"
	check_status "${1##*/} shows '$expected'" 0
}
cat >bashrc <<'END'
PS1='$ '
. ./completion.bash
END
types 'manifesto key sh\t' 'key show ' bash --noprofile --rcfile bashrc -i
types 'manifesto list --cacert=qa-f\t' '--cacert=qa-file ' bash --noprofile --rcfile bashrc -i
types 'manifesto get oci:app:1.0 qa\t' 'qa-approval ' bash --noprofile --rcfile bashrc -i

# --- zsh and fish
mkdir -p zsh
cat >zsh/.zshrc <<'END'
PS1='$ '
autoload -U compinit
compinit -u -D
. ./completion.zsh
END
types 'manifesto key sh\t' 'ow' env ZDOTDIR=zsh zsh -i
types 'manifesto list --cacert=qa-f\t' 'ile' env ZDOTDIR=zsh zsh -i
types 'manifesto get oci:app:1.0 qa\t' '-approval' env ZDOTDIR=zsh zsh -i
fish_completes() { # LINE EXPECTED
	# shellcheck disable=SC2016 # of fish
	run fish --no-config -c 'source completion.fish; complete -C $argv[1]' "$1"
	check "fish completes '$1'" test "$(cut -f 1 "$T/stdout" | LC_ALL=C sort | tr '\n' ' ')" = "$2 "
}
fish_completes 'manifesto pu' put
fish_completes 'manifesto key ' 'add export generate import list name passwd remove rename revoke show'
fish_completes 'manifesto get oci:app:1.0 q' 'qa-approval'
fish_completes 'manifesto list --cacert qa-f' 'qa-file'
fish_completes 'manifesto list --cacert=qa-f' '--cacert=qa-file'

t_done
