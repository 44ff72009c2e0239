#!/bin/bash
# The example program of the library, built by the Makefile and, as a stranger would, against an installed copy.
# And the demo, which must notice a program that does not verify.
. "$(dirname "$0")/../support/t.sh"

read -r -a arguments <<<"${T_MAKEARGS-}"
sanitizer=
for argument in "${arguments[@]}"; do
	case $argument in
	SAN=?*) sanitizer=-fsanitize=${argument#SAN=} ;;
	esac
done
make_it() {
	make -s -C "$T_TOP" "${arguments[@]}" "$@"
}

# --- by the Makefile
run make_it examples
check_status 'the Makefile builds the example' 0
built=$(dirname "$(readlink -f "$T_MANIFESTO")")/docs/examples/verify

# --- against an installed copy
run make_it DESTDIR="$T/stage" PREFIX=/opt/manifesto install
check_status 'the library is installed below DESTDIR' 0
export PKG_CONFIG_PATH=$T/stage/opt/manifesto/lib/pkgconfig
read -r -a flags < <(pkg-config --define-variable=libdir="$T/stage/opt/manifesto/lib" \
	--define-variable=includedir="$T/stage/opt/manifesto/include" --cflags --libs manifesto)
mkdir "$T/elsewhere"
cp "$T_TOP/docs/examples/verify.c" "$T/elsewhere"
# shellcheck disable=SC2086 # nothing, or one word
run gcc -Wall -Wextra -Werror -std=c17 -D_FORTIFY_SOURCE=2 -O1 $sanitizer -o "$T/verify" "$T/elsewhere/verify.c" "${flags[@]}"
check_status 'a stranger builds it with pkg-config' 0

# --- both programs run
export LD_LIBRARY_PATH=$T/stage/opt/manifesto/lib
export MANIFESTO_CACHE=$T/home/cache/manifesto
cp -R "$T_TOP/testdata/image" image
head -c 300000 /dev/zero >content
manifesto put -q --init --no-passphrase oci:image:1.0 qa-approval content || t_bail 'a record is there'
type=qa-approval
subject=$(basename "$(echo image/trust/targets/$type/*)")
subject=sha256:${subject#*.sha256-}
for program in "$built" "$T/verify"; do
	name=$([ "$program" = "$built" ] && echo ours || echo "the stranger's")
	run "$program" oci:image:1.0 $type
	check_status "$name: verifies" 0
	check_stdout_file "$name: writes the record" content
	check_stderr_has "$name: says what it is of" "$type of oci:image:1.0@$subject: current in role targets"
	check "$name: names the signer" grep -qE '^signed by [0-9a-f]{64} \(ed25519\)$' "$T/stderr"
	run "$program" oci:image:1.0 scan
	check_status "$name: no such record" 3
	check_stdout_empty "$name: and nothing is written"
	run "$program" oci:image:1.0
	check_status "$name: wrong usage" 2
	MANIFESTO_HOME=$T/nobody run "$program" oci:image:1.0 $type
	check_status "$name: no pin" 10
	MANIFESTO_HOME=relative run "$program" oci:image:1.0 $type
	check_status "$name: a relative home" 2
	env -u MANIFESTO_HOME "$program" oci:image:1.0 $type >"$T/stdout" 2>"$T/stderr"
	status=$?
	check_status "$name: no home" 2
	"$program" oci:image:1.0 $type >/dev/full 2>"$T/stderr"
	status=$?
	check_status "$name: a full disk" 1
done

# --- from Python, against the shared library
gate() { # ARGUMENT...
	# A library with a sanitizer finds the sanitizer only in the program, or before it.
	ASAN_OPTIONS=detect_leaks=0 LD_PRELOAD=${sanitizer:+$(gcc -print-file-name=libasan.so)} \
		"$(t_python)" "$T_TOP/docs/examples/verify.py" "$@"
}
run gate oci:image:1.0 $type
check_status 'Python: the image has what is required' 0
check_stdout_is 'Python: and is named' oci:image:1.0
run gate oci:image:1.0 scan
check_status 'Python: it lacks a record' 9
check_stdout_empty 'Python: and is not named'
MANIFESTO_HOME=$T/nobody run gate oci:image:1.0 $type
check_status 'Python: no pin' 10
check_stderr_has 'Python: the message of the library' '1 of 1 image refused'

printf x | dd of="$(echo image/trust/targets/$type/*)" bs=1 seek=200000 conv=notrunc 2>/dev/null
cp "$(echo image/trust/targets/$type/*)" "image/blobs/sha256/$(sha256sum content | cut -d' ' -f1)" 2>/dev/null
for program in "$built" "$T/verify"; do
	run "$program" oci:image:1.0 $type
	check_status "a damaged record is refused" 6
	check_stdout_empty "not a byte of it is written"
done

# --- the demo
demo=$T_TOP/docs/examples/demo.sh
run sh "$demo" "$T_MANIFESTO"
check_status 'the demo shows what it says' 0
check 'its last line says what was shown' test "$(tail -n 1 "$T/stdout")" = \
	'You have seen put, list and get of a signed approval; get refused a changed file and changed metadata.'
check 'it refused twice' test "$(grep -c '^  status 6' "$T/stdout")" = 2
check 'it leaves nothing behind' test -z "$(find "$TMPDIR" -name 'manifesto-demo.*')"
MANIFESTO=$T_MANIFESTO run sh "$demo"
check_status 'the program may come from the environment' 0

# Programs with one fault each.
wrong() { # NAME LINE
	printf '#!/bin/sh\n%s\nexec "%s" "$@"\n' "$2" "$T_MANIFESTO" >"$T/wrong"
	chmod +x "$T/wrong"
	run sh "$demo" "$T/wrong"
	check_status "the demo notices $1" 1
	check_stdout_lacks "and does not say that it was shown: $1" 'You have seen'
}
# shellcheck disable=SC2016 # for the inner shell
{
	wrong 'a get that verifies nothing' '[ "$1" != get ] || exec cat approval.json'
	wrong 'a get that gives other bytes' '[ "$1" != get ] || { echo x; exit 0; }'
	wrong 'a refusal with another status' '[ "$1" != get ] || { "'"$T_MANIFESTO"'" "$@" || exit 1; exit 0; }'
	wrong 'output before a refusal' '[ "$1" != get ] || { "'"$T_MANIFESTO"'" "$@" && exit; echo x; exit 6; }'
	wrong 'a put that fails' '[ "$1" != put ] || exit 4'
	wrong 'a list that fails' '[ "$1" != list ] || exit 4'
}
run sh "$demo" "$T/nothing"
check_status 'the demo needs a program' 1

t_done
