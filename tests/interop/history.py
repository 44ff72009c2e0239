#!/usr/bin/env python3
"""Tries manifesto-tuf beside python-tuf on the history of a TUF repository that lies in git.

    history.py CLONE MANIFESTO_TUF STATES

Of all commits that changed the repository's metadata, so many are taken, evenly spread. Each state is served as its owners publish
it, and read by both clients: from the first root and from the newest one, at the time of the commit, and 400 days later, when all of it
has expired. One line for each: "ok - NAME" where both accept or both refuse it, and give the same target; else "not ok - NAME", with both
reasons. The clock is faketime's. `history.py --python ROOT URL DIRECTORY [TARGET]` is python-tuf's part, --version reports which one.
"""
import datetime
import functools
import hashlib
import http.server
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import threading

# Where the metadata lie: the directory of tuf-on-ci, and what sigstore had before.
PLACES = ("metadata/", "repository/repository/")


def read_python(root, url, work, target=None):
    from tuf.ngclient import Updater, UpdaterConfig
    pathlib.Path(work, "root.json").write_bytes(pathlib.Path(root).read_bytes())
    client = Updater(work, url + "/metadata/", work, url + "/targets/", config=UpdaterConfig(prefix_targets_with_hash=True),
                     bootstrap=pathlib.Path(root).read_bytes())
    client.refresh()
    if target:
        info = client.get_targetinfo(target)
        if not info:
            raise SystemExit("no role lists '%s'" % target)
        client.download_target(info, os.path.join(work, "target"))


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


class State:
    """One commit: its metadata as they are published, below `site`."""

    def __init__(self, clone, commit, site):
        self.clone, self.commit, self.site = clone, commit, site
        self.names = git(clone, "ls-tree", "-r", "--name-only", commit).decode().split("\n")
        self.roots, self.target = {}, None
        for place in PLACES:
            files = [n for n in self.names if n.startswith(place) and n.endswith(".json")]
            if files:
                self.publish(place, files)
                break

    def show(self, name):
        return git(self.clone, "show", "%s:%s" % (self.commit, name))

    def write(self, path, data):
        path = self.site / path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    def publish(self, place, files):
        for name in files:
            data, base = self.show(name), os.path.basename(name)
            self.write("metadata/" + base, data)
            if re.fullmatch(r"\d+\.root\.json", base):
                self.roots[int(base.split(".")[0])] = self.site / "metadata" / base
                continue
            try:
                signed = json.loads(data)["signed"]
                self.write("metadata/%d.%s" % (signed["version"], base.split(".", base[0].isdigit())[-1]), data)
            except (ValueError, KeyError, TypeError):
                continue
            if base == "root.json":
                self.roots[signed["version"]] = self.site / "metadata" / ("%d.root.json" % signed["version"])
            if base == "targets.json":
                self.targets(place, signed)

    def targets(self, place, signed):
        directory = os.path.dirname(place.rstrip("/"))
        for name, info in sorted(signed["targets"].items()):
            path = os.path.join(directory, "targets", name)
            if path not in self.names:
                continue
            data = self.show(path)
            folder, base = os.path.split(name)
            for algorithm, digest in info["hashes"].items():
                if hashlib.new(algorithm, data).hexdigest() == digest:
                    self.write(os.path.join("targets", folder, "%s.%s" % (digest, base)), data)
                    self.write(os.path.join("targets", name), data)
                    self.target = name


def git(clone, *argv):
    return subprocess.run(["git", "--git-dir", str(clone), *argv], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout


def commits(clone, most):
    """Commits and their times, oldest first."""
    lines = git(clone, "log", "--reverse", "--format=%H %ct", "HEAD", "--", *PLACES).decode().split("\n")[:-1]
    step = max(1, -(-len(lines) // most))
    return [line.split() for line in sorted(set(lines[::step] + lines[-1:]), key=lines.index)]


def run(when, argv):
    """At this time: did it work, and its last line."""
    clock = datetime.datetime.fromtimestamp(when, datetime.timezone.utc).strftime("%Y-%m-%d %H:%M:%S")
    env = dict(os.environ, TZ="UTC")
    done = subprocess.run(["faketime", clock, *argv], env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, check=False)
    return done.returncode == 0, (done.stdout.strip() or "nothing").split("\n")[-1]


def ours(program, when, root, url, work, target):
    argv = [program, "--metadata-dir", work + "/metadata"]
    good, why = run(when, [*argv, "init", str(root)])
    if not good:
        return good, why, None
    argv += ["--metadata-url", url + "/metadata"]
    if not target:
        return *run(when, [*argv, "refresh"]), None
    good, why = run(when, [*argv, "--target-name", target, "--target-base-url", url + "/targets", "--target-dir", work + "/got", "download"])
    found = [p.read_bytes() for p in pathlib.Path(work, "got").glob("*") if p.is_file()]
    return good, why, found[0] if found else None


def theirs(when, root, url, work, target):
    good, why = run(when, [sys.executable, __file__, "--python", str(root), url, work, *([target] if target else [])])
    path = pathlib.Path(work, "target")
    return good, why, path.read_bytes() if path.exists() else None


def try_state(program, state, when, url, label):
    for root in sorted({min(state.roots), max(state.roots)}):
        for later in (0, 400):
            at = when + 3600 + later * 86400
            with tempfile.TemporaryDirectory() as a, tempfile.TemporaryDirectory() as b:
                mine = ours(program, at, state.roots[root], url, a, state.target)
                other = theirs(at, state.roots[root], url, b, state.target)
            same = mine[0] == other[0] and mine[2] == other[2]
            name = "%s, from root %d, %d days later: %s" % (label, root, later, "accepted" if other[0] else "refused")
            print("%sok - %s" % ("" if same else "not ", name), flush=True)
            if not same:
                print("# manifesto-tuf: %s\n# python-tuf: %s" % (mine[1], other[1]), flush=True)


def main(clone, program, most):
    with tempfile.TemporaryDirectory() as top:
        handler = functools.partial(Quiet, directory=top)
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        for commit, when in commits(clone, most):
            site = pathlib.Path(top, commit)
            state = State(clone, commit, site)
            if state.roots:
                label = datetime.datetime.fromtimestamp(int(when), datetime.timezone.utc).strftime("%Y-%m-%d ") + commit[:8]
                try_state(program, state, int(when), "http://127.0.0.1:%d/%s" % (server.server_address[1], commit), label)


if __name__ == "__main__":
    if sys.argv[1:] == ["--version"]:
        import tuf
        print("python-tuf %s" % tuf.__version__)
    elif sys.argv[1] == "--python":
        read_python(*sys.argv[2:])
    else:
        main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
