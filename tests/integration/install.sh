#!/bin/bash
# Everything that `make install` installs works, and `make uninstall` removes all of it.
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

run make_it PREFIX="$T/prefix" install
check_status 'make install' 0
check_file_mode 'the program is executable' 755 "$T/prefix/bin/manifesto"
run "$T/prefix/bin/manifesto" version
check_status 'it runs' 0
check_file_mode 'the TUF client is executable' 755 "$T/prefix/bin/manifesto-tuf"
run "$T/prefix/bin/manifesto-tuf" --version
check 'both are of one version' test "$(cut -d' ' -f2 "$T/stdout")" = "$("$T/prefix/bin/manifesto" version | cut -d' ' -f2)"
for page in "$T_TOP"/docs/*.[157]; do
	check "${page##*/} is installed" cmp "$page" "$T/prefix/share/man/man${page##*.}/${page##*/}"
done

for script in bash:bash-completion/completions/manifesto zsh:zsh/site-functions/_manifesto fish:fish/vendor_completions.d/manifesto.fish; do
	run "$T/prefix/bin/manifesto" completion "${script%%:*}"
	check_stdout_file "completion for ${script%%:*} is installed" "$T/prefix/share/${script#*:}"
done

# --- the library, as another program uses it
export PKG_CONFIG_PATH=$T/prefix/lib/pkgconfig
cat >"$T/use.c" <<'END'
#include <manifesto/manifesto.h>
#include <stdio.h>

int main(void)
{
	return puts(manifesto_version()) < 0;
}
END
read -r -a flags < <(pkg-config --cflags --libs manifesto)
# shellcheck disable=SC2086 # nothing, or one word
run gcc -Wall -Wextra -Werror -std=c17 $sanitizer -o "$T/use" "$T/use.c" "${flags[@]}"
check_status 'a program compiles and links with pkg-config' 0
LD_LIBRARY_PATH=$T/prefix/lib run "$T/use"
check_stdout_is 'library and pkg-config agree on the version' "$(pkg-config --modversion manifesto)"
run readelf -W -d "$T/use"
check_stdout_has 'it needs the shared library' 'NEEDED)             Shared library: [libmanifesto.so.1]'
check_stdout_lacks 'and not what that needs itself' libjansson
mkdir "$T/archive"
cp "$T/prefix/lib/libmanifesto.a" "$T/archive"
read -r -a flags < <(pkg-config --define-variable=libdir="$T/archive" --cflags --libs manifesto jansson libsodium libcrypto)
# shellcheck disable=SC2086 # nothing, or one word
run gcc -std=c17 $sanitizer -o "$T/static" "$T/use.c" "${flags[@]}"
check_status 'it links with the static library as well' 0
run "$T/static"
check_stdout_is 'and runs without the shared one' "$(pkg-config --modversion manifesto)"

# --- the interface of the shared library. A sanitizer does not change it, but adds names of its own.
record=$T_TOP/src/libmanifesto.abi
abi() { # RECORD
	"$(t_python)" "$T_TOP/tests/support/abi.py" "$T/prefix/lib/libmanifesto.so.1" "$1" 9.0
}
run abi "$record"
check_status 'functions, structs and constants are those that are recorded' 0
run nm -D --defined-only "$T/prefix/lib/libmanifesto.so.1"
awk '$2 != "A" && $3 !~ /^manifesto_[a-z_]*@@MANIFESTO_1$/' "$T/stdout" >"$T/foreign"
check_line_count 'nothing else is exported, and each name has a version' 0 "$T/foreign"
while IFS=: read -r what fault; do
	sed "$fault" "$record" >"$T/record"
	check "the record differs: $what" test "$(diff "$record" "$T/record" | grep -c '^>')" = 1
	run abi "$T/record"
	check_status "noticed: $what" 1
	check_stdout_has "as something that breaks programs: $what" 'gone: '
done <<-'END'
	a function that vanished:$s/$/\n0.1.0 function MANIFESTO_1: void manifesto_vanished (void)/
	a parameter of another type:s/void manifesto_free (struct manifesto \*)/void manifesto_free (void *)/
	a member at another offset:s/\(manifesto_options: const char \*home, offset\) 8/\1 16/
	a member of another size:s/\(manifesto_options: int64_t timeout_ms, .* size\) 8/\1 4/
	a constant of another value:s/\(MANIFESTO_EXPIRING =\) 14/\1 15/
	a caller's struct that grew:s/\(size of struct manifesto_error:\) 1828/\1 1824/
END
grep -v 'manifesto_veto ' "$record" >"$T/record"
run abi "$T/record"
check_status 'noticed: a function that is new' 1
check_stdout_has 'with the way out' 'make abi'
run "$(t_python)" "$T_TOP/tests/support/abi.py" --update "$T/prefix/lib/libmanifesto.so.1" "$T/record" 9.0
check 'it is recorded with its version' grep -q '^9.0 function .* manifesto_veto ' "$T/record"
check 'the others keep theirs' test "$(grep -vc '^9.0' "$T/record")" = $(($(wc -l <"$record") - 1))
run nm -g --defined-only "$T/prefix/lib/libmanifesto.a"
check_status 'the library can be listed' 0
awk 'NF == 3 && $3 !~ /^(manifesto_|mf_|_?_?asan|_?_?odr_asan)/ { print $3 }' "$T/stdout" >"$T/foreign"
check_line_count 'the library defines no name without our prefix' 0 "$T/foreign"

# --- hardening
for program in manifesto manifesto-tuf; do
	run readelf -W -h -l -d "$T/prefix/bin/$program"
	check_stdout_has "$program is position-independent" 'DYN ('
	check_stdout_has 'its relocations are read-only' GNU_RELRO
	check_stdout_has 'they are resolved at start' BIND_NOW
	check 'its stack is not executable' grep -qE 'GNU_STACK .* RW  ' "$T/stdout"
done

# --- DESTDIR, and uninstall
run make_it DESTDIR="$T/stage" PREFIX=/opt/x install
check_status 'make install with DESTDIR' 0
check 'the program is below DESTDIR' test -x "$T/stage/opt/x/bin/manifesto"
check 'the TUF client as well' test -x "$T/stage/opt/x/bin/manifesto-tuf"
check 'the pkg-config file does not know DESTDIR' grep -qx 'prefix=/opt/x' "$T/stage/opt/x/lib/pkgconfig/manifesto.pc"
run make_it DESTDIR="$T/stage" PREFIX=/opt/x uninstall
find "$T/stage" -type f >"$T/left"
check_line_count 'uninstall leaves no file' 0 "$T/left"
make_it PREFIX="$T/prefix" uninstall >/dev/null
find "$T/prefix" -type f >"$T/left"
check_line_count 'nor without DESTDIR' 0 "$T/left"

t_done
