#!/usr/bin/env python3
"""The binary interface of the shared library, and whether programs that were linked with it before still run.

Usage: abi.py LIBRARY RECORD VERSION            compares; status 1 when something differs
       abi.py --update LIBRARY RECORD VERSION   adds what is new, and still refuses what is gone

A line of the record is the version that brought something, and what it is: the prototype of an exported function,
type, offset and size of a member, the value of a constant. A struct that the library hands out may grow at its
end, and so may one that has its `size`; the size of any other counts. Needs gcc and nm, and the headers in
include/manifesto.
"""
import pathlib
import re
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
import lint  # noqa: E402

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
HEADERS = sorted((TOP / "include/manifesto").glob("*.h"))
# Callers make these, and they have no `size`.
FIXED = ["manifesto_error"]
PROGRAM = """#include <manifesto/manifesto.h>
#include <stdio.h>
#define MEMBER(s, m, d) printf("member " #s ": %%s, offset %%zu, size %%zu\\n", d, offsetof(struct s, m), \\
	sizeof ((struct s *)0)->m);
int main(void)
{
%s	return 0;
}
"""


def name_of(member):
    """What `const char *home`, `char code[32]` and `int (*write)(void *arg)` declare."""
    return re.search(r"\(\*(\w+)\)|(\w+)(?:\[[^\]]*\])?$", member).expand(r"\1\2")


def questions():
    for header in HEADERS:
        for struct, members in lint.members(header).items():
            for member in members:
                yield 'MEMBER(%s, %s, "%s")' % (struct, name_of(member), member)
        code = lint.without_comments(header.read_text(encoding="utf-8"))
        for body in re.findall(r"^enum manifesto_\w+ \{(.*?)\}", code, re.M | re.S):
            for constant in re.findall(r"\b(MANIFESTO_\w+)", body):
                yield 'printf("constant %s = %%d\\n", %s);' % (constant, constant)
    for struct in FIXED:
        yield 'printf("size of struct %s: %%zu\\n", sizeof(struct %s));' % (struct, struct)


def output_of(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, encoding="utf-8").stdout


def layouts(directory):
    """Lines on structs and constants, and the prototype of each function that is declared."""
    source, program, prototypes = directory / "abi.c", directory / "abi", directory / "prototypes"
    source.write_text(PROGRAM % "".join("\t%s\n" % q for q in questions()), encoding="utf-8")
    output_of("gcc", "-std=c17", "-I", str(TOP / "include"), "-aux-info", str(prototypes), "-o", str(program), str(source))
    declared = re.findall(r"^/\*.*?\*/ extern (.*?(manifesto_\w+) \(.*\));$", prototypes.read_text(encoding="utf-8"), re.M)
    return output_of(str(program)).splitlines(), {name: text for text, name in declared}


def current(library):
    with tempfile.TemporaryDirectory() as directory:
        lines, declared = layouts(pathlib.Path(directory))
    exported = [line.split()[-1] for line in output_of("nm", "-D", "--defined-only", library).splitlines()]
    for symbol in exported:
        name, _, version = symbol.partition("@@")
        if version:
            lines.append("function %s: %s" % (version, declared.pop(name, "%s, in no header" % name)))
    lines += ["function that is declared but not exported: " + name for name in declared]
    return lines


def main():
    update = sys.argv[1:2] == ["--update"]
    library, path, version = sys.argv[1 + update:]
    record = dict(reversed(line.split(" ", 1)) for line in pathlib.Path(path).read_text(encoding="utf-8").splitlines())
    now = current(library)
    gone, new = [line for line in record if line not in now], [line for line in now if line not in record]
    for line in gone:
        print("gone: " + line)
    if gone:
        print("Programs that use it would break. Restore it; only what no release had may leave %s." % path)
    if update and not gone:
        text = "".join("%s %s\n" % (record.get(line, version), line) for line in sorted(now))
        pathlib.Path(path).write_text(text, encoding="utf-8")
        return 0
    for line in new:
        print("new: " + line)
    if new:
        print("Record it with `make abi`.")
    return 1 if gone or new else 0


if __name__ == "__main__":
    sys.exit(main())
