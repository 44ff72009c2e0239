#!/bin/bash
# Passphrases, passwords and questions: which source is used, what is asked on a terminal, and that nothing is asked without one.
. "$(dirname "$0")/../support/t.sh"

keys=$MANIFESTO_HOME/keys
terminal() { # [PATTERN ANSWER]... -- COMMAND...
	run "$(t_python)" "$T_TOP/tests/cli/terminal.py" "$@"
}

# The key opens with the passphrase "secret", and with no other.
opens() { # NAME KEY
	mkdir -p "out-$2"
	MANIFESTO_PASSPHRASE=other run manifesto key export "$2" "out-$2" --role delegation
	check_status "$1: another passphrase does not open the key" 11
	check "$1: and nothing is written" test -z "$(ls "out-$2")"
	MANIFESTO_PASSPHRASE=secret run manifesto key export "$2" "out-$2" --role delegation
	check_status "$1: the passphrase opens the key" 0
}

printf 'secret\n' >secret
printf 'secret' >secret-bare
printf '\n' >empty
head -c 5000 /dev/zero | tr '\0' a >long

# --- sources
run manifesto key generate --passphrase-file secret file
check_status 'a passphrase from a file' 0
opens 'a passphrase from a file' file
run manifesto key generate --passphrase-file secret-bare bare
check_status 'a passphrase from a file without newline' 0
opens 'a passphrase from a file without newline' bare
run manifesto key generate --passphrase-fd 7 descriptor 7<secret
check_status 'a passphrase from a descriptor' 0
opens 'a passphrase from a descriptor' descriptor
run_with secret manifesto key generate --passphrase-fd 0 stdin
check_status 'a passphrase from standard input' 0
opens 'a passphrase from standard input' stdin
# shellcheck disable=SC2016 # for the inner shell
run manifesto key generate --passphrase-cmd '[ "$1" = command ] && echo secret' command
check_status 'a passphrase from a command, which gets the name of the key' 0
opens 'a passphrase from a command' command
MANIFESTO_PASSPHRASE=secret run manifesto key generate environment
check_status 'a passphrase from the environment' 0
opens 'a passphrase from the environment' environment
MANIFESTO_PASSPHRASE=other run manifesto key generate --passphrase-file secret order
check_status 'an option goes before the environment' 0
opens 'an option goes before the environment' order
run manifesto key generate --no-passphrase open
check_status 'a key without a passphrase' 0
run manifesto key list --json
check_json 'only that one has none' '[.keys[] | select(.encrypted | not) | .name] == ["open"]'
check 'the private key is for its owner only' test -z "$(find "$keys" -type f -perm /077)"

# --- sources that fail: one try, one line, status 11, no key
no_key() { # NAME TEXT COMMAND...
	local name=$1 text=$2
	shift 2
	run "$@" bad
	check_status "$name is refused" 11
	check_stderr_has "$name is named" "$text"
	check_stdout_empty "$name leaves stdout empty"
	check "$name makes no key" test ! -e "$keys/bad.key"
}
generate=(manifesto key generate)
no_key 'a missing passphrase file' "open --passphrase-file 'missing': No such file" "${generate[@]}" --passphrase-file missing
no_key 'a directory as passphrase file' 'Is a directory' "${generate[@]}" --passphrase-file out-file
no_key 'an empty passphrase' 'empty passphrase' "${generate[@]}" --passphrase-file empty
no_key 'a passphrase beyond all limits' 'more than' "${generate[@]}" --passphrase-file long
no_key 'a command that never ends its output' 'more than' "${generate[@]}" --passphrase-cmd yes
no_key 'a command that fails' 'exit status 3' "${generate[@]}" --passphrase-cmd 'echo secret; exit 3'
no_key 'a command that is killed' 'signal 9' "${generate[@]}" --passphrase-cmd 'kill -9 $$'
no_key 'no source and no terminal' '--passphrase-cmd was given, MANIFESTO_PASSPHRASE is not set, and there is no terminal' "${generate[@]}"
MANIFESTO_PASSPHRASE='' no_key 'an empty variable' 'MANIFESTO_PASSPHRASE is empty' "${generate[@]}"

# --- the terminal
terminal "New passphrase for key 'tty'" 'secret\n' 'The same again' 'secret\n' -- manifesto key generate tty
check_status 'a passphrase from the terminal' 0
check_stdout_lacks 'what is typed is not shown' secret
check_stdout_has 'the terminal shows what is typed again afterwards' 'echo on'
opens 'a passphrase from the terminal' tty
terminal "Passphrase for key 'tty'" 'other\n' -- manifesto key export tty out-tty --role delegation
check_status 'a wrong passphrase on the terminal is refused, without another try' 11
terminal 'New passphrase' 'secret\n' 'again' 'Secret\n' -- manifesto key generate bad
check_status 'two different passphrases are refused' 11
check_stdout_has 'and called so' 'differ'
terminal 'New passphrase' '\n' -- manifesto key generate bad
check_status 'an empty passphrase on the terminal is refused' 11
terminal 'New passphrase' '\x03' -- manifesto key generate bad
check_status 'Ctrl-C at the question ends by SIGINT' 130
check_stdout_has 'and leaves the terminal usable' 'echo on'
terminal 'New passphrase' 'SIGNAL:SIGTERM' -- manifesto key generate bad
check_status 'SIGTERM at the question ends by SIGTERM' 143
check_stdout_has 'and leaves the terminal usable too' 'echo on'
CI=true terminal -- manifesto key generate bad
check_status 'with CI set nobody is asked' 11
check_stdout_has 'and the message names it' 'CI is set'
check_stdout_lacks 'there is no question with CI set' 'New passphrase'
check 'none of these made a key' test ! -e "$keys/bad.key"

# --- the first put
make_image image >/dev/null
image=oci:image:$(jq -r '.manifests[0].annotations["org.opencontainers.image.ref.name"]' image/index.json)
echo '{}' >document
terminal 'Create it? [y/N]' 'n\n' -- manifesto put --no-passphrase "$image" qa document
check 'a first put is not made after a no' test ! -e image/trust
check 'a no fails' test "$status" != 0
terminal 'Create it? [y/N]' '\n' -- manifesto put --no-passphrase "$image" qa document
check 'a first put is not made after nothing' test ! -e image/trust
CI=1 terminal -- manifesto put --no-passphrase "$image" qa document
check_stdout_lacks 'with CI set there is no question' 'Create it'
check 'with CI set a first put needs --init' test ! -e image/trust
terminal 'Create it? [y/N]' 'y\n' -- manifesto put --no-passphrase "$image" qa document
check_status 'a first put is made after a yes' 0
run manifesto get "$image" qa
check_stdout_file 'and can be read' document

# --- the user's password
terminal "Password for user 'bob'" 'secret\n' -- manifesto list -u bob "$image"
check_status 'the password is asked for' 0
check_stdout_lacks 'and not shown' secret
CI=true terminal -- manifesto list -u bob "$image"
check_status 'with CI set it is not asked for' 2
run manifesto list -u bob:secret "$image"
check_status 'a password behind the user is taken' 0
check_stderr_has 'with a warning' 'manifesto: warning: a password given with'
check_stderr_lacks 'that does not show it' secret
run_with secret manifesto list -u bob --password-stdin "$image"
check_status 'a password from standard input is taken' 0
check_stderr_empty 'without a warning'
REGISTRY_PASSWORD=secret run manifesto list -u bob "$image"
check_status 'a password from the environment is taken' 0

t_done
