#!/bin/bash
# Keys with a passphrase: each way to give it, wrong passphrases, and no passphrase without a terminal.
. "$(dirname "$0")/../support/t.sh"
. "$T_TOP/tests/support/attack.sh"

image=oci:image:1.0
make_image image >/dev/null
echo '{"approved":true}' >approval.json
printf 'correct horse, battery\n' >right
printf 'correct horse, battery' >right-without-newline
printf 'wrong horse\n' >wrong
: >empty
printf '\n' >blank
head -c 5000 /dev/zero | tr '\0' x >long
WATCH=(home image)

# There is no terminal, and stdin is not one.
alone() {
	setsid -w "$@"
}

run alone manifesto put -q --init --key alice --passphrase-file right $image qa-approval approval.json
check_status 'the first put makes keys with the passphrase' 0
check 'which are encrypted' test "$(manifesto key show alice --json | jq '.keys[0].encrypted')" = true
check 'the root key too' test "$(manifesto key show alice-root --json | jq '.keys[0].encrypted')" = true
check 'the passphrase is not in the key file' test "$(grep -rc horse home/manifesto/keys | grep -vc ':0')" = 0

# --- the ways to give it
n=0
signs() { # NAME COMMAND...
	local name=$1
	n=$((n + 1))
	shift
	run alone "$@" $image "type-$n" approval.json
	if [ "$status" = 0 ] && [ ! -s "$T/stderr" ]; then ok "$name"; else not_ok "$name"; fi
}
signs 'from a file' manifesto put -q --passphrase-file right
signs 'from a file without a newline' manifesto put -q --passphrase-file right-without-newline
signs 'from a command' manifesto put -q --passphrase-cmd 'cat right'
signs 'from the environment' env MANIFESTO_PASSPHRASE='correct horse, battery' manifesto put -q
signs 'from a descriptor' bash -c 'exec manifesto put -q --passphrase-fd 3 "$@" 3<right' -
signs 'from standard input' bash -c 'exec manifesto put -q --passphrase-fd 0 "$@" <right' -
signs 'from a pipe' bash -c 'cat right | manifesto put -q --passphrase-fd 0 "$@"' -
# shellcheck disable=SC2016 # for the inner shell
signs 'the option goes before the environment' env MANIFESTO_PASSPHRASE=wrong manifesto put -q --passphrase-file right
run alone manifesto put -vv --passphrase-file right $image verbose approval.json
check_status 'put -vv' 0
check_stderr_lacks 'shows no passphrase' 'horse'
gets 'reading needs none' approval.json $image qa-approval
run alone manifesto get --passphrase-cmd 'touch asked' $image qa-approval
check 'and does not ask' test ! -e asked

# --- wrong ones
wrong() { # NAME STATUS TEXT COMMAND...
	local name=$1 want=$2 text=$3
	shift 3
	refuses "$name" "$want" "$text" alone "$@" $image new-type approval.json
}
wrong 'a wrong passphrase' 11 'passphrase' manifesto put -q --passphrase-file wrong
check_stderr_lacks 'which is not shown' 'horse'
wrong 'a wrong one from a command' 11 'passphrase' manifesto put -q --passphrase-cmd 'cat wrong'
wrong 'a wrong one from the environment' 11 'passphrase' env MANIFESTO_PASSPHRASE=wrong manifesto put -q
wrong 'a wrong one from a descriptor' 11 'passphrase' bash -c 'exec manifesto put -q --passphrase-fd 3 "$@" 3<wrong' -
wrong 'an empty file' 11 '' manifesto put -q --passphrase-file empty
wrong 'an empty line' 11 '' manifesto put -q --passphrase-file blank
wrong 'a passphrase of 5,000 bytes' 11 '' manifesto put -q --passphrase-file long
wrong 'a file that is not there' 11 'no-file' manifesto put -q --passphrase-file no-file
wrong 'a directory' 11 'directory' manifesto put -q --passphrase-file image
wrong 'a command that fails' 11 '' manifesto put -q --passphrase-cmd 'exit 3'
wrong 'a command that says nothing' 11 '' manifesto put -q --passphrase-cmd true
wrong 'a command that is not there' 11 '' manifesto put -q --passphrase-cmd 'no-such-command 2>/dev/null'
wrong 'a descriptor that is closed' 2 '77' manifesto put -q --passphrase-fd 77
wrong 'a descriptor that is none' 2 'x' manifesto put -q --passphrase-fd x
wrong 'two ways at once' 2 'exclude' manifesto put -q --passphrase-file right --passphrase-cmd 'cat right'

# --- without a terminal
since=$(date +%s%N)
wrong 'no passphrase and no terminal' 11 'passphrase' manifesto put
took=$((($(date +%s%N) - since) / 1000000))
check "which takes no second ($took ms)" test $took -lt 1000
check 'in few words' test "$(wc -c <"$T/stderr")" -lt 600
wrong 'an empty variable counts as none' 11 'passphrase' env MANIFESTO_PASSPHRASE= manifesto put
mkdir -m 700 home/fresh
make_image fresh >/dev/null
WATCH=(home fresh)
refuses 'nor for new keys' 11 'passphrase' alone env MANIFESTO_HOME="$T/home/fresh" manifesto put --init oci:fresh:1.0 qa-approval approval.json
check 'and none is written' test ! -e home/fresh/keys
check 'nor a repository' test ! -e fresh/trust
refuses 'an empty passphrase for a new key' 11 '' alone env MANIFESTO_HOME="$T/home/fresh" manifesto put -q --passphrase-file empty --init oci:fresh:1.0 qa-approval approval.json
run alone env MANIFESTO_HOME="$T/home/fresh" manifesto put -q --no-passphrase --init oci:fresh:1.0 qa-approval approval.json
check_status '--no-passphrase must be given' 0

# --- keys
rm -rf home/other
mkdir -p home/other
cp -a home/manifesto/trust.json home/manifesto/floors home/other
WATCH=(home image)
refuses 'no key at all' 11 'key' alone env MANIFESTO_HOME="$T/home/other" manifesto put -q $image new-type approval.json
MANIFESTO_HOME=$T/home/other manifesto key generate --no-passphrase bob >/dev/null 2>&1
refuses 'only a key that the role does not list' 11 'targets' alone env MANIFESTO_HOME="$T/home/other" manifesto put -q $image new-type approval.json
refuses 'a key named that is not there' 11 'carol' alone manifesto put -q --passphrase-file right --key carol $image new-type approval.json
sed 's/"[0-9a-zA-Z+/=]\{40,\}"/"AAAA"/' home/manifesto/keys/alice.key >damaged
cp home/manifesto/keys/alice.key alice.key
cp damaged home/manifesto/keys/alice.key
run alone manifesto put -q --passphrase-file right $image new-type approval.json
check_status 'a damaged key file' 11
check_stdout_empty 'gives no output'
cp alice.key home/manifesto/keys/alice.key
chmod 666 home/manifesto/keys/alice.key
run alone manifesto put -q --passphrase-file right $image readable approval.json
check 'a key file that everybody can write is named or refused' grep -q 'alice.key' "$T/stderr"

t_done
