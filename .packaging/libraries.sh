#!/bin/bash
# The shared libraries of a program, each as `SONAME FILE PACKAGE`: the file without symbolic links, and the Debian
# package that it comes from.
#
#   libraries.sh linked|needed|optional|all PROGRAM
#
# linked: those that it is linked with; needed: those that it loads when it uses them, and no installation can do without;
# optional: the others that it loads; all: all of these, with the loader and what they need themselves.
set -euo pipefail
export LC_ALL=C

linked() { # PROGRAM
	readelf -d "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | sort -u
}
# Their names are texts in the program, as those of linked libraries are.
loaded() { # PROGRAM
	comm -23 <(grep -aoE '\<lib[a-z0-9-]+\.so\.[0-9]+\>' "$1" | sort -u) <(linked "$1")
}
needed='^libcurl\.' # whatever speaks to a server
locate() {
	local name file
	while read -r name; do
		file=$(gcc -print-file-name="$name")
		[ "$file" != "$name" ] || { echo "libraries.sh: $name is not installed" >&2 && return 1; }
		echo "$name $file"
	done
}
# The loader is the only one without `=>`.
closure() { # PROGRAM LIBRARY...
	ldd "$@" | sed -nE 's/^\t(\S+) => (\S+) \(.*/\1 \2/p; s/^\t(\/\S+) \(.*/\1 \1/p'
}
all() { # PROGRAM
	local more
	more=$(loaded "$1" | locate)
	# shellcheck disable=SC2046 # the names have no blanks
	closure "$1" $(cut -d' ' -f2 <<<"$more")
	[ -z "$more" ] || echo "$more"
}

case $1 in
linked) linked "$2" | locate ;;
needed) loaded "$2" | grep "$needed" | locate ;;
optional) loaded "$2" | grep -v "$needed" | locate ;;
all) all "$2" ;;
esac | sort -u -k1,1 | while read -r name file; do
	real=$(readlink -f "$file")
	# Directories of /usr may be recorded without it.
	package=$(dpkg-query -S "*${real#/usr}")
	echo "$name $real ${package%%: *}"
done
