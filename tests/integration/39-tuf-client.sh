#!/bin/bash
# manifesto-tuf as a program: its options, its exit status, answers of servers, and its files. The unit tests check what it
# trusts, without a server.
. "$(dirname "$0")/../support/t.sh"
. "$T_TOP/tests/support/attack.sh"
. "$T_TOP/tests/support/job.sh"

tuf=$(dirname "$T_MANIFESTO")/manifesto-tuf
export ASAN_OPTIONS=${ASAN_OPTIONS:-exitcode=99} # 1 is a status of the program's
unset MANIFESTO_PASSPHRASE

# --- a repository, an HTTP/1.0 server of files, one with faults before it
make_image layout >/dev/null
head -c 700000 /dev/urandom >large
manifesto put -q --init --no-passphrase oci:layout:1.0 qa-approval "$approval" || t_bail 'the first record'
manifesto put -q oci:layout:1.0 large large || t_bail 'the second record'
repo=$(dirname "$(find layout -name 1.root.json)")
name=$(cd "$repo/targets" && find qa-approval -type f -name '*.sha256-*' | sed 's|/[0-9a-f]*\.|/|')
large=${name/qa-approval/large}
file=${name/\//%2F}
hash=$(sum "$approval")

serve_files "$repo"
files=$files_url
proxy P "$files"
proxy Q "$files"
# shellcheck disable=SC2153 # set by proxy
url=http://$P

reset() {
	faults P
	rm -rf md td
	"$tuf" --metadata-dir md init "$repo/1.root.json" || t_bail 'init'
}
refresh() { # [options]
	run "$tuf" --metadata-dir md --metadata-url "$url" "$@" refresh
}
download() { # NAME [options]
	local target=$1
	shift
	run "$tuf" --metadata-dir md --metadata-url "$url" --target-base-url "$url/targets" --target-dir td --target-name "$target" "$@" download
}
state() {
	find md td -type f ! -name .lock -exec sha256sum {} + 2>/dev/null | sort -k2
}
stored() { # NAME FILES...: all that is in the metadata directory
	local name=$1
	shift
	check "$name" test "$(cd md && find . -mindepth 1 ! -name .lock | sort | tr '\n' ' ')" = "$(printf './%s.json ' "$@")"
}
nothing_left() { # NAME
	check "$1: nothing in the target directory" test -z "$(find td -mindepth 1 2>/dev/null)"
	check "$1: nothing in the directory of temporary files" test -z "$(find "$TMPDIR" -mindepth 1)"
}
failed() { # NAME TEXT: what the last run should be
	check_status "$1: status 1" 1
	check_stdout_empty "$1: nothing on stdout"
	check_stderr_has "$1: the message" "$2"
	check "$1: from us" grep -q '^manifesto-tuf: ' "$T/stderr"
}

# --- without faults
reset
stored 'init stores the root, and nothing else' root
check_same_file 'byte for byte' md/root.json "$repo/1.root.json"
refresh
check_status 'refresh' 0
check_stdout_empty 'it says nothing'
check_stderr_empty 'nor on stderr'
stored 'the four roles are stored' root snapshot targets timestamp
check_same_file 'the timestamp is the one that was served' md/timestamp.json "$repo/timestamp.json"
check 'no target directory was made' test ! -e td
download "$name"
check_status 'download' 0
check_stdout_empty 'it says nothing'
check_same_file 'the content, under the quoted name' "td/$file" "$approval"
check 'no other file' test "$(ls -A td)" = "$file"
faults P
download "$name"
check_status 'download again' 0
check 'asks for two files of metadata only' test "$(jq -r .path "$T/P.log" | tr '\n' ' ')" = '/2.root.json /timestamp.json '
download "$large" --target-name "$name" -v
check_status 'two targets' 0
check_same_file 'the large one' "td/${large/\//%2F}" large
check_stderr_has '-v says what is fetched' "manifesto-tuf: get $url/timestamp.json"
run "$tuf" --metadata-dir=md --metadata-url="$url/" --target-base-url="$url/targets/" --target-dir=td2/a/b --target-name="$name" \
	--timeout=30 --max-target-length="$(stat -c %s "$approval")" --verbose download
check_status 'options with =, URLs that end in a slash' 0
check_same_file 'directories are made' "td2/a/b/$file" "$approval"
run "$tuf" download --target-name "$name" --target-dir td3 --target-base-url "$files/targets" --metadata-url "$files" --metadata-dir md
check_status 'options behind the command, an HTTP/1.0 server' 0
check_same_file 'it works' "td3/$file" "$approval"

# --- several targets
reset
download "$name" --target-name nowhere --target-name "$large"
failed 'the first that fails ends the run' "no role of the repository has the target 'nowhere'"
check 'what came before it is there, what comes after is not' test "$(ls -A td)" = "$file"
download 'a name with blanks'
failed 'a name with blanks' "the target 'a name with blanks'"
download $'esc\x1b[31m\n'
failed 'control characters are not repeated' 'esc\x1b'
for bad in ../x /etc/passwd a/../b a//b . .. '' a/ "$(printf '%0300d' 0)"; do
	download "$bad"
	failed "target name '${bad:0:20}'" "$([ -n "$bad" ] && echo 'target name' || echo "missing value of '--target-name'")"
done

# --- usage
usage() { # NAME TEXT ARGUMENTS...
	local name=$1 text=$2
	shift 2
	run "$tuf" "$@"
	failed "$name" "$text"
}
run "$tuf"
check_status 'no arguments: status 1' 1
check_stderr_has 'the usage' 'usage: manifesto-tuf'
usage 'an unknown command' "unknown command 'update'" --metadata-dir md update
usage 'an unknown option' "unknown option '--metadata'" --metadata md refresh
usage 'a longer option' "unknown option '--metadata-directory'" --metadata-directory md refresh
usage 'an option of one letter' "unknown option '-m'" -m md refresh
usage 'no metadata directory' "'--metadata-dir'" --metadata-url "$url" refresh
usage 'no URL' "'--metadata-url'" --metadata-dir md refresh
usage 'an empty value' "missing value of '--metadata-url'" --metadata-dir md --metadata-url= refresh
usage 'no value' "missing value of '--metadata-dir'" refresh --metadata-dir
usage 'an option twice' "given twice: '--metadata-dir'" --metadata-dir md --metadata-dir md2 --metadata-url "$url" refresh
usage 'init without a root' 'wrong number of arguments' --metadata-dir md init
usage 'init with two roots' 'wrong number of arguments' --metadata-dir md init a b
usage 'too many words' "one word too many: 'c'" --metadata-dir md init a b c
usage 'refresh with an argument' 'wrong number of arguments' --metadata-dir md --metadata-url "$url" refresh x
usage 'download without a target' "'--target-name'" --metadata-dir md --metadata-url "$url" --target-dir td --target-base-url "$url" download
usage 'download without a directory' "'--target-dir'" --metadata-dir md --metadata-url "$url" --target-name x --target-base-url "$url" download
usage 'download without a URL' "'--target-base-url'" --metadata-dir md --metadata-url "$url" --target-name x --target-dir td download
for number in 0 -1 1x '' ' 1' 0x10 1000001 99999999999999999999; do
	usage "--timeout '$number'" "'--timeout'" --metadata-dir md --metadata-url "$url" "--timeout=$number" refresh
done
usage '--max-target-length 2^50 + 1' "'--max-target-length'" --metadata-dir md --metadata-url "$url" --max-target-length 1125899906842625 refresh
usage 'a URL that is none' 'manifesto-tuf' --metadata-dir md --metadata-url 'nonsense' refresh
usage 'a URL of another kind' 'manifesto-tuf' --metadata-dir md --metadata-url "file://$repo" refresh
usage 'plain HTTP to another host' '--plain-http' --metadata-dir md --metadata-url http://192.0.2.1/ refresh
run "$tuf" --help
check_status '--help' 0
check_stderr_empty '--help says nothing on stderr'
run "$tuf" -h download
check_stdout_has '-h, with a command' 'usage: manifesto-tuf'
run "$tuf" --version
check 'the version is one line' grep -qxE 'manifesto-tuf [0-9]+\.[0-9]+\.[0-9]+' "$T/stdout"
"$tuf" --help >/dev/full 2>"$T/stderr"
check 'help that cannot be written is a failure' test $? = 1
"$tuf" --help >&- 2>"$T/stderr"
check 'nor can it be to a closed standard output' test $? = 1

# --- init
reset
refresh
state >before
sed 's/"version":1/"version":2/' "$repo/1.root.json" >bad.json
for bad in bad.json "$repo/timestamp.json" /dev/null missing.json md; do
	run "$tuf" --metadata-dir md init "$bad"
	failed "init with ${bad##*/}" 'manifesto-tuf: '
	state >after
	check "init with ${bad##*/}: the old state stays" cmp before after
done
run "$tuf" --metadata-dir new/md init bad.json
check 'no directory is made for a bad root' test ! -e new
run "$tuf" --metadata-dir md init "$repo/1.root.json"
check_status 'init again' 0
stored 'timestamp and snapshot are forgotten' root targets
run "$tuf" --metadata-dir /dev/null/md init "$repo/1.root.json"
failed 'init where no directory can be' '/dev/null'
rm -rf md
refresh
failed 'refresh before init' 'contains no trusted root'
check_stderr_has 'what comes first' "hint: first run 'init'"
check 'no directory is made' test ! -e md

# --- answers of a server
answer() { # NAME PATH ACTION... : a rule for one path of the repository
	local path=$1
	shift
	reset
	faults P "{\"path\":\"$path\",$*}"
}
status_of() { # PATH STATUS TEXT STORED...
	local path=$1 code=$2 text=$3
	shift 3
	answer "$path" "\"action\":\"status\",\"status\":$code,\"body\":\"<html>no</html>\""
	refresh --timeout 3
	failed "$code for $path" "$text"
	stored "$code for $path: what came before it is stored" "$@"
}
status_of /timestamp.json 404 "'timestamp' of the trust repository" root
status_of '[0-9].snapshot.json' 404 "'snapshot' of the trust repository" root timestamp
status_of '[0-9].targets.json' 404 "'targets' of the trust repository" root snapshot timestamp
for code in 400 401 410 429 500 502 503; do
	status_of /2.root.json $code "$code" root
	status_of /timestamp.json $code "$code" root
done
answer /2.root.json '"action":"status","status":403'
refresh
check_status '403 for the next root, as buckets have it: there is none' 0
answer /2.root.json '"action":"status","status":204'
refresh
failed '204 for the next root' 204
answer /2.root.json '"action":"status","status":304'
refresh
failed '304 for the next root' 304
answer '\.json' '"action":"status","status":503,"count":1'
refresh --timeout 20
check_status '503 once is tried again' 0

fault() { # NAME PATH RULE TEXT [options]: while metadata and a target are fetched
	local name=$1 path=$2 rule=$3 text=$4
	shift 4
	answer "$path" "$rule"
	download "$name_of_target" --timeout 2 "$@"
	failed "$name" "$text"
	nothing_left "$name"
}
name_of_target=$name
for path in /2.root.json /timestamp.json '[0-9].snapshot.json' '[0-9].targets.json' "$hash"; do
	at=${path##*/}
	at=${at:0:24}
	fault "$at: closed without an answer" "$path" '"action":"drop"' "$P"
	fault "$at: reset" "$path" '"action":"reset"' "$P"
	fault "$at: cut short" "$path" '"action":"local","to":"/truncate?n=10000&sent=10"' ''
	fault "$at: without end" "$path" '"action":"local","to":"/endless"' ''
	fault "$at: chunked, cut short" "$path" '"action":"local","to":"/truncate?sent=10&chunked=1"' ''
done
for path in /timestamp.json "$hash"; do
	fault "${path:0:16}: never answered" "$path" '"action":"local","to":"/hang"' ''
	fault "${path:0:16}: stalls" "$path" '"action":"local","to":"/stall?n=18&sent=4"' ''
	fault "${path:0:16}: an octet now and then" "$path" '"action":"local","to":"/drip?n=10000&ms=100"' ''
done
fault 'the target: replaced' "$hash" '"action":"replace","body":"{\"approved\":false}"' 'do not match the signed values'
fault 'the target: empty' "$hash" '"action":"replace","body":""' 'do not match the signed values'
fault 'the target: not there' "$hash" '"action":"status","status":404' 'content is missing'
fault 'the target: not there, with a page longer than it' "$hash" "\"action\":\"status\",\"status\":404,\"body\":\"$(printf '%09000d' 0)\"" 'content is missing'
fault 'the target: 500' "$hash" '"action":"status","status":500' 500
fault 'the target: a bound of its own' "$hash" '"action":"delay","ms":0' 'bytes, more than the limit of 5' --max-target-length 5
stored '--max-target-length does not hold for metadata' root snapshot targets timestamp
name_of_target=$large
fault 'the large target: cut short' /targets/large/ '"action":"truncate","bytes":400000' ''
fault 'the large target: reset in the middle' /targets/large/ '"action":"local","to":"/reset?sent=50"' ''
answer "$hash" '"action":"delay","ms":700'
download "$name"
check_status 'a slow answer is waited for' 0
SECONDS=0
answer /timestamp.json '"action":"local","to":"/hang"'
refresh --timeout 1
failed '--timeout' ''
check '--timeout holds' test "$SECONDS" -lt 6

# An existing file stays if a newer one cannot be fetched.
reset
download "$name"
state >before
faults P "{\"path\":\"/timestamp.json\",\"action\":\"replace\",\"body\":\"{}\"}"
download "$name"
failed 'a timestamp that is none' 'timestamp'
state >after
check 'all that was there stays' cmp before after
faults P
printf x >>"td/$file"
faults P "{\"path\":\"$hash\",\"action\":\"replace\",\"body\":\"y\"}"
download "$name"
failed 'a file that was changed, and no good one to be had' 'do not match the signed values'
check 'no other file' test "$(ls -A td)" = "$file"
faults P
download "$name"
check_same_file 'and then there is one' "td/$file" "$approval"

# --- redirects
redirect() { # PATH TO [CODE]
	answer "$1" "\"action\":\"local\",\"to\":\"/redirect?to=$2&code=${3:-302}\""
}
# shellcheck disable=SC2153 # set by proxy
redirect /timestamp.json "http://$Q/timestamp.json"
refresh
check_status 'a redirect to another port of this host is followed: nothing is trusted for where it came from' 0
redirect "$hash" "http://$Q/targets/${name%/*}/$hash.${name##*/}" 307
download "$name"
check_status 'of a target as well' 0
redirect /timestamp.json 'http://192.0.2.1/timestamp.json'
refresh --timeout 3
failed 'a redirect to plain HTTP elsewhere is not' ''
redirect /timestamp.json "file://$repo/timestamp.json"
refresh
failed 'nor one to a file' ''
redirect /timestamp.json '/timestamp.json'
refresh --timeout 5
failed 'a redirect to itself ends' ''

# --- the metadata directory
reset
refresh
exec 9>>md/.lock
flock 9
refresh --timeout 1
failed 'a directory that another process has' '.lock'
exec 9>&-
reset
pids=()
for i in 1 2 3 4; do
	"$tuf" --metadata-dir md --metadata-url "$url" --target-base-url "$url/targets" --target-dir "$T/td-$i" --target-name "$name" \
		--target-name "$large" download 2>"$T/err-$i" &
	pids+=($!)
done
statuses=
for pid in "${pids[@]}"; do
	wait "$pid"
	statuses+=" $?"
done
check 'four processes at once' test "$statuses" = ' 0 0 0 0'
stored 'leave one state' root snapshot targets timestamp
check 'all of them have the targets' test "$(cat "$T"/td-?/"$file" | sha256sum)" = "$(cat "$approval" "$approval" "$approval" "$approval" | sha256sum)"
reset
refresh
chmod 0555 md
if [ -w md ]; then # root
	ok 'read-only directories do not hinder this user'
else
	refresh
	check_status 'a read-only metadata directory that is up to date is read' 0
fi
chmod 0755 md
run "$tuf" --metadata-dir /proc init "$repo/1.root.json"
failed 'a directory in which nothing can be made' '/proc'
run "$tuf" --metadata-dir /proc --metadata-url "$url" refresh
failed 'the same for refresh' '/proc'
reset
download "$name" # then the target directory is a file
rm -rf td && : >td
download "$name"
failed 'the target directory is a file' td
rm -f td
run "$tuf" --metadata-dir md --metadata-url "$url" --target-base-url "$url/targets" --target-dir md/. --target-name "$name" download
failed 'targets among the metadata' 'is the metadata directory'
stored 'nothing was put there' root snapshot targets timestamp
# Messages must not go into a file that got the number of a closed descriptor.
reset
"$tuf" --metadata-dir md --metadata-url "$url/nowhere" -v refresh 2>&-
check 'a closed stderr: status 1' test $? = 1
"$tuf" --metadata-dir md --metadata-url "$url" -v refresh 2>&- && "$tuf" --metadata-dir md --metadata-url "$url" -v refresh <&- 2>&- &&
	"$tuf" --metadata-dir md --metadata-url "$url" -v refresh >&- 2>&- && "$tuf" --metadata-dir md --metadata-url "$url" -v refresh <&- >&- 2>&-
check 'closed descriptors: it works' test $? = 0
check 'the messages went into no file' test ! -s md/.lock
check_same_file 'nor into the root' md/root.json "$repo/1.root.json"

# --- killed
reset
faults P '{"path":"/targets/large/","action":"local","to":"/stall?n=700000&sent=500000"}'
"$tuf" --metadata-dir md --metadata-url "$url" --target-base-url "$url/targets" --target-dir td --target-name "$large" download 2>/dev/null &
pid=$!
for _ in {1..100}; do
	! grep -q targets/large "$T/P.log" || break
	sleep 0.05
done
sleep 0.3
kill -9 $pid
wait $pid 2>/dev/null
nothing_left 'killed while a target comes'
stored 'the metadata is whole' root snapshot targets timestamp
for i in {1..12}; do
	reset
	"$tuf" --metadata-dir md --metadata-url "$url" --target-base-url "$url/targets" --target-dir td --target-name "$large" download 2>/dev/null &
	pid=$!
	sleep "0.0$((i % 10))"
	kill -9 $pid 2>/dev/null
	wait $pid 2>/dev/null
	# A killed process may leave a file that begins with a dot, which is never read.
	find md td -type f ! -name '.lock' ! -name '.tmp-*' -printf '%f\n' 2>/dev/null | grep -vxE '(root|timestamp|snapshot|targets)\.json|large%2F.*'
	download "$large"
	[ "$status" = 0 ] && cmp "td/${large/\//%2F}" large || echo "run $i"
done >killed
check 'killed at any time, the next run goes on' test ! -s killed

t_done
