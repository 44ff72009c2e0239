# shellcheck shell=bash
# shellcheck disable=SC2154 # status is set by run
# Helpers for tests of refusals; source after t.sh. `refuses` checks all properties of a refusal at once; `proxy` starts a
# faulty proxy in front of a real server.

# Files and directories that no refusal may change. Locks are ignored; floors may rise by what was verified before the refusal.
WATCH=(home)
# More files that must not change; a test file redefines this.
server_state() {
	:
}
snapshot() {
	(
		server_state
		cd "$T" && find "${WATCH[@]}" \( -name locks -o -name floors -o -path home/cache -o -path home/manifesto \) -prune -o \
			! -name '*.lock' \( -type d -printf '%p %y %m\n' -o -printf '%p %y %m %s %l\n' \)
		find "${WATCH[@]}" \( -name locks -o -name floors -o -path home/cache \) -prune -o -type f -size -2M ! -name '*.lock' -exec sha256sum {} +
		find home/manifesto \( -name locks -o -name floors \) -prune -o -type f ! -name '*.lock' -print 2>/dev/null
	) | LC_ALL=C sort
}

# If the command is a `get`, it is repeated with -o.
refuses() { # NAME STATUS TEXT COMMAND...
	local name=$1 want=$2 text=$3 why=()
	shift 3
	snapshot >"$T/before"
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

# The same for a get, to stdout and to a file that exists.
get_refused() { # NAME STATUS TEXT IMAGE TYPE [options]
	local name=$1 want=$2 text=$3
	shift 3
	refuses "$name" "$want" "$text" manifesto get "$@"
	mkdir -p "$T/out"
	echo old >"$T/out/file"
	run manifesto get -o "$T/out/file" "$@"
	if [ "$status" = "$want" ] && [ "$(cat "$T/out/file")" = old ] && [ "$(ls -A "$T/out")" = file ]; then
		ok "$name: -o leaves the old file"
	else
		not_ok "$name: -o leaves the old file" "status $status, expected $want; files: $(ls -A "$T/out")"
	fi
}

# A get that returns FILE and prints nothing else.
gets() { # NAME FILE IMAGE TYPE [options]
	local name=$1 file=$2
	shift 2
	run manifesto get "$@"
	if [ "$status" = 0 ] && cmp -s "$file" "$T/stdout" && [ ! -s "$T/stderr" ]; then
		ok "$name"
	else
		not_ok "$name" "expected status 0 and the bytes of $file"
	fi
}

# A put as preparation. If it fails, the test file ends.
put() { # IMAGE TYPE FILE [options]
	run manifesto put -q "$@"
	[ "$status" = 0 ] || t_bail "put $*"
}

# Starts a proxy in front of a server, without faults; sets NAME to its HOST:PORT, and NAME_log is the log of requests.
fault_pids=()
proxy() { # NAME UPSTREAM [faultserver options]
	local name=$1 upstream=$2 i port
	shift 2
	rm -f "$T/$name.port"
	echo '[]' >"$T/$name.rules"
	setpriv --pdeathsig KILL "$(t_python)" "$T_TOP/tests/support/faultserver.py" --port-file "$T/$name.port" --log "$T/$name.log" \
		--rules "$T/$name.rules" ${upstream:+--upstream "$upstream"} "$@" </dev/null >"$T/$name.out" 2>&1 &
	fault_pids+=($!)
	for ((i = 0; i < 200; i++)); do
		[ ! -s "$T/$name.port" ] || break
		sleep 0.05
	done
	read -r port <"$T/$name.port" || t_bail "the proxy $name starts" "$(cat "$T/$name.out")"
	printf -v "$name" '127.0.0.1:%s' "$port"
}

# Sets the faults of the proxy from now on: rules of faultserver.py, none by default.
faults() { # NAME [RULE...]
	local name=$1 IFS=,
	shift
	printf '[%s]\n' "$*" >"$T/$name.rules.new"
	mv "$T/$name.rules.new" "$T/$name.rules"
	: >"$T/$name.log"
}

# Runs a command in the background and holds back its upload to the Notary server behind the proxy N. late_ends lets it finish
# and sets its result as `run` does.
late() { # COMMAND...
	local i
	faults N '{"method":"POST","path":"/_trust/tuf/$","action":"delay","ms":1500,"count":1}'
	# shellcheck disable=SC2153 # the proxy's address
	MANIFESTO_TRUST_SERVER=http://$N "$@" >"$T/late.out" 2>"$T/late.err" </dev/null &
	late_pid=$!
	for ((i = 0; i < 100; i++)); do
		grep -q '"POST"' "$T/N.log" && break
		sleep 0.05
	done
	late_command=$*
}
late_ends() {
	wait "$late_pid"
	status=$?
	# shellcheck disable=SC2034 # of the harness
	t_command=$late_command
	cp "$T/late.out" "$T/stdout"
	cp "$T/late.err" "$T/stderr"
}

stop_faults() {
	local code=$?
	[ ${#fault_pids[@]} = 0 ] || kill "${fault_pids[@]}" 2>/dev/null
	return $code
}
trap 'stop_faults; t_exit' EXIT
