# shellcheck shell=bash
# Harness of the shell tests. A test file is bash, starts with
#	. "$(dirname "$0")/../support/t.sh"
# and ends with `t_done`. Each check prints `ok - NAME` or `not ok - NAME` (then also what the last
# `run` gave). The user's files are neither read nor written: the home is temporary, the environment is
# clean, and `manifesto` is the binary under test ($T_MANIFESTO, else build/manifesto).
#
# $T is the test file's own temporary directory and working directory; $T_TOP is the repository.

set -u
T_TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
T_MANIFESTO=${T_MANIFESTO:-$T_TOP/build/manifesto}
LAB=

t_scrub() {
	local name
	for name in $(compgen -e); do
		case $name in
		[Hh][Tt][Tt][Pp]_[Pp]* | [Hh][Tt][Tt][Pp][Ss]_* | [Aa][Ll][Ll]_[Pp]* | [Nn][Oo]_[Pp]* | [Ff][Tt][Pp]_*) unset "$name" ;;
		DOCKER_* | MANIFESTO_* | REGISTRY_* | NOTARY_* | XDG_* | LC_* | CI | CURL_* | SSL_* | SSLKEYLOGFILE | LANG*) unset "$name" ;;
		AWS_* | CONTAINERS_* | BUILDAH_* | STORAGE_* | BASH_ENV | ENV | CDPATH | GNUPGHOME | SSH_AUTH_SOCK) unset "$name" ;;
		esac
	done
	export LC_ALL=C TZ=UTC
	umask 022
}

t_home() {
	T=$(mktemp -d "${TMPDIR:-/tmp}/manifesto-test.XXXXXX") || exit 1
	mkdir "$T/home" "$T/bin" "$T/tmp" "$T/run"
	chmod 700 "$T/run"
	export HOME=$T/home MANIFESTO_HOME=$T/home/manifesto XDG_RUNTIME_DIR=$T/run TMPDIR=$T/tmp
	export XDG_DATA_HOME=$T/home/share XDG_CACHE_HOME=$T/home/cache XDG_CONFIG_HOME=$T/home/config
	ln -s "$T_MANIFESTO" "$T/bin/manifesto"
	PATH=$T/bin:$PATH:/usr/sbin:/sbin
	: >"$T/stdout"
	: >"$T/stderr"
	cd "$T" || exit 1
}

t_count=0 t_failed=0 t_complete=0
t_command='' status=0

t_end() {
	[ -z "$LAB" ] || "$BASH" "$T_TOP/tests/support/lab.sh" stop --purge "$LAB"
	cd / && rm -rf -- "$T"
}
t_exit() {
	local code=$?
	trap '' INT TERM HUP
	t_end
	if [ $t_complete = 0 ]; then
		echo "# ended early, status $code"
		[ $code != 0 ] || exit 1
	fi
}

t_dump() {
	printf '# command: %s\n# status: %s\n' "$t_command" "$status"
	local stream
	for stream in stdout stderr; do
		[ -s "$T/$stream" ] && head -c 6000 "$T/$stream" | tr -c '[:print:]\n\t' '?' | sed "s/^/# $stream: /;\$a\\"
	done
}

ok() { # NAME
	t_count=$((t_count + 1))
	printf 'ok - %s\n' "$1"
}

not_ok() { # NAME [WHY...]
	t_count=$((t_count + 1))
	t_failed=$((t_failed + 1))
	printf 'not ok - %s\n' "$1"
	shift
	[ $# = 0 ] || printf '# %s\n' "$@"
	t_dump
}

# The last statement of a test file: prints the number of checks.
t_done() {
	t_complete=1
	printf '1..%d\n' $t_count
	[ $t_failed = 0 ] && [ $t_count != 0 ]
	exit
}

# Ends the file with a failure, because the following checks cannot work.
t_bail() { # NAME [WHY...]
	not_ok "$@"
	t_done
}

# Runs a command with an empty stdin; sets status, and $T/stdout and $T/stderr.
run() {
	run_with /dev/null "$@"
}

# The same with FILE as its stdin.
run_with() { # FILE COMMAND...
	local input=$1
	shift
	t_command=$*
	"$@" <"$input" >"$T/stdout" 2>"$T/stderr"
	status=$?
	if grep -qE 'ERROR: (Address|Leak|Thread|Memory)Sanitizer|runtime error: ' "$T/stderr"; then
		not_ok "no sanitizer report from: $t_command"
	elif [ $status -ge 132 ] && [ $status -le 139 ]; then
		not_ok "no crash of: $t_command"
	fi
}

# Whether a command (often `test` or `grep`) succeeds; its own output is shown when it does not.
check() { # NAME COMMAND...
	local name=$1 text
	shift
	if text=$("$@" 2>&1 </dev/null); then
		ok "$name"
	else
		not_ok "$name" "failed: $*" "$text"
	fi
}

check_status() { # NAME STATUS
	if [ "$status" = "$2" ]; then ok "$1"; else not_ok "$1" "expected status $2"; fi
}

# Text without its final newline, "" for no output at all.
check_stdout_is() { # NAME TEXT
	if [ -z "$2" ]; then
		check_stdout_empty "$1"
	elif printf '%s\n' "$2" | cmp -s - "$T/stdout"; then
		ok "$1"
	else
		not_ok "$1" "expected stdout: $2"
	fi
}

check_stdout_empty() { # NAME
	if [ -s "$T/stdout" ]; then not_ok "$1" 'expected an empty stdout'; else ok "$1"; fi
}

check_stderr_empty() { # NAME
	if [ -s "$T/stderr" ]; then not_ok "$1" 'expected an empty stderr'; else ok "$1"; fi
}

check_stdout_file() { # NAME FILE
	check_same_file "$1" "$2" "$T/stdout"
}

check_stdout_has() { # NAME TEXT
	if grep -qF -e "$2" "$T/stdout"; then ok "$1"; else not_ok "$1" "expected on stdout: $2"; fi
}

check_stderr_has() { # NAME TEXT
	if grep -qF -e "$2" "$T/stderr"; then ok "$1"; else not_ok "$1" "expected on stderr: $2"; fi
}

check_stderr_lacks() { # NAME TEXT
	if grep -qF -e "$2" "$T/stderr"; then not_ok "$1" "not wanted on stderr: $2"; else ok "$1"; fi
}

check_stdout_lacks() { # NAME TEXT
	if grep -qF -e "$2" "$T/stdout"; then not_ok "$1" "not wanted on stdout: $2"; else ok "$1"; fi
}

check_same_file() { # NAME FILE FILE
	local text
	if text=$(cmp "$2" "$3" 2>&1); then ok "$1"; else not_ok "$1" "$text"; fi
}

check_line_count() { # NAME N [FILE]
	local n
	n=$(wc -l <"${3-$T/stdout}")
	if [ "$n" -eq "$2" ]; then ok "$1"; else not_ok "$1" "expected $2 lines, got $n"; fi
}

# Whether a jq filter is true of a document.
check_json() { # NAME FILTER [FILE]
	local text
	# Of no document at all, every filter would be true.
	if ! grep -q '[^[:space:]]' "${3-$T/stdout}"; then
		not_ok "$1" "no document for: $2"
	elif text=$(jq -e "$2" "${3-$T/stdout}" 2>&1) && [ -n "$text" ]; then
		ok "$1"
	else
		not_ok "$1" "not true: $2" "$text"
	fi
}

check_file_mode() { # NAME MODE FILE
	local mode
	mode=$(stat -c %a "$3" 2>&1)
	if [ "$mode" = "$2" ]; then ok "$1"; else not_ok "$1" "expected mode $2, got $mode"; fi
}

# Starts servers (kinds: see lab.sh) and sets their variables. A missing server fails the file.
lab() { # KIND...
	local script=$T_TOP/tests/support/lab.sh
	[ -n "$LAB" ] || LAB=$(TMPDIR=$t_outer_tmp "$BASH" "$script" dir) || t_bail 'the lab has a directory'
	t_command="lab.sh start $*"
	"$BASH" "$script" start --owner $$ "$LAB" "$@" >"$T/stdout" 2>"$T/stderr"
	status=$?
	[ $status = 0 ] || t_bail "the lab starts: $*"
	# shellcheck disable=SC1091 # written by lab.sh
	. "$LAB/lab.env"
	[ -z "${S3-}" ] || export AWS_ENDPOINT_URL_S3=$S3 AWS_REGION=us-east-1 AWS_ACCESS_KEY_ID=$S3_KEY_ID AWS_SECRET_ACCESS_KEY=$S3_SECRET
}

# lab_server stop|restart|gc NAME...
lab_server() {
	local command=$1
	shift
	t_command="lab.sh $command $*"
	"$BASH" "$T_TOP/tests/support/lab.sh" "$command" "$LAB" "$@" >"$T/stdout" 2>"$T/stderr"
	status=$?
	[ $status = 0 ] || t_bail "the lab can $command $*"
}

# Makes $T/none.so: under LD_PRELOAD, as if no library that is loaded when it is used were installed.
make_no_libraries() {
	cat >"$T/none.c" <<'END'
#include <stddef.h>
void *dlopen(const char *name, int mode);
void *dlopen(const char *name, int mode)
{
	(void)name, (void)mode;
	return NULL;
}
END
	gcc -shared -fPIC -o "$T/none.so" "$T/none.c" || t_bail 'compile'
}

# Makes an image layout; prints its digests (see mkimage.py).
make_image() { # DIR [options]
	local dir=$1
	shift
	"$(t_python)" "$T_TOP/tests/support/mkimage.py" "$@" "$dir"
}

# Pushes an image and prints the digest that it has in the registry.
#	push_image oci:DIR:TAG 127.0.0.1:PORT/REPOSITORY:TAG [skopeo copy options, as --format v2s2]
push_image() {
	local from=$1 to=$2
	shift 2
	skopeo --insecure-policy copy --quiet --all --dest-tls-verify=false --digestfile "$T/digest" "$@" \
		"$from" "docker://$to" >&2 && printf '%s\n' "$(cat "$T/digest")"
}

# Whether a process is gone. A zombie that nobody waits for counts as gone.
gone() { # PID
	! grep -q ') [^Z] ' "/proc/$1/stat" 2>/dev/null
}

# The status of a server's answer, or 000 without an answer.
http_status() { # [curl options] URL
	curl -s -o "$T/body" -D "$T/headers" -m 20 -w '%{http_code}' "$@"
}

# From here on leaks of SoftHSM are no findings of a sanitizer, which must unwind all the way to see whose a leak is.
allow_softhsm_leaks() {
	export ASAN_OPTIONS="${ASAN_OPTIONS-}:fast_unwind_on_malloc=0"
	export LSAN_OPTIONS="${LSAN_OPTIONS-}:suppressions=$T_TOP/tests/support/softhsm.supp:print_suppressions=0"
}

# A second root key, without which `status` always has something to say.
spare_root() { # IMAGE
	local type=ed25519
	[ "$(manifesto trust show --json "$1" | jq -r .dialect)" = tuf1 ] || type=ecdsa
	[ -e "$MANIFESTO_HOME/keys/spare-$type.key" ] || manifesto key generate -q --no-passphrase --type $type spare-$type
	manifesto trust rotate -q "$1" root --key spare-$type --keep-old || t_bail "a spare root key of $1"
}

# Serves a directory over HTTP until the test ends; files_url says where.
serve_files() { # DIRECTORY
	setpriv --pdeathsig KILL "$(t_python)" "$T_TOP/tests/support/fileserver.py" "$1" "$T/files.port" </dev/null >"$T/files.out" 2>&1 &
	for _ in {1..200}; do
		[ ! -s "$T/files.port" ] || break
		sleep 0.05
	done
	# shellcheck disable=SC2034  # for the tests
	files_url=http://127.0.0.1:$(cat "$T/files.port") || t_bail 'the file server starts'
}

t_python() {
	sh "$T_TOP/tests/support/python.sh"
}

t_scrub
t_outer_tmp=${TMPDIR:-/tmp}
t_home
trap t_exit EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP
