#!/usr/bin/env python3
"""Reads targets with python-tuf, starting from a root file and nothing else.

    read_python.py METADATA_URL TARGETS_URL ROOT_FILE OUTPUT_DIRECTORY <NAMES

One name a line. Each target ends up in the directory under its percent-encoded name. Prints which python-tuf it was;
with --version nothing else happens (status 3: there is none).
"""
import inspect
import os
import pathlib
import sys
import tempfile
import urllib.parse

try:
    import tuf
    from tuf.ngclient import Updater, UpdaterConfig
except ImportError as error:
    print("no python-tuf: %s" % error)
    sys.exit(3)


def updater(work, metadata_url, targets_url, root):
    options = {"config": UpdaterConfig(prefix_targets_with_hash=True)}
    metadata, targets = os.path.join(work, "metadata"), os.path.join(work, "targets")
    os.mkdir(metadata)
    os.mkdir(targets)
    # Since version 6 the first root is an argument. Before, it was the file in the directory.
    if "bootstrap" in inspect.signature(Updater.__init__).parameters:
        options["bootstrap"] = root
    else:
        pathlib.Path(metadata, "root.json").write_bytes(root)
    return Updater(metadata, metadata_url, targets, targets_url, **options)


def main():
    print("python-tuf %s, Python %s" % (tuf.__version__, sys.version.split()[0]))
    if sys.argv[1:] == ["--version"]:
        return 0
    metadata_url, targets_url, root, output = sys.argv[1:]
    with tempfile.TemporaryDirectory() as work:
        client = updater(work, metadata_url, targets_url, pathlib.Path(root).read_bytes())
        client.refresh()
        for name in sys.stdin.read().split("\n")[:-1]:
            info = client.get_targetinfo(name)
            if info is None:
                print("no role lists '%s'" % name, file=sys.stderr)
                return 1
            client.download_target(info, os.path.join(output, urllib.parse.quote(name, safe="")))
    return 0


sys.exit(main())
