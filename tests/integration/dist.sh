#!/bin/bash
# `make dist`: the tarball has the sources and nothing else, it depends on nothing else, and the SPDX document beside it is
# right about both.
. "$(dirname "$0")/../support/t.sh"

read -r -a arguments <<<"${T_MAKEARGS-}"
build=$T_TOP/build
for argument in "${arguments[@]}"; do
	case $argument in
	BUILD=?*) build=${argument#BUILD=} ;;
	esac
done
make_it() {
	make -s -C "$T_TOP" "${arguments[@]}" "$@"
}
version=$(manifesto version | cut -d' ' -f2)
release=$build/manifesto-$version

# --- the tarball
run make_it dist
check_status 'make dist' 0
tar -tzf "$release.tar.gz" | sed "s,^manifesto-$version/,," >"$T/names"
check 'every name begins with that of the release' test -z "$(tar -tzf "$release.tar.gz" | grep -v "^manifesto-$version/")"
if [ -e "$T_TOP/.git" ]; then
	git -C "$T_TOP" ls-files --cached --others --exclude-standard
else
	(cd "$T_TOP" && find . -path './build*' -prune -o -type f -printf '%P\n')
fi | LC_ALL=C sort >"$T/sources"
check 'it has the sources, sorted' cmp "$T/sources" "$T/names"
check 'all of one owner and time' test "$(tar --numeric-owner -tvzf "$release.tar.gz" | awk '{ print $2, $4, $5 }' | sort -u | wc -l)" = 1

mkdir -p "$T/elsewhere/deeper"
tar -xzf "$release.tar.gz" -C "$T/elsewhere/deeper"
again=$T/elsewhere/deeper/manifesto-$version
touch "$again/src/base/str.c"
chmod -R g-r,o-rwx "$again"
mkdir "$again/build-other"
echo x >"$again/build-other/x"
run env TZ=Asia/Tokyo LC_ALL=C.UTF-8 make -s -C "$again" tarball
check_status 'it can be made again of what it has' 0
check 'and has the same bytes' cmp "$release.tar.gz" "$again/build/manifesto-$version.tar.gz"
run env SOURCE_DATE_EPOCH=1700000000 make -s -C "$again" tarball
check 'SOURCE_DATE_EPOCH sets the time' test -n "$(tar -tvzf "$again/build/manifesto-$version.tar.gz" --utc | grep ' 2023-11-14 22:13 .*/Makefile$')"

# --- what is in it
spdx() { # DOCUMENT
	"$(t_python)" "$T_TOP/tests/support/spdx.py" "$1" "$release.tar.gz"
}
sbom=$release.spdx.json
run spdx "$sbom"
check_status 'the SPDX document is right' 0
run jq -r '.packages[0] | "\(.name) \(.versionInfo) \(.packageFileName)"' "$sbom"
check_stdout_is 'it is about this version' "manifesto $version manifesto-$version.tar.gz"
jq -r '.packages[] as $p | .relationships[] | select(.relationshipType == "DYNAMIC_LINK" and .relatedSpdxElement == $p.SPDXID) |
	$p.packageFileName' "$sbom" | sort >"$T/linked"
readelf -d "$T_MANIFESTO" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | sort >"$T/needed"
check 'the libraries are those that the program needs' cmp "$T/needed" "$T/linked"
grep -ohE '"lib[a-z0-9-]+\.so\.[0-9]+"' "$T_TOP"/src/*/*.c | tr -d '"' | sort -u >"$T/named"
loaded() { # RELATION
	jq -r --arg kind "$1" '.packages[] as $p | .relationships[] | select(.relationshipType == $kind and .spdxElementId == $p.SPDXID) |
		$p.packageFileName' "$sbom" | sort
}
loaded RUNTIME_DEPENDENCY_OF >"$T/needed"
check 'libcurl is needed whenever there is a server' test "$(cat "$T/needed")" = libcurl.so.4
loaded OPTIONAL_DEPENDENCY_OF >"$T/optional"
check 'and those that it loads' cmp "$T/named" <(sort "$T/needed" "$T/optional")
check 'some are optional' test -s "$T/optional"
check 'with the versions that are installed' test "$(jq -r '.packages[] | select(.packageFileName == "libjansson.so.4").versionInfo' "$sbom")" = \
	"$(dpkg-query -W -f '${Version}\n' libjansson4)"
while IFS=: read -r what fault; do
	jq "$fault" "$sbom" >"$T/wrong.json"
	run spdx "$T/wrong.json"
	check_status "noticed: $what" 1
done <<-'END'
	no namespace:del(.documentNamespace)
	a time of another form:.creationInfo.created = "2026-01-01"
	a file of other content:.files[3].checksums[0].checksumValue = .files[4].checksums[0].checksumValue
	a file that is missing:del(.files[5])
	a relation to nothing:.relationships[0].relatedSpdxElement = "SPDXRef-Nothing"
	two elements of one name:.files[1].SPDXID = .files[2].SPDXID
	no licence:.packages[2].licenseDeclared = ""
	a tarball of other content:.packages[0].checksums[1].checksumValue = ("0" * 64)
END

t_done
