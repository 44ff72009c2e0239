#!/bin/sh
# The symbols file of the Debian package (deb-symbols(5)), from the record of the library's interface.
#
#   symbols.sh RECORD
set -eu
echo 'libmanifesto.so.1 libmanifesto1 #MINVER#'
echo '* Build-Depends-Package: libmanifesto-dev'
sed -nE 's/^(\S+) function (MANIFESTO_[0-9.]+): .*\W(manifesto_\w+) \(.*/ \3@\2 \1\n \2@\2 \1/p' "$1" | LC_ALL=C sort -u
