#!/bin/sh
# The one Python that is searched for modules and that runs the scripts: Debian's, since its packages bring the
# modules, even when another python3 comes first in PATH; elsewhere the python3 of the PATH.
#
#   python.sh                   prints its path
#   python.sh SCRIPT ARG...     becomes it
python=/usr/bin/python3
[ -x $python ] || command -v apt-get >/dev/null 2>&1 || python=python3
[ $# != 0 ] || { echo $python && exit; }
exec $python "$@"
