#!/bin/bash
# key passwd, rename, remove and export: what changes, what stays when something is wrong, and what is refused.
. "$(dirname "$0")/../support/t.sh"
. "$T_TOP/tests/support/job.sh"

unset MANIFESTO_PASSPHRASE
keys=$MANIFESTO_HOME/keys
image=oci:app:1.0
make_image app >/dev/null
echo content >file
printf 'old one\n' >old
printf 'new one\n' >new
terminal() { # [PATTERN ANSWER]... -- COMMAND...
	run "$(t_python)" "$T_TOP/tests/cli/terminal.py" "$@"
}
# There is no terminal, and stdin is not one.
alone() {
	run setsid -w "$@"
}
unchanged() { # NAME
	check "$1" cmp -s before "$keys/alice.key"
}
signs() { # NAME COMMAND...
	local name=$1
	shift
	alone manifesto put -q "$@" $image "t$RANDOM" file
	check_status "$name" 0
}

manifesto put -q --init --key alice --passphrase-file old $image qa file
fingerprint=$(manifesto key show alice --json | jq -r '.keys[0].fingerprint')

# --- passwd
cp "$keys/alice.key" before
alone manifesto key passwd alice --passphrase-file new --new-passphrase-file new
check_status 'a wrong old passphrase' 11
unchanged 'changes nothing'
since=$(date +%s%N)
alone manifesto key passwd alice --passphrase-file old
check_status 'no new passphrase and no terminal' 11
check 'takes no second' test $((($(date +%s%N) - since) / 1000000)) -lt 1000
check_stderr_has 'and names the places' 'MANIFESTO_NEW_PASSPHRASE'
unchanged 'changes nothing, and the old passphrase is not taken for the new one'
alone manifesto key passwd alice --passphrase-file old --new-passphrase-file nothing
check_status 'a file that is not there' 11
: >empty
alone manifesto key passwd alice --passphrase-file old --new-passphrase-file empty
check_status 'an empty one' 11
unchanged 'change nothing'
chmod 500 "$keys"
if [ "$(id -u)" != 0 ]; then
	alone manifesto key passwd alice --passphrase-file old --new-passphrase-file new
	check_status 'a directory that cannot be written' 1
	unchanged 'leaves the old file'
fi
chmod 700 "$keys"
alone manifesto key passwd --json alice --passphrase-file old --new-passphrase-file new
check_status 'a new passphrase from a file' 0
check_json 'the result is the key' '.schema == "manifesto/key-passwd/v1" and .keys[0].name == "alice" and .keys[0].encrypted and .keys[0].fingerprint == "'"$fingerprint"'"'
check 'the file is still its owner'\''s only' test "$(stat -c %a "$keys/alice.key")" = 600
check 'and alone' test "$(find "$keys" -type f | wc -l)" = 2
alone manifesto put -q --passphrase-file old $image no file
check_status 'the old one no longer signs' 11
signs 'the new one does' --passphrase-file new
MANIFESTO_NEW_PASSPHRASE='third' alone manifesto key passwd alice --passphrase-file new
check_status 'a new passphrase from the environment' 0
terminal 'Passphrase for key' 'third\n' 'New passphrase' 'fourth\n' 'same again' 'fifth\n' -- manifesto key passwd alice
check_status 'two that differ on the terminal' 11
terminal 'Passphrase for key' 'third\n' 'New passphrase' 'old one\n' 'same again' 'old one\n' -- manifesto key passwd alice
check_status 'a new passphrase on the terminal' 0
signs 'signs' --passphrase-file old
alone manifesto key passwd alice --passphrase-file old --no-passphrase
check_status '--no-passphrase takes it away' 0
check_stdout_has 'and says so' 'no passphrase now'
signs 'and signs without one'
alone manifesto key passwd alice --new-passphrase-file old
check_status 'a key without a passphrase gets one' 0
refused 'a key that is not there' 11 key passwd nobody

# --- rename
cp "$keys/alice.key" before
alone manifesto key rename alice bob --passphrase-file new
check_status 'rename needs the passphrase' 11
unchanged 'or changes nothing'
check 'no new file' test ! -e "$keys/bob.key"
alone manifesto key rename alice alice-root --passphrase-file old
check_status 'a name that exists' 12
alone manifesto key rename alice alice --passphrase-file old
check_status 'its own name' 12
alone manifesto key rename alice ../x --passphrase-file old
check_status 'no name' 2
alone manifesto key rename nobody x
check_status 'no key' 11
manifesto key name "$(printf '%064d' 7)" dana >/dev/null
alone manifesto key rename alice Dana --passphrase-file old
check_status 'one that looks like a colleague'\''s' 12
check_stderr_has 'which is named' "'dana'"
unchanged 'none of it changes anything'
alone manifesto key rename --json alice bob --passphrase-file old
check_status 'another name' 0
check_json 'is the key'\''s' '.schema == "manifesto/key-rename/v1" and .keys[0].name == "bob" and .keys[0].fingerprint == "'"$fingerprint"'"'
check 'the old file is gone' test ! -e "$keys/alice.key"
signs 'it signs under the old passphrase' --key bob --passphrase-file old

# --- remove
refused 'remove does not ask without a terminal' 2 key remove bob
check_stderr_has 'but wants a word' '--yes'
run manifesto key remove --dry-run --json bob
check_status '--dry-run' 0
check_json 'lists the roles that are known' '.schema == "manifesto/key-remove/v1" and .dryRun and .name == "bob" and ([.roles[] | select(.repository == "oci:'"$(realpath app)"'").role] | sort) == ["snapshot", "targets", "timestamp"] and .roles[0].otherKeys == 0 and .roles[0].threshold == 1'
check 'and removes nothing' test -e "$keys/bob.key"
terminal 'Type the name' 'y\n' -- manifesto key remove bob
check_status 'another answer than the name' 1
check_stdout_has 'it was shown who lists the key' "targets of oci:$(realpath app)"
check 'removes nothing' test -e "$keys/bob.key"
terminal 'Type the name' 'bob\n' -- manifesto key remove bob
check_status 'the name' 0
check 'removes the file' test ! -e "$keys/bob.key"
refused 'what is gone cannot be removed' 11 key remove --yes bob
manifesto key generate -q --no-passphrase carol
run manifesto key remove --yes carol
check_status '--yes does not ask' 0
check_stdout_has 'a key that nobody lists' 'knows no role'

# --- export
manifesto key generate -q --no-passphrase erin
manifesto key generate -q --no-passphrase --type ecdsa frank
run manifesto key export erin
check_stdout_is 'the public key as PEM' "$(manifesto key show erin --json | jq -r '.keys[0].publicKey')"
run manifesto key export erin --format openssh -o erin.pub
check_status 'to a file' 0
check 'that everybody may read' test "$(stat -c %a erin.pub)" = 644
refused 'which is not replaced' 12 key export erin --format openssh -o erin.pub
run manifesto key export --json erin --format minisign
check_json 'as JSON' '.schema == "manifesto/key-export/v1" and .name == "erin" and .format == "minisign" and .path == null and (.publicKey | startswith("untrusted comment: minisign public key "))'
refused 'minisign has no ECDSA keys' 2 key export frank --format minisign
check_stderr_has 'and the message says so' 'ecdsa'
refused 'a private key does not go to the terminal' 2 key export erin --format pkcs8
refused 'nor in an unknown format' 2 key export erin --format jwk
refused 'a directory and a format' 2 key export erin directory --format pem
refused 'a role without a directory' 2 key export erin --role targets
run manifesto key export erin --format manifesto -o erin.key
check_status 'a key file of ours' 0
check 'which is its owner'\''s only' test "$(stat -c %a erin.key)" = 600
MANIFESTO_HOME=$T/home/other run manifesto key import --no-passphrase erin2 erin.key
check_status 'is imported elsewhere' 0
check 'as the same key' test "$(MANIFESTO_HOME=$T/home/other manifesto key show erin2 --json | jq -r '.keys[0].fingerprint')" = "$(manifesto key show erin --json | jq -r '.keys[0].fingerprint')"

t_done
