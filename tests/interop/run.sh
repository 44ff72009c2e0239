#!/bin/bash
# Other projects' TUF clients read our store, and other projects' tests try our client. `make check` does not need it. What is not
# installed on this machine is not run, and is reported and counted. docs/testing.md describes the variables.
. "$(dirname "$0")/../support/t.sh"
. "$T_TOP/tests/support/job.sh"
. "$T_TOP/tests/support/store.sh"
unset MANIFESTO_PASSPHRASE

here=$T_TOP/tests/interop
python=${INTEROP_PYTHON:-$(t_python)}
export PYTHONPATH=${INTEROP_PYTHONPATH-} PYTHONDONTWRITEBYTECODE=1
not_run=0
not_run() { # NAME WHY
	not_run=$((not_run + 1))
	printf 'not run - %s: %s\n' "$1" "$2"
}

lab static
make_store "$STATIC_DIR/store"

# All records of the store, read by a program that gets their names as arguments.
reads_all() { # NAME COMMAND...
	local name=$1 version target
	shift
	version=$("$@" --version 2>&1 </dev/null)
	case $? in
	0) printf '# %s\n' "$version" ;;
	*)
		not_run "$name reads the store" "${version:-$1 does not start}"
		return
		;;
	esac
	mkdir -p "$T/read"
	run_with "$T/names" "$@" "$STATIC/store/trust/" "$STATIC/store/trust/targets/" "$store/trust/1.root.json" "$T/read"
	check_status "$name reads the store" 0
	while read -r target; do
		if cmp -s "$T/records/${target//\//%2F}" "$T/read/${target//\//%2F}"; then
			ok "$name: $target"
		else
			not_ok "$name: $target"
		fi
	done <"$T/names"
	rm -rf "$T/read"
}
reads_all python-tuf "$python" "$here/read_python.py"
if command -v node >/dev/null; then
	reads_all tuf-js node "$here/read_js.mjs"
else
	not_run 'tuf-js reads the store' 'no node'
fi

# The conformance suite starts the client a few hundred times.
conformance() {
	local suite=${INTEROP_TUF_CONFORMANCE-} why outcome name code
	[ -n "$suite" ] || suite=$("$python" -c 'import tuf_conformance, os; print(os.path.dirname(os.path.dirname(tuf_conformance.__file__)))' 2>/dev/null)
	if [ ! -d "$suite/tuf_conformance" ]; then
		not_run 'the conformance suite tries manifesto-tuf' "INTEROP_TUF_CONFORMANCE names no clone of it, nor has $python the package"
		return
	fi
	export PYTHONPATH=$suite${PYTHONPATH:+:$PYTHONPATH}
	if ! why=$("$python" -c 'import pytest, tuf, securesystemslib, cryptography' 2>&1); then
		not_run 'the conformance suite tries manifesto-tuf' "$(tail -n 1 <<<"$why")"
		return
	fi
	command -v faketime >/dev/null || not_run 'five cases of the conformance suite' 'no faketime'
	"$python" -m pytest -q -p no:cacheprovider --runxfail --rootdir="$suite" --junitxml="$T/junit.xml" "$suite/tuf_conformance" \
		--entrypoint="$tuf" >"$T/pytest" 2>&1 </dev/null
	code=$?
	# Any other status means that the suite does not start here, for example because its packages have other versions.
	if [ $code -gt 1 ]; then
		not_run 'the conformance suite tries manifesto-tuf' "$(grep '^E  ' "$T/pytest" | tail -n 1 | sed 's/^E *//')"
		return
	fi
	if ! "$python" "$here/cases.py" "$T/junit.xml" >"$T/cases" 2>/dev/null || [ ! -s "$T/cases" ]; then
		not_ok 'the conformance suite runs' "$(tail -n 20 "$T/pytest")"
		return
	fi
	: >"$T/stdout"
	: >"$T/stderr"
	while IFS= read -r outcome; do
		name="conformance: ${outcome#* - }"
		if [ "${outcome%% -*}" = ok ]; then ok "$name"; else not_ok "$name"; fi
	done <"$T/cases"
	if ! grep -q '^not ok' "$T/cases"; then return; fi
	tail -n 100 "$T/pytest" | sed 's/^/# /'
}
conformance

# The TUF repositories of other projects, as they were through the years. A clone may be given: INTEROP_HISTORY=DIRECTORY has them under
# the names of the projects ("sigstore+root-signing").
history() { # OWNER/NAME
	local name="manifesto-tuf beside python-tuf on the history of $1" clone=${INTEROP_HISTORY-}/${1/\//+} why line
	if ! command -v faketime >/dev/null; then
		not_run "$name" 'no faketime'
		return
	fi
	if ! why=$("$python" -c 'import tuf, cryptography' 2>&1); then
		not_run "$name" "$(tail -n 1 <<<"$why")"
		return
	fi
	[ -e "$clone/HEAD" ] || clone=$clone/repo
	if [ ! -e "$clone/HEAD" ]; then
		clone=$T/history.git
		rm -rf "$clone"
		if ! why=$(timeout 300 git clone --quiet --bare "https://github.com/$1" "$clone" 2>&1 </dev/null); then
			not_run "$name" "$(tail -n 1 <<<"$why")"
			return
		fi
	fi
	: >"$T/stdout"
	"$python" "$here/history.py" "$clone" "$tuf" "${INTEROP_STATES:-20}" >"$T/history" 2>"$T/stderr" </dev/null
	check "$name: it runs" grep -q '^ok' "$T/history"
	while IFS= read -r line; do
		case $line in
		'ok - '*) ok "$1: ${line#ok - }" ;;
		'not ok - '*) not_ok "$1: ${line#not ok - }" ;;
		*) printf '%s\n' "$line" ;;
		esac
	done <"$T/history"
}
history sigstore/root-signing
history docker/tuf

t_complete=1
printf '%d passed, %d failed, %d not run\n' $((t_count - t_failed)) $t_failed $not_run
[ $t_failed = 0 ]
