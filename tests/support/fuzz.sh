#!/bin/sh
# Runs libFuzzer programs for FUZZ_SECONDS each, JOBS at a time, from their corpora in tests/fuzz/corpus.
#
#   fuzz.sh PROGRAM.fuzzer...
#
# New inputs are stored beside the program in NAME.corpus, crashing ones as NAME.crash-*. When a crash is
# fixed, add its input to the committed corpus.
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)

one() {
	program=$1
	name=$(basename "$program" .fuzzer)
	seeds=
	for dir in "$top/tests/fuzz/corpus/${name#fuzz_}" "$top/tests/fuzz/corpus/$name"; do
		[ -d "$dir" ] && seeds="$seeds $dir"
	done
	kept=${program%.fuzzer}.corpus
	log=${program%.fuzzer}.log
	mkdir -p "$kept"
	# shellcheck disable=SC2086 # words
	if UBSAN_OPTIONS=print_stacktrace=1 "$program" -max_total_time="$FUZZ_SECONDS" -timeout=20 \
		-rss_limit_mb=2560 -artifact_prefix="${program%.fuzzer}." "$kept" $seeds >"$log" 2>&1; then
		echo "  FUZZ    $name: $(grep '^Done' "$log")"
	else
		tail -n 60 "$log"
		echo "  FUZZ    $name FAILED (log: $log)"
		return 1
	fi
}

if [ "${1-}" = --one ]; then
	one "$2"
	exit
fi
[ $# -gt 0 ] || {
	echo 'fuzz: no target' >&2
	exit 1
}
printf '%s\n' "$@" | xargs -P "${JOBS:-2}" -n 1 sh "$0" --one
