#!/usr/bin/env python3
"""Searches what a core dump of a process would hold.

Usage: memory.py PID NEEDLE...
Reads the memory of the running process, except mappings that are left out of core dumps (MADV_DONTDUMP), and prints a line
for each NEEDLE that is in it: hexadecimal digits stand for its octets. The status is 0 when none is found, 1 when one is, 2 when the
memory cannot be read.
"""
import re
import sys


def mappings(pid):
    """(start, end, name) of each mapping that a core dump would hold."""
    current = None
    for line in open(f"/proc/{pid}/smaps"):
        head = re.match(r"([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \S+\s*(.*)", line)
        if head:
            current = (int(head[1], 16), int(head[2], 16), head[4]) if "r" in head[3] else None
        elif line.startswith("VmFlags:") and current and "dd" not in line.split() and not current[2].startswith("[v"):
            yield current


def main(pid, needles):
    found, read = set(), 0
    with open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for start, end, name in mappings(pid):
            try:
                memory.seek(start)
                octets = memory.read(end - start)
            except (OSError, ValueError):
                continue
            read += len(octets)
            for needle in needles:
                if bytes.fromhex(needle) in octets and (needle, name) not in found:
                    found.add((needle, name))
                    print(f"{bytes.fromhex(needle)!r} is in {name or 'anonymous memory'}")
    if not read:
        sys.exit(2)
    return 1 if found else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1], sys.argv[2:]))
    except PermissionError as why:
        print(why)
        sys.exit(2)
