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
run "$T/use"
check_stdout_is 'library and pkg-config agree on the version' "$(pkg-config --modversion manifesto)"
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
