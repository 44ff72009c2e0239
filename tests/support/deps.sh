#!/bin/sh
# Installs the Debian packages that are missing for the named purposes. Fast if all are installed.
#
#   deps.sh build|check|lint|fuzz|package|deb|chroot|browser...
#   deps.sh --list PURPOSE...                  prints their names
#
# Each row names what is used (a program, a pkg-config module, a module of the Python that runs the tests), so that
# it may come from elsewhere. Without the right to install, the script prints the command to run and ends with 1.
set -u
PATH=$PATH:/usr/sbin:/sbin
python=$(sh "${0%/*}/python.sh")

# purpose  Debian package        probe
table='
build  gcc                   program gcc
build  libc6-dev             file /usr/include/stdint.h
build  make                  program make
build  pkg-config            program pkg-config
build  libcurl4-openssl-dev  library libcurl
build  libjansson-dev        library jansson
build  libjq-dev             file /usr/include/jq.h
build  libp11-kit-dev        library p11-kit-1
build  libsodium-dev         library libsodium
build  libssl-dev            library libcrypto
check  libcmocka-dev         library cmocka
check  bash                  program bash
check  bsdextrautils         program col
check  ca-certificates       file /usr/share/ca-certificates/mozilla
check  ceph-mon              program ceph-mon
check  ceph-osd              program osdmaptool
check  curl                  program curl
check  docker-registry       program docker-registry
check  faketime              program faketime
check  fish                  program fish
check  git                   program git
check  iproute2              program ss
check  jq                    program jq
check  libxml2-utils         program xmllint
check  mandoc                program mandoc
check  minisign              program minisign
check  notary                program notary-signer
check  opensc                program pkcs11-tool
check  openssh-client        program ssh-agent
check  openssl               program openssl
check  p11-kit               program p11-kit
check  perl-base             program perl
check  postgresql            file /usr/lib/postgresql/*/bin/initdb
check  python3               python sys
check  python3-cryptography  python cryptography
check  radosgw               program radosgw
check  rsync                 program rsync
check  python3-jsonschema    python jsonschema
check  python3-yaml          python yaml
check  signify-openbsd       program signify-openbsd
check  skopeo                program skopeo
check  softhsm2              program softhsm2-util
check  zsh                   program zsh
lint   clang                 program clang
lint   clang-tidy            program clang-tidy
lint   cppcheck              program cppcheck
lint   git                   program git
lint   python3               python sys
lint   shellcheck            program shellcheck
browser  chromium            program chromium
browser  fonts-dejavu-core   file /usr/share/fonts/truetype/dejavu/DejaVuSans.ttf
fuzz   clang                 program clang
fuzz   libclang-rt-dev       fuzzer clang
package ca-certificates       file /usr/share/ca-certificates/mozilla
package python3               python sys
chroot debootstrap           program debootstrap
chroot git                   program git
chroot iproute2              program ip
deb    build-essential       file /usr/share/build-essential/essential-packages-list
deb    debhelper             program dh
deb    dpkg-dev              program dpkg-buildpackage
'

have() {
	# shellcheck disable=SC2086 # the pattern of a file
	case $1 in
	program) command -v "$2" ;;
	library) pkg-config --exists "$2" ;;
	python) "$python" -c "import $2" ;;
	file) ls -d $2 ;;
	fuzzer) [ -e "$("$2" -print-file-name="libclang_rt.fuzzer-$(uname -m).a")" ] ;;
	esac >/dev/null 2>&1
}

list=
[ "${1-}" != --list ] || { list=1 && shift; }
missing=
for purpose; do
	case $purpose in
	build | check | lint | fuzz | package | deb | chroot | browser) ;;
	*)
		echo "deps: unknown purpose '$purpose'" >&2
		exit 2
		;;
	esac
	while read -r for package kind what; do
		[ "$for" = "$purpose" ] || continue
		[ -z "$list" ] || { echo "$package" && continue; }
		have "$kind" "$what" || missing="$missing $package"
	done <<-END
		$table
	END
done
[ -n "$missing" ] || exit 0

# shellcheck disable=SC2086 # words
missing=$(printf '%s\n' $missing | sort -u | tr '\n' ' ')
missing=${missing% }
install="apt-get install -o DPkg::Lock::Timeout=600 -y --no-install-recommends $missing"
manual() {
	printf 'These packages are missing and cannot be installed from here. Please run:\n  %s\n' "sudo $install" >&2
	exit 1
}
command -v apt-get >/dev/null 2>&1 || manual
if [ "$(id -u)" = 0 ]; then
	root=
elif sudo -n true 2>/dev/null; then
	root='sudo -n'
elif command -v sudo >/dev/null 2>&1 && [ -t 0 ]; then
	root=sudo
else
	manual
fi
printf 'Installing:%s\n' " $missing"

# Debian starts a service when its package is installed. The tests start their own servers, so a policy
# prevents that (invoke-rc.d(8), "INIT SCRIPT POLICY"), unless there is a policy already.
policy=/usr/sbin/policy-rc.d ours=
restore() {
	[ -z "$ours" ] || $root rm -f "$policy"
	ours=
}
trap restore EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
case " $missing " in
*" ceph-"* | *" docker-registry "* | *" notary "* | *" postgresql "* | *" radosgw "*)
	if [ ! -e "$policy" ]; then
		ours=1
		printf '#!/bin/sh\nexit 101\n' | $root tee "$policy" >/dev/null && $root chmod 755 "$policy"
	fi
	;;
esac
# shellcheck disable=SC2086 # words
$root env DEBIAN_FRONTEND=noninteractive sh -c "apt-get update -q && $install" </dev/null || {
	restore
	manual
}

# Disable these services at boot as well, but only if their package was installed just now.
if [ -d /run/systemd/system ]; then
	case " $missing " in *" ceph-"* | *" radosgw "*) $root systemctl disable -q ceph.target ceph-radosgw.target ;; esac
	case " $missing " in *" docker-registry "*) $root systemctl disable -q docker-registry ;; esac
	case " $missing " in *" postgresql "*) $root systemctl disable -q postgresql ;; esac
fi
exit 0
