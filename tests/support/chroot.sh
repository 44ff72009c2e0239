#!/bin/bash
# Runs the two commands of the README in clean chroots of Debian, as on a machine that was just installed. Or the packages:
# they are built, twice and in different folders, and examined; in another chroot they are installed, used and purged.
#
#   chroot.sh [-v] [--packages] [12|13]...        default: both releases
#
# Needs root, debootstrap and iproute2. Prints one line for each command; its output follows when it failed, or
# as it comes with -v. The status is 0 when every command passed. Packages are fetched from the mirror in the
# configuration of apt (CHROOT_MIRROR=URL: another one) and kept in CHROOT_DEBS (build/debs). The chroots are
# made below TMPDIR (/var/tmp), 2 GB each, and removed at the end. A warning of the compiler is an error. `make check`
# runs with a loopback interface and no other, once its packages are installed.
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
debs=${CHROOT_DEBS:-$top/build/debs}
verbose=0 steps=readme dir='' child='' root=root

die() {
	echo "chroot.sh: $1" >&2
	exit 1
}

codename() { # RELEASE
	case $1 in
	12) echo bookworm ;;
	13) echo trixie ;;
	*) return 1 ;;
	esac
}

clean() {
	[ -z "$child" ] || kill -KILL "$child" 2>/dev/null
	wait 2>/dev/null
	child=
	# The last processes of the namespaces may still be ending.
	local tries
	for tries in 1 2 3 4 5; do
		[ -z "$dir" ] || rm -rf --one-file-system -- "$dir" 2>/dev/null || { sleep "$tries" && continue; }
		break
	done
	dir=
}

# Runs a command in namespaces of its own: when this process is killed, the command's processes and mounts go with
# it. In the background, since bash handles a signal at once only while it waits.
spawn() { # [--net] COMMAND...
	local net=()
	[ "$1" != --net ] || { net=(--net) && shift; }
	unshare --mount --pid --fork --kill-child --uts --ipc "${net[@]}" "$@" </dev/null &
	child=$!
	wait "$child"
	local code=$?
	child=
	return "$code"
}

mirror() {
	[ -z "${CHROOT_MIRROR-}" ] || { echo "$CHROOT_MIRROR" && return; }
	# shellcheck disable=SC2016 # variables of apt
	apt-get indextargets --format '$(ORIGIN) $(COMPONENT) $(RELEASE) $(SITE)' 'Created-By: Packages' 2>/dev/null |
		awk '$1 == "Debian" && $2 == "main" && $3 !~ /-/ { print $4; exit }'
}

# The first process of the namespaces: mounts what a program expects, and becomes the command.
# shellcheck disable=SC2016 # parameters of that shell
enter='
	set -e
	mount -t proc proc "$1/proc"
	mount -t tmpfs -o mode=755 dev "$1/dev"
	for name in null zero full random urandom tty; do
		: >"$1/dev/$name"
		mount --bind "/dev/$name" "$1/dev/$name"
	done
	mkdir "$1/dev/pts" "$1/dev/shm"
	mount -t devpts -o newinstance,ptmxmode=0666,mode=0620 devpts "$1/dev/pts"
	mount -t tmpfs -o mode=1777 shm "$1/dev/shm"
	ln -s pts/ptmx "$1/dev/ptmx"
	ln -s /proc/self/fd "$1/dev/fd"
	for n in 0:stdin 1:stdout 2:stderr; do ln -s "/proc/self/fd/${n%:*}" "$1/dev/${n#*:}"; done
	ip link set lo up
	root=$1
	shift
	exec chroot "$root" sh -c "cd /src && exec \"\$@\"" sh "$@"
'

# Runs a command in the chroot; `alone`: with a loopback interface of its own and no other.
inside() { # alone|online COMMAND...
	local net=()
	[ "$1" = online ] || net=(--net)
	shift
	spawn "${net[@]}" env -i WERROR=1 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root \
		${http_proxy+"http_proxy=$http_proxy"} ${https_proxy+"https_proxy=$https_proxy"} \
		sh -c "$enter" sh "$dir/$root" "$@"
}

# Runs a command with its output in a log, and prints its line.
step() { # RELEASE NAME COMMAND...
	local name="Debian $1: $2" start=$SECONDS code
	shift 2
	if [ $verbose = 1 ]; then "$@"; else "$@" >"$dir/log" 2>&1; fi
	code=$?
	if [ $code = 0 ]; then
		echo "PASS $name ($((SECONDS - start)) s)"
		return 0
	fi
	echo "FAIL $name, status $code ($((SECONDS - start)) s)"
	[ $verbose = 1 ] || tail -n 100 "$dir/log" | sed 's/^/    /'
	return 1
}

make_root() { # CODENAME
	mkdir -p "$debs/$1" || return 1
	spawn debootstrap --variant=minbase --include=make,ca-certificates --cache-dir="$debs/$1" \
		"$1" "$dir/root" "$site" || return 1
	cp "$debs/$1"/*.deb "$dir/root/var/cache/apt/archives/" || return 1
	apt-config dump | grep -E '^(Dir::Ignore|Acquire::(https?::|Check-))' >"$dir/root/etc/apt/apt.conf.d/90host"
	printf '127.0.0.1 localhost\n::1 localhost\n' >"$dir/root/etc/hosts"
	mkdir "$dir/root/src"
	# What a clone would have, with the changes that are not committed yet.
	(cd "$top" && git ls-files -z --cached --others --exclude-standard | xargs -0 ls -d 2>/dev/null |
		tar -c --no-recursion -T - -f -) | tar -x -f - --no-same-owner -C "$dir/root/src"
}

keep_debs() { # CODENAME
	local deb
	for deb in "$dir"/*/var/cache/apt/archives/*.deb; do
		[ -e "$debs/$1/${deb##*/}" ] || cp "$deb" "$debs/$1/"
	done
}

readme() { # RELEASE
	local code=0
	step "$1" 'make demo' inside online make demo || code=1
	step "$1" 'packages of make check' inside online sh tests/support/deps.sh build check &&
		step "$1" 'make check' inside alone make check || code=1
	return "$code"
}

# A chroot like the first one as it is now, but for the packages in its cache.
copy_root() {
	cp -a "$dir/root" "$dir/clean"
}

# The programs and all that is released, of the same sources elsewhere.
# shellcheck disable=SC2016 # for the inner shell
again='
	set -e
	make all dist image
	mkdir -p /other/folder
	cp -a /src /other/folder/sources
	cd /other/folder/sources
	rm -rf build
	make all dist image
	make deb
	cd build
	diff -r image /src/build/image
	set -- manifesto manifesto-tuf libmanifesto.so.1 libmanifesto.a manifesto-*.tar.gz manifesto-*.spdx.json deb/*.deb
	for file; do cmp "$file" "/src/build/$file" && echo "the same: $file"; done
	[ $# = 11 ] || { echo "expected 11 files, got $#: $*" && exit 1; }
'

# What only the archive of Debian requires is no fault.
lintian='lintian --fail-on error,warning --allow-root --suppress-tags initial-upload-closes-no-bugs build/deb/*.changes'

packages() { # RELEASE
	step "$1" 'copy' copy_root && step "$1" 'packages of make deb' inside online sh tests/support/deps.sh build deb package &&
		step "$1" 'make deb' inside alone make deb || return 1
	mkdir "$dir/clean/debs" && cp "$dir/root/src/build/deb"/*.deb "$dir/clean/debs/"
	local code=0
	root=clean
	step "$1" 'install, use, purge' inside online bash tests/packages/use.sh /debs || code=1
	root=root
	step "$1" 'the same bytes from another folder' inside alone sh -c "$again" || code=1
	step "$1" 'lintian' inside online sh -c "apt-get install -q -y --no-install-recommends lintian && $lintian" || code=1
	return "$code"
}

release() { # RELEASE
	local suite code=0
	suite=$(codename "$1")
	dir=$(mktemp -d "${TMPDIR:-/var/tmp}/manifesto-chroot.XXXXXX") || exit 1
	chmod 755 "$dir"
	if step "$1" 'debootstrap' make_root "$suite"; then
		$steps "$1" || code=1
		keep_debs "$suite"
	else
		code=1
	fi
	clean
	return $code
}

[ "${1-}" != -v ] || { verbose=1 && shift; }
[ "${1-}" != --packages ] || { steps=packages && shift; }
[ $# != 0 ] || set -- 12 13
for r; do codename "$r" >/dev/null || die "unknown release '$r': expected 12 or 13"; done
[ "$(id -u)" = 0 ] || die 'must run as root: it makes chroots and mounts'
for program in debootstrap ip unshare apt-get git; do
	command -v $program >/dev/null || die "needs $program"
done
site=$(mirror)
[ -n "$site" ] || die "apt's configuration names no mirror of Debian: set CHROOT_MIRROR=URL"
eval "$(apt-config shell http_proxy Acquire::http::Proxy https_proxy Acquire::https::Proxy)"
[ -z "${http_proxy-}${https_proxy-}" ] || export http_proxy https_proxy
trap clean EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
failed=0
for r; do release "$r" || failed=1; done
exit $failed
