#!/bin/bash
# Checks what a machine can check of the documentation: links, names of tests, files and make targets exist; commands and
# options are those of the program; the worked example is that of the unit test.
# shellcheck disable=SC2016 # the quoted backticks are Markdown's
. "$(dirname "$0")/../support/t.sh"

cd "$T_TOP" || exit 1
docs=(README.md docs/*.md docs/guides/*.md keys/README.md)

# --- links
for doc in "${docs[@]}"; do
	grep -oE '\]\([^)]+\)' "$doc" | sed 's/^](//; s/)$//; s/#.*//' | grep -v '^http' | while read -r link; do
		[ -e "$(dirname "$doc")/$link" ] || echo "$link"
	done >"$T/missing"
	check "$doc: its links lead somewhere" diff /dev/null "$T/missing"
done

# --- paths of this repository
for doc in "${docs[@]}"; do
	grep -oE '`(src|include|tests|docs|testdata|\.ci)/[A-Za-z0-9_./-]+`' "$doc" | tr -d '`' | sort -u | while read -r path; do
		[ -e "$path" ] || echo "$path"
	done >"$T/missing"
	check "$doc: the files that it names exist" diff /dev/null "$T/missing"
done

# --- tests that the trust model names
grep -oE '`tests/[^`]+`: `[^`]+`' docs/trust-model.md >"$T/references"
check 'the trust model names tests' test "$(wc -l <"$T/references")" -ge 40
while read -r reference; do
	file=${reference#\`} name=${reference##*: \`}
	file=${file%%\`*} name=${name%\`}
	case $file in
	*.c) grep -qE "(cmocka_unit_test[a-z_]*\(|static void )$name\b" "$file" ;;
	*) grep -qF -e "'$name'" -e "\"$name\"" "$file" ;;
	esac 2>/dev/null || echo "$file: $name"
done <"$T/references" >"$T/missing"
check 'each of them exists' diff /dev/null "$T/missing"

# --- the worked example
sed -n '/^```$/,/^```$/p' docs/record-format.md | grep -v '^```' >"$T/example"
check 'the example has a payload and an entry' test "$(wc -l <"$T/example")" = 3
head -n 2 "$T/example" | head -c -1 >"$T/payload"
check 'the payload has the stated length' grep -q "payload, $(wc -c <"$T/payload") bytes" docs/record-format.md
check 'and the SHA-256' grep -q "$(sha256sum <"$T/payload" | cut -d' ' -f1)" docs/record-format.md
sed -n 3p "$T/example" >"$T/entry"
check 'the entry holds what the payload signs' test "$(jq -c '.custom.manifesto | del(.sigs)' "$T/entry")" = \
	"$(tail -n 1 "$T/payload" | jq -c .manifesto)"
check 'fingerprint and signature are those of the unit test' test "$(jq -r '.custom.manifesto.sigs[0] | .fp, .sig' "$T/entry")" = \
	"$(sed -nE 's/^#define EX_(FP|SIG)[[:space:]]+"(.*)"$/\2/p' tests/unit/record/test_record.c)"

# --- commands, options, variables, make targets
manifesto help >"$T/help"
sed -nE 's/^  ((bundle|cache|key|policy|proposal|role|trust) [a-z]+|[a-z]+) .*/\1/p' "$T/help" | sort -u >"$T/commands"
echo options >>"$T/commands"
while read -r command; do
	# shellcheck disable=SC2086 # some commands are two words
	manifesto help $command >>"$T/help"
done <"$T/commands"
"$(dirname "$T_MANIFESTO")/manifesto-tuf" --help >>"$T/help"
grep -ohE '(^| |`|\()(manifesto|\./manifesto) [a-z]+( [a-z]+)?' README.md docs/{SECURITY,CONTRIBUTING}.md keys/README.md |
	sed -E 's/^[ `(]*(\.\/)?manifesto //' | sort -u | while read -r first second; do
	grep -qE "^  ($first|$first $second) " "$T/help" || echo "$first $second"
done | grep -vE '^(attaches|lists|reads|publishes|is|and|or|will|makes) ?' >"$T/missing"
check 'commands in the documentation are those of the program' diff /dev/null "$T/missing"
grep -ohE '(^|[ `(])--[a-z][a-z-]+' README.md | sed 's/.*--/--/' | sort -u | while read -r option; do
	grep -qE -e "$option( |,|\$)" "$T/help" || echo "$option"
done | grep -vE '^--(purge|dest-tls-verify)$' >"$T/missing"
check 'options in the README are those of the program' diff /dev/null "$T/missing"
grep -ohE '(^    |`)make [a-z-]+' "${docs[@]}" | sed 's/.*make //' | sort -u | while read -r target; do
	grep -qE "^([a-z-]+ )*$target( [a-z-]+)*:" Makefile || echo "$target"
done >"$T/missing"
check 'make targets in the documentation exist' diff /dev/null "$T/missing"
grep -oE '`(MANIFESTO|REGISTRY|DOCKER|XDG)_[A-Z_]+`' README.md | tr -d '`' | sort -u | while read -r name; do
	grep -qrF "\"$name\"" src/cli || echo "$name"
done >"$T/missing"
check 'environment variables in the README are read' diff /dev/null "$T/missing"
sed -nE 's/^\| ([0-9]+) \|.*/\1/p' README.md >"$T/documented"
sed -nE 's/^\tMANIFESTO_[A-Z_]+ = ([0-9]+),.*/\1/p' include/manifesto/context.h | awk '$1 <= 14' | head -n 15 >"$T/public"
check 'exit statuses in the README are those of the library' diff "$T/public" "$T/documented"
check 'the README has at most 200 lines' test "$(wc -l <README.md)" -le 200

# --- no paths of a private machine
check 'no absolute path of a home or a work directory' test -z "$(grep -nE '/(work|root|home/[a-z]+)/' "${docs[@]}" docs/examples/*)"

t_done
