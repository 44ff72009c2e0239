#!/bin/sh
# Debian packages from the source tarball.
#
#   deb.sh VERSION TARBALL DIRECTORY    the packages are in DIRECTORY
#
# The environment does not count, except for PATH: compiler flags are those of dpkg-buildflags(1).
set -eu
version=$1 tarball=$2 dir=$3
top=$(cd "$(dirname "$0")/.." && pwd)
time=$(cd "$top" && sh .packaging/dist.sh --epoch)

# Build dependencies are those of the Makefile; build-essential is there.
needs=$(sh "$top/tests/support/deps.sh" --list build | grep -vxE 'gcc|make|libc6-dev' | paste -s -d, -)
# What the static library needs. Of the rest, the package needs headers only.
library=$(sh "$top/tests/support/deps.sh" --list build | grep -E '^lib(jansson|sodium|ssl)' | paste -s -d, -)

rm -rf "$dir"
mkdir -p "$dir/source"
tar -xzf "$tarball" --strip-components=1 -C "$dir/source"
cp -R "$top/.packaging/debian" "$dir/source/debian"
cd "$dir/source"
sed -i "s/@BUILD_DEPENDS@/$needs/; s/@LIBRARY_DEPENDS@/$library/" debian/control
cat >debian/changelog <<END
manifesto ($version-1) unstable; urgency=medium

  * docs/CHANGELOG.md has what is new.

 -- $(sed -n 's/^Maintainer: //p' debian/control)  $(LC_ALL=C date -u -R -d "@$time")
END
env -i PATH="$PATH" HOME=/nonexistent LC_ALL=C.UTF-8 TZ=UTC SOURCE_DATE_EPOCH="$time" \
	dpkg-buildpackage --build=binary --no-sign -j"$(nproc)"
cd ..
rm -rf source
ls -1 ./*.deb
