#!/bin/sh
# The source tarball: the same bytes wherever and whenever it is made of the same files.
#
#   dist.sh VERSION FILE.tar.gz    run at the top of the sources
#   dist.sh --epoch                prints the time that everything made of these sources bears
#
# In a clone, the files are those of git, with changes that are not committed yet; elsewhere, all but build directories.
set -eu
export LC_ALL=C TZ=UTC

epoch() {
	if [ -n "${SOURCE_DATE_EPOCH-}" ]; then
		echo "$SOURCE_DATE_EPOCH"
	elif [ -e .git ]; then
		git log -1 --format=%ct
	else
		stat -c %Y Makefile
	fi
}

files() {
	if [ -e .git ]; then
		git -c core.quotePath=off ls-files --cached --others --exclude-standard
	else
		find . -mindepth 1 -path './build*' -prune -o -type d -o -printf '%P\n'
	fi | sort -u | while IFS= read -r file; do [ ! -e "$file" ] || printf '%s\n' "$file"; done
}

[ "${1-}" != --epoch ] || { epoch && exit; }
version=$1 out=$2
time=$(epoch)
mkdir -p "$(dirname "$out")"
files >"$out.files"
tar -c --format=ustar --no-recursion --mtime="@$time" --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX \
	--transform="s,^,manifesto-$version/,rSH" -T "$out.files" -f "$out.tar"
gzip -9 -n <"$out.tar" >"$out.new"
rm -f "$out.tar" "$out.files"
mv "$out.new" "$out"
