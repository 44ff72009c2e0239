#!/bin/bash
# Bad input that needs no server: the exit status, one clear line on stderr (and a hint), nothing on stdout, nothing changed on disk.
. "$(dirname "$0")/../support/t.sh"

# The state on disk: all of the images, and the files of the home. Lock files are ignored: they are empty and stay.
snapshot() {
	{
		find "$T/work" -printf '%p %y %m %s %l\n'
		find "$HOME" -name locks -prune -o ! -type d -printf '%p %y %m %s %l\n'
		find "$HOME" "$T/work" -type f -size -512k ! -path '*/locks/*' -exec sha256sum {} +
	} | LC_ALL=C sort
}

# One check for all properties of a refusal.
refuses() { # NAME STATUS TEXT COMMAND...
	local name=$1 want=$2 text=$3 why=()
	shift 3
	run "$@"
	[ "$status" = "$want" ] || why+=("status $status, expected $want")
	[ ! -s "$T/stdout" ] || why+=('stdout is not empty')
	[ "$(grep -c '^manifesto: ' "$T/stderr")" = "$(wc -l <"$T/stderr")" ] || why+=('a line on stderr has no prefix')
	[ "$(grep -vc '^manifesto: hint: ' "$T/stderr")" = 1 ] || why+=('not one line of message on stderr')
	[ "$(wc -l <"$T/stderr")" -le 2 ] || why+=('more than a message and a hint on stderr')
	grep -v '^manifesto: hint: ' "$T/stderr" | grep -qF -e "$text" || why+=("the message lacks: $text")
	LC_ALL=C grep -q '[^[:print:]]' "$T/stderr" && why+=('control characters on stderr')
	snapshot >"$T/after"
	cmp -s "$T/before" "$T/after" || why+=("changed on disk: $(diff "$T/before" "$T/after" | head -5)")
	if [ ${#why[@]} = 0 ]; then ok "$name"; else not_ok "$name" "${why[@]}"; fi
}

mkdir "$T/work"
cd "$T/work" || exit 1
make_image image >/dev/null
make_image other --tag 2.0 >/dev/null
make_image other --tag 2.1 --seed more >/dev/null
tag=$(jq -r '.manifests[0].annotations["org.opencontainers.image.ref.name"]' image/index.json)
good=oci:image:$tag
echo '{"approved":true}' >approval.json
truncate -s 257M large
mkdir directory
snapshot >"$T/before"

# --- commands and options
refuses 'no command' 2 'no command' manifesto
refuses 'an unknown command' 2 "did you mean 'list'" manifesto lits x
refuses 'an unknown command unlike any' 2 "unknown command 'frobnicate'" manifesto frobnicate
refuses 'a command with control characters' 2 'unknown command' manifesto $'\e[31mput'
refuses 'a group without its subcommand' 2 'init, show, refresh, rotate, pin' manifesto trust
refuses 'an unknown subcommand' 2 "did you mean 'trust init'" manifesto trust intt
refuses 'an unknown option' 2 "did you mean '--force'" manifesto put --frce "$good" qa approval.json
refuses 'an unknown option before the command' 2 "unknown option '--x'" manifesto --x list "$good"
refuses 'an unknown short option' 2 "unknown option '-x'" manifesto list -x "$good"
refuses 'an option without its value' 2 "'--role' needs a value" manifesto list "$good" --role
refuses 'an option with an empty value' 2 "'--role' has an empty value" manifesto list "$good" --role=
refuses 'a flag with a value' 2 "'--force' takes no value" manifesto put --force=yes "$good" qa approval.json
refuses 'an option given twice' 2 "'--role' is given twice" manifesto get --role a "$good" qa --role=b
refuses 'a short and a long form given twice' 2 "'--username' is given twice" manifesto list -u a "$good" --username=b
refuses 'an option of another command' 2 "takes no option '--init'" manifesto list --init "$good"
refuses 'options that exclude each other' 2 'exclude each other' manifesto put --platform linux/arm64 --all-platforms "$good" qa approval.json
refuses 'quiet and verbose' 2 'exclude each other' manifesto list -v -q "$good"
refuses 'two sources for the passphrase' 2 'exclude each other' manifesto put --passphrase-fd 3 --passphrase-cmd x "$good" qa approval.json
refuses 'a client key without certificate' 2 "needs '--client-cert'" manifesto list --client-key k "$good"

# --- numbers of arguments
refuses 'put with too few arguments' 2 'takes at least 3 arguments (IMAGE... TYPE FILE), 2 given' manifesto put "$good" qa
refuses 'get with too few arguments' 2 'takes 2 arguments (IMAGE TYPE), 1 given' manifesto get "$good"
refuses 'get with too many arguments' 2 '3 given' manifesto get "$good" qa more
refuses 'list with none' 2 'takes 1 argument (IMAGE), 0 given' manifesto list
refuses 'list with too many' 2 '2 given' manifesto list "$good" more
refuses 'trust pin with too few' 2 'at least 2' manifesto trust pin "$good"
refuses 'version with an argument' 2 'takes no arguments' manifesto version now
refuses 'an option behind -- is an argument' 2 '2 given' manifesto list -- "$good" --json

# --- values
refuses 'a malformed annotation' 2 'not KEY=VALUE' manifesto put --annotation nothing "$good" qa approval.json
refuses 'an annotation given twice' 2 'given twice' manifesto put --annotation a=1 --annotation a=2 "$good" qa approval.json
for type in plain text/ /plain a/b/c 'a b/c' $'text/plain\nx' $'text/pl\xe4in' "text/$(printf 'a%.0s' {1..300})"; do
	refuses "the media type $(printf '%.20q' "$type")" 2 'expected a media type TYPE/SUBTYPE' manifesto put --init --no-passphrase --media-type "$type" "$good" qa approval.json
done
refuses 'a malformed expiry' 2 "--expires 'tomorrow'" manifesto put --expires tomorrow "$good" qa approval.json
refuses 'an expiry in the past' 2 'in the past' manifesto put --expires 2001-02-03T04:05:06Z "$good" qa approval.json
refuses 'a timeout of nothing' 2 "--timeout '0'" manifesto list --timeout 0 "$good"
refuses 'a timeout beyond any number' 2 '--timeout' manifesto list --timeout 99999999999999999999d "$good"
refuses 'a malformed threshold' 2 "--threshold '-1'" manifesto trust pin --threshold -1 "$good" x
refuses 'a descriptor that is not open' 2 'not open' manifesto put --passphrase-fd 9 "$good" qa approval.json
refuses 'an output as source of the passphrase' 2 'an output' manifesto put --passphrase-fd 1 "$good" qa approval.json
refuses 'a list of images from standard input, twice' 2 'more than once' manifesto verify --require qa - -
refuses 'a signing key with an impossible name' 2 "invalid key name 'a b'" manifesto trust init --key 'a b' "$good"
refuses 'and from the environment' 2 "invalid key name '../x'" env MANIFESTO_KEY=../x manifesto put --init "$good" qa approval.json
refuses 'standard input for two purposes' 2 'twice' manifesto put --passphrase-fd 0 "$good" qa -
refuses 'a password from stdin for nobody' 2 "needs '-u USER'" manifesto list --password-stdin "$good"
refuses 'a user without a password' 2 'REGISTRY_PASSWORD is not set' manifesto list -u bob "$good"
refuses 'an empty password on stdin' 2 'empty' manifesto list -u bob --password-stdin "$good"
refuses 'a password given twice' 2 'given twice' manifesto list -u bob:secret --password-stdin "$good"
refuses 'key export without a role' 2 "needs '--role'" manifesto key export alice directory

run manifesto --json put --frce
check_status 'a usage error in JSON has its status' 2
check_stdout_empty 'a usage error in JSON leaves stdout empty'
check_json 'a usage error in JSON is one document on stderr' \
	'.error | .code == "usage" and .exit == 2 and (.message | contains("--frce")) and has("endpoint") and has("hint")' "$T/stderr"

run manifesto --json get "$good" qa
check_json 'a JSON document and the content cannot both go to stdout' '.error | .exit == 2 and (.message | contains("--output"))' "$T/stderr"
check_stdout_empty 'and neither does'
run manifesto completion bash --json
check_json 'a completion script is no JSON' '.error.exit == 2' "$T/stderr"
check_stdout_empty 'and is not printed then'

# --- image references, digests, types
long=$(printf 'a%.0s' {1..129})
for image in '' ' ' 'oci:' 'oci::1.0' 'UPPER/case' 'a//b' '/a' 'a/' 'a b' 'a:' 'a@' "a:$long" 'a:.x' 'a@sha256:abc' 'a@sha256:' \
	"a@md5:$(printf '0%.0s' {1..32})" "a@sha256:$(printf 'A%.0s' {1..64})" "oci:image:$tag@sha256:12" 'docker://' \
	$'a\nb' $'a\e[31m' "$(printf 'a%.0s' {1..3000})"; do
	name=$(printf '%.20q' "$image")
	refuses "list of the malformed image $name" 2 '' manifesto list "$image"
	refuses "put to the malformed image $name" 2 '' manifesto put --init --no-passphrase "$image" qa approval.json
done
for type in '' 'QA' 'a b' '-a' 'a-' 'a/b' 'a--b' '..' '.' "$long" $'a\nb' 'é' 'a@b'; do
	name=$(printf '%.20q' "$type")
	refuses "put of the malformed type $name" 2 '' manifesto put --init --no-passphrase "$good" "$type" approval.json
	refuses "get of the malformed type $name" 2 '' manifesto get "$good" "$type"
done

refuses 'a directory without oci:' 2 'invalid registry' manifesto list ./image
check_stderr_has 'the hint shows how a layout is written' 'oci:DIRECTORY'

# --- trust servers
away=localhost:1/acme/app:1.0
refuses 'a trust server without a scheme' 2 "'localhost:4443' has no scheme" manifesto list --trust-server localhost:4443 "$away"
refuses 'nor is a directory made of it' 2 'no scheme' manifesto put --init --no-passphrase --trust-server directory "$away" qa approval.json
refuses 'a trust server with a password' 2 'without user' manifesto list --trust-server https://bob:geheim@localhost:4443 "$away"
check_stderr_lacks 'it is not repeated' geheim
refuses 'a trust server with a query' 2 'without user and query' manifesto list --trust-server 'https://localhost:4443/?x=1' "$away"
refuses 'a repository on the trust server' 2 'the URL of one repository' manifesto list --trust-server https://localhost:4443/v2/a/b/_trust/tuf/ "$away"
refuses 'a root file that is none' 6 "root file 'approval.json'" manifesto trust pin "$away" approval.json --trust-server https://localhost:1

# --- files
put=(manifesto put --init --no-passphrase)
refuses 'a missing file' 2 'missing.json' "${put[@]}" "$good" qa missing.json
refuses 'a directory' 2 'directory' "${put[@]}" "$good" qa directory
refuses 'a file of 257 MiB' 2 "'large' is larger than" "${put[@]}" "$good" qa large
if [ "$(id -u)" = 0 ]; then
	unreadable=/proc/self/mem # for root modes say nothing; reading this fails for everybody
else
	unreadable=$T/unreadable
	: >"$unreadable"
	chmod 000 "$unreadable"
fi
refuses 'an unreadable file' 2 "$unreadable" "${put[@]}" "$good" qa "$unreadable"
# shellcheck disable=SC2016 # for the inner shell
refuses 'stdin that is closed' 2 'standard input' sh -c '"$@" <&-' sh "${put[@]}" "$good" qa -

# --- images
refuses 'put to a layout that does not exist' 3 'nowhere' "${put[@]}" oci:nowhere:1.0 qa approval.json
refuses 'list of a layout that does not exist' 3 'nowhere' manifesto list oci:nowhere:1.0
refuses 'get from a layout that does not exist' 3 'nowhere' manifesto get oci:nowhere:1.0 qa
refuses 'put to a directory that is no layout' 3 'directory' "${put[@]}" oci:directory:1.0 qa approval.json
refuses 'put to a tag that does not exist' 3 '9.9' "${put[@]}" oci:image:9.9 qa approval.json
refuses 'put to a digest that does not exist' 3 "$(printf '0%.0s' {1..64})" "${put[@]}" "oci:image@sha256:$(printf '0%.0s' {1..64})" qa approval.json
refuses 'list without a trust repository' 3 "no trust repository of 'oci:$T/work/image' at 'image/trust'" manifesto list "$good"
refuses 'get without a trust repository' 3 'no trust repository' manifesto get "$good" qa
refuses 'a first put without --init and terminal' 3 'no trust repository' manifesto put --no-passphrase "$good" qa approval.json
refuses 'a first put without a passphrase' 11 'MANIFESTO_PASSPHRASE' manifesto put --init "$good" qa approval.json

# --- records, with a trust repository there
run "${put[@]}" "$good" qa approval.json
check_status 'a record is put' 0
run manifesto get "$good" qa
check_stdout_file 'and read' approval.json
snapshot >"$T/before"
refuses 'a record that does not exist' 3 'nothing' manifesto get "$good" nothing
check_stderr_has 'the hint has the command that lists them' "manifesto list $good"
refuses 'list of a tag that does not exist' 3 '9.9' manifesto list oci:image:9.9
refuses 'get of a tag that does not exist' 3 '9.9' manifesto get oci:image:9.9 qa
refuses 'a role that does not exist' 3 "role 'targets/none' has no 'qa' record" manifesto get --role targets/none "$good" qa

# --- what is kept at home cannot be read; root may read everything but a link to itself
for file in "$MANIFESTO_HOME/trust.json" "$MANIFESTO_HOME"/floors/*.json; do
	mv "$file" "$T/kept"
	ln -s "${file##*/}" "$file"
	snapshot >"$T/before"
	refuses "${file##*/} cannot be opened" 1 "$file" manifesto get "$good" qa
	mv "$T/kept" "$file"
done
snapshot >"$T/before"
(cd "$T/work" && env -u MANIFESTO_HOME -u XDG_CACHE_HOME -u XDG_DATA_HOME HOME=relative "$(command -v manifesto)" list --tofu "$good") >"$T/stdout" 2>"$T/stderr"
check 'a relative HOME is below the working directory' test -f relative/.local/share/manifesto/trust.json
rm -rf relative

# --- stdout closed
# A pipe takes 64 KiB; more than that meets the end of its reader.
head -c 300000 /dev/urandom >payload
run "${put[@]}" "$good" big payload
check_status 'a record larger than a pipe is put' 0
snapshot >"$T/before"
for reader in 'head -c1' true; do
	manifesto get "$good" big 2>"$T/stderr" | $reader >"$T/byte"
	status=${PIPESTATUS[0]}
	check_status "get into '$reader' fails" 1
	check "get into '$reader' says so in one line" test "$(cat "$T/stderr")" = 'manifesto: write standard output: Broken pipe'
done
manifesto get "$good" qa 2>"$T/stderr" >/dev/full
status=$?
check_status 'get to a full disk fails' 1
check_stderr_has 'get to a full disk says so' 'write standard output: No space left on device'
manifesto list "$good" 2>"$T/stderr" >/dev/full
status=$?
check_status 'list to a full disk fails' 1
manifesto get "$good" qa 2>"$T/stderr" >&-
status=$?
check_status 'get to a closed stdout fails' 1
check_stderr_has 'get to a closed stdout says so' 'write standard output'
manifesto list "$good" >&- 2>"$T/stderr"
status=$?
check_status 'list to a closed stdout fails' 1
snapshot >"$T/after"
check 'nothing of this changed anything' diff "$T/before" "$T/after"

t_done
