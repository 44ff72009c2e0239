#!/usr/bin/env python3
"""Writes an OCI image layout with the program: no daemon, no root, and the same bytes from the same input.

Usage: image.py VERSION PROGRAM TIME DIRECTORY

The image has the program, its shared libraries, the certificates of Mozilla's CAs, and what these need. They come from
Debian packages of this machine; their names and versions are where scanners look for them (var/lib/dpkg/status.d).
"""
import datetime
import gzip
import hashlib
import io
import pathlib
import subprocess
import sys
import tarfile
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(HERE.parent / "tests/support"))
from mkimage import CONFIG, LAYER, MANIFEST, Layout, encode  # noqa: E402

AUTHORITIES = pathlib.Path("/usr/share/ca-certificates/mozilla")
USER = 65532  # "nonroot", as other images without a shell have it
HOME = "home/manifesto"


def output_of(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, encoding="utf-8").stdout


class Root:
    """The files of the image, by their names."""

    def __init__(self):
        self.members = {}

    def directory(self, name, mode=0o755, owner=0):
        for parent in reversed(pathlib.PurePosixPath(name).parents):
            if str(parent) not in (".", *self.members):
                self.directory(str(parent))
        member = tarfile.TarInfo(name)
        member.type, member.mode, member.uid, member.gid = tarfile.DIRTYPE, mode, owner, owner
        self.members[name] = (member, b"")

    def file(self, name, data, mode=0o644):
        member = tarfile.TarInfo(name)
        member.mode, member.size = mode, len(data)
        self.put(member, data)

    def link(self, name, target):
        member = tarfile.TarInfo(name)
        member.type, member.linkname = tarfile.SYMTYPE, target
        self.put(member, b"")

    def put(self, member, data):
        parent = str(pathlib.PurePosixPath(member.name).parent)
        if parent not in (".", *self.members):
            self.directory(parent)
        self.members[member.name] = (member, data)

    def tar(self, time):
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
            for _, (member, data) in sorted(self.members.items()):
                member.mtime = time
                archive.addfile(member, io.BytesIO(data))
        return buffer.getvalue()


def add_program(root, program):
    with tempfile.TemporaryDirectory() as directory:
        for name in ("manifesto", "manifesto-tuf"):
            stripped = pathlib.Path(directory) / name
            subprocess.run(["strip", "-o", str(stripped), str(program.parent / name)], check=True)
            root.file("usr/bin/" + name, stripped.read_bytes(), 0o755)


def add_libraries(root, program):
    """The libraries, where the loader searches without a cache; returns their packages."""
    packages = set()
    folder = "usr/lib/" + output_of("gcc", "-print-multiarch").strip()
    for line in output_of("bash", str(HERE / "libraries.sh"), "all", str(program)).splitlines():
        name, path, package = line.split()
        packages.add(package)
        root.file("usr" + name if name.startswith("/") else folder + "/" + name, pathlib.Path(path).read_bytes(), 0o755)
    for name in {member.split("/")[1] for member in root.members if member.startswith("usr/lib")}:
        root.link(name, "usr/" + name)
    return packages


def add_system(root):
    """What a program expects of a system; returns the packages that it comes from."""
    root.file("etc/passwd", b"root:x:0:0:root:/:/nologin\nmanifesto:x:%d:%d::/%s:/nologin\n" % (USER, USER, HOME.encode()))
    root.file("etc/group", b"root:x:0:\nmanifesto:x:%d:\n" % USER)
    root.file("etc/nsswitch.conf", b"hosts: files dns\n")
    root.file("usr/lib/os-release", pathlib.Path("/usr/lib/os-release").read_bytes())
    root.link("etc/os-release", "../usr/lib/os-release")
    certificates = sorted(AUTHORITIES.glob("*.crt"))
    if not certificates:
        sys.exit("image.py: no certificates in %s: install ca-certificates" % AUTHORITIES)
    root.file("etc/ssl/certs/ca-certificates.crt", b"".join(c.read_bytes().rstrip() + b"\n" for c in certificates))
    root.directory(HOME, 0o700, USER)
    for name in ("dev", "proc", "sys"):
        root.directory(name)
    root.directory("tmp", 0o1777)
    root.directory("work", 0o755, USER)
    return {"base-files", "ca-certificates"}


def add_packages(root, packages):
    for package in packages:
        name = package.split(":")[0]
        root.file("var/lib/dpkg/status.d/" + name, output_of("dpkg-query", "-s", package).encode("utf-8"))
        copyright_ = pathlib.Path("/usr/share/doc", name, "copyright")
        if copyright_.exists():
            root.file("usr/share/doc/%s/copyright" % name, copyright_.read_bytes())


def write(layout, root, version, time):
    tar = root.tar(time)
    layer = layout.add(gzip.compress(tar, 9, mtime=0), LAYER)
    created = datetime.datetime.fromtimestamp(time, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    labels = {"org.opencontainers.image.title": "manifesto", "org.opencontainers.image.version": version,
              "org.opencontainers.image.licenses": "Apache-2.0"}
    platform = {"architecture": architecture(), "os": "linux"}
    config = {"created": created, **platform, "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(tar).hexdigest()]},
              "history": [{"created": created, "created_by": "make image"}],
              "config": {"Entrypoint": ["/usr/bin/manifesto"], "Cmd": ["help"], "User": "%d:%d" % (USER, USER),
                         "Env": ["PATH=/usr/bin", "HOME=/" + HOME], "WorkingDir": "/work", "Labels": labels}}
    manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": layout.add(encode(config), CONFIG),
                "layers": [layer], "annotations": {**labels, "org.opencontainers.image.created": created}}
    layout.tag(layout.add(encode(manifest), MANIFEST, platform=platform), version)


def architecture():
    """OCI has the names of Go, and Debian has them for most machines."""
    name = output_of("dpkg", "--print-architecture").strip()
    return {"i386": "386", "ppc64el": "ppc64le", "armhf": "arm"}.get(name, name)


def main():
    version, program, time, directory = sys.argv[1], pathlib.Path(sys.argv[2]), int(sys.argv[3]), pathlib.Path(sys.argv[4])
    root = Root()
    add_program(root, program)
    add_packages(root, add_libraries(root, program) | add_system(root))
    write(Layout(directory), root, version, time)


if __name__ == "__main__":
    main()
