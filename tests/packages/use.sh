#!/bin/bash
# The Debian packages, as a user meets them: installs those in DIRECTORY, uses the program and the library, removes and purges
# them, and looks for what was left. It changes the system that it runs on: tests/support/chroot.sh runs it in a clean chroot.
#
#   use.sh DIRECTORY
directory=$(cd "$1" && pwd) || exit
export T_MANIFESTO=/usr/bin/manifesto
. "$(dirname "$0")/../support/t.sh"

apt() {
	DEBIAN_FRONTEND=noninteractive apt-get -q -y -o APT::Install-Recommends=false "$@"
}
ours=(manifesto libmanifesto1 libmanifesto-dev)
# Everything but what the package manager itself remembers.
system() {
	find / -xdev \( -path /proc -o -path /sys -o -path /dev -o -path "$T" -o -path "$T_TOP" -o -path "$directory" -o -path /var/cache \
		-o -path /var/lib/apt -o -path /var/lib/dpkg -o -path /var/log \) -prune -o -printf '%M %u %p %l\n' | sort
	find /etc -type f ! -name ld.so.cache -exec sha256sum {} + | sort
}

# --- what they depend on, and what programs are built with, comes from Debian and stays
run apt update
run apt install gcc libc6-dev pkg-config python3 golang-go
check_status 'compilers are there' 0
for package in "${ours[@]}"; do
	dpkg-deb -f "$directory/$package"_*.deb Depends
done | tr ',' '\n' | grep -v manifesto >"$T/depends"
run apt satisfy "$(paste -s -d, "$T/depends")"
check_status 'what the packages depend on is there' 0
system >"$T/before"

# --- the program
run apt install "$directory"/manifesto_*.deb
check_status 'manifesto is installed' 0
check 'without the shared library' test ! -e /usr/lib/*/libmanifesto.so.1
run sh "$T_TOP/docs/examples/demo.sh" /usr/bin/manifesto
check_status 'the demo shows what it says' 0
cp -R "$T_TOP/testdata/image" image
run manifesto put --init --no-passphrase oci:image:1.0 qa-approval "$T_TOP/testdata/approval.json"
check_status 'it stores a record' 0
run manifesto get oci:image:1.0 qa-approval
check_stdout_file 'it gives it back' "$T_TOP/testdata/approval.json"
run manifesto verify --require qa-approval oci:image:1.0
check_status 'it verifies' 0
run manifesto-tuf --version
check_status 'the TUF client runs' 0
for file in man/man1/manifesto.1.gz man/man1/manifesto-tuf.1.gz bash-completion/completions/manifesto zsh/vendor-completions/_manifesto \
	fish/vendor_completions.d/manifesto.fish doc/manifesto/README.md doc/manifesto/examples/verify.c; do
	check "there is $file" test -s "/usr/share/$file"
done
for package in manifesto libmanifesto1; do
	check "$package depends on libcurl" grep -qE '(^|[ ,])libcurl4[a-z0-9]* \(' <(dpkg-deb -f "$directory/$package"_*.deb Depends)
done
dpkg-deb -f "$directory"/manifesto_*.deb Recommends | tr -d ' ' | tr ',' '\n' >"$T/recommended"
check 'libraries that it loads are recommended' grep -q '^libp11-kit0$' "$T/recommended"
while read -r package; do
	apt-cache show "$package" >/dev/null 2>&1 || echo "$package"
done <"$T/recommended" >"$T/unknown"
check_line_count 'what is recommended exists' 0 "$T/unknown"

# --- the library
run apt install "$directory"/libmanifesto1_*.deb "$directory"/libmanifesto-dev_*.deb
check_status 'the library is installed' 0
export MANIFESTO_CACHE=$T/home/cache/manifesto
read -r -a flags < <(pkg-config --cflags --libs manifesto)
run gcc -Wall -Wextra -Werror -std=c17 -o verify "$T_TOP/docs/examples/verify.c" "${flags[@]}"
check_status 'a C program is built with it' 0
check 'it runs with the shared library' grep -q 'libmanifesto.so.1 => /' <(ldd verify)
run ./verify oci:image:1.0 qa-approval
check_stdout_file 'and verifies' "$T_TOP/testdata/approval.json"
run gcc -std=c17 -o static "$T_TOP/docs/examples/verify.c" -l:libmanifesto.a -ljansson -lsodium -lcrypto
check_status 'another is built with the static library' 0
run ./static oci:image:1.0 qa-approval
check_stdout_file 'and verifies, too' "$T_TOP/testdata/approval.json"
run env HOME="$T/home" GOFLAGS=-mod=mod GO111MODULE=off go build -o gate "$T_TOP/docs/examples/verify.go"
check_status 'a Go program is built with it' 0
for gate in ./gate "python3 $T_TOP/docs/examples/verify.py"; do
	# shellcheck disable=SC2086 # a program, or two words
	run $gate oci:image:1.0 qa-approval
	check_stdout_is "$gate: the image has what is required" oci:image:1.0
	# shellcheck disable=SC2086
	run $gate oci:image:1.0 scan
	check_status "$gate: it lacks a record" 9
done
run dpkg --verify "${ours[@]}"
check_stdout_empty 'all files are as they were packed'

# --- gone
run apt remove "${ours[@]}"
check_status 'they are removed' 0
check 'the program is gone' test ! -e /usr/bin/manifesto
run dpkg --purge "${ours[@]}"
check_status 'and purged' 0
system >"$T/after"
check 'nothing is left behind' diff "$T/before" "$T/after"
check 'and the package manager knows nothing of them' test -z "$(find /var/lib/dpkg -name '*manifesto*')$(dpkg-query -W 2>/dev/null | grep manifesto)"

t_done
