#!/usr/bin/env python3
"""Writes a tar file again with one thing changed: retar.py FROM TO WHAT [ARGUMENT...]

WHAT is one of the functions below. What is read are regular files; what is written is as a hostile or another
program would write it.
"""
import io
import re
import sys
import tarfile


def read(path):
    with tarfile.open(path) as tar:
        return [(m.name, tar.extractfile(m).read()) for m in tar.getmembers()]


def write(path, members, form=tarfile.USTAR_FORMAT, more=()):
    with tarfile.open(path, 'w', format=form) as tar:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
        for info in more:
            tar.addfile(info)


def change(members, pattern, edit):
    found = [name for name, _ in members if re.search(pattern, name)]
    if not found:
        sys.exit(f'no member matches {pattern}')
    return [(name, edit(content) if name in found else content) for name, content in members]


def form(members, to, name):
    """pax, gnu or ustar; names in a directory "." as tar -C writes them, last member first"""
    members = [('./' + member, content) for member, content in reversed(members)]
    write(to, members, {'pax': tarfile.PAX_FORMAT, 'gnu': tarfile.GNU_FORMAT, 'ustar': tarfile.USTAR_FORMAT}[name])


def flip(members, to, pattern):
    """one bit in the middle of each member whose name matches"""
    def edit(content):
        at = len(content) // 2
        return content[:at] + bytes([content[at] ^ 1]) + content[at + 1:]
    write(to, change(members, pattern, edit))


def edit(members, to, pattern, old, new):
    """a text in each member whose name matches"""
    if not any(old.encode() in content for name, content in members if re.search(pattern, name)):
        sys.exit(f'no {old} in {pattern}')
    write(to, change(members, pattern, lambda content: content.replace(old.encode(), new.encode(), 1)))


def drop(members, to, pattern):
    kept = [m for m in members if not re.search(pattern, m[0])]
    if len(kept) == len(members):
        sys.exit(f'no member matches {pattern}')
    write(to, kept)


def add(members, to, name, text):
    write(to, members + [(name, text.encode())])


def double(members, to, pattern):
    write(to, members + [m for m in members if re.search(pattern, m[0])][:1])


def merge(members, to, other, pattern):
    """with the members of another file that match, in place of its own of those names"""
    more = [m for m in read(other) if re.search(pattern, m[0])]
    names = {name for name, _ in more}
    write(to, [m for m in members if m[0] not in names] + more)


def kind(members, to, letter, name):
    """one more member of another type, such as a link"""
    info = tarfile.TarInfo(name)
    info.type = letter.encode()
    info.linkname = 'index.json'
    write(to, members, more=[info])


def claim(members, to, size):
    """a last member that claims to have so many octets"""
    write(to, members)
    info = tarfile.TarInfo('blobs/sha256/' + '0' * 64)
    info.size = int(size)
    with open(to, 'rb') as f:
        content = f.read().rstrip(b'\0')
    content += b'\0' * (-len(content) % 512)
    with open(to, 'wb') as f:
        f.write(content + info.tobuf(tarfile.GNU_FORMAT) + b'\0' * 1024)


def main():
    source, to, what, *rest = sys.argv[1:]
    {f.__name__: f for f in (form, flip, edit, drop, add, double, merge, kind, claim)}[what](read(source), to, *rest)


main()
