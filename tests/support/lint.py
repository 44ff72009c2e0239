#!/usr/bin/env python3
"""Rules of this project that no other tool checks: sizes, layers, banned calls, leftovers.

Usage: lint.py [ROOT]
Prints `FILE:LINE: what is wrong`; the status is 1 when there is anything.
"""
import pathlib
import re
import subprocess
import sys

MAX_FUNCTION, MAX_FILE = 60, 800
RANKS = {"base": 0, "json": 1, "crypto": 1, "store": 2, "tuf": 3, "net": 3, "keys": 3, "record": 3, "condition": 3,
         "oci": 4, "trust": 4, "policy": 4, "publish": 5, "ops": 6, "cli": 7, "tufcli": 7}
# Third-party headers and the modules that may include them.
HOMES = {re.compile(r"curl/"): {"net"}, re.compile(r"(sodium|openssl/)"): {"crypto", "keys"},
         re.compile(r"p11-kit/"): {"keys"}, re.compile(r"jansson"): {"json"},
         re.compile(r"jq\.h"): {"condition"}}
PURE = {"tuf", "record", "policy"}
IMPURE = re.compile(r"(fcntl|unistd|time|poll|dirent)\.h$|sys/(socket|stat|time|file)\.h$|base/env\.h$")
BANNED = re.compile(r"\b(strcpy|strcat|stpcpy|sprintf|vsprintf|gets|strtok|strtok_r|system|popen|setenv|putenv|"
                    r"unsetenv|umask|alloca|strncpy|strncat|atoi|atol|tmpnam|mktemp|tempnam|rand|srand)\s*\(")
IN_LIBRARY = re.compile(r"\b(printf|puts|putchar|perror|exit|_exit|abort|signal|sigaction)\s*\(")
INCLUDE = re.compile(r'^\s*#\s*include\s+[<"]([^>"]+)[>"]')
LEFTOVER = re.compile(r"\b(TO" r"DO|FIX" r"ME|X" r"XX|HA" r"CK)\b")
# One idiom. A fallible function gives -1 and is tested with `< 0`; a third outcome has a name (enum mf_found).
FALLIBLE = re.compile(r"^(static )?(?:inline )?int (\w+)\((?:[^()]|\([^()]*\))*struct mf_err \*\w+\)", re.M)
MEMBER = re.compile(r"\bint \(\*(\w+)\)\((?:[^()]|\([^()]*\))*struct mf_err \*\w+\)")
SYSTEM = set("access chdir chmod chown close closedir connect dup2 fchmod fchown fclose fcntl fdatasync fflush flock "
             "fstat fstatat fsync ftruncate kill link linkat listen lseek lstat mkdir mkfifo open openat pipe pipe2 "
             "poll readlink rename renameat renameat2 rmdir setrlimit sigaction socket socketpair stat symlink unlink "
             "unlinkat waitpid".split())
CONDITION = re.compile(r"(\b(if|while|return)|[|&(!=?:])$")
# A type keeps its parentheses.
SIZEOF = re.compile(r"\bsizeof\((?!\(|(const |volatile )?(struct|enum|union|unsigned|signed|char|int|long|short|void|bool|"
                    r"[A-Z]\w*|\w+_t)\b)")
# What these take is a value, no flag.
VALUES = {"mf_json_add_bool"}
FLAG = re.compile(r"[(,]\s*(?:true|false)\s*(?=[,)])")
OUTCOMES = re.compile(r"\b1, 0(:[^,;]*)?,? (or )?-1\b|\b0, 1,? (or )?-1\b|\b1: [^;]*; 0: [^;]*; -1\b|\b0: [^,;]*, 1,? or 2\b")
SIDE_CHANNEL = re.compile(r"(?:(?<!\w)\(|\|\||(?<!err )&&)\s*err->code\s*(?:\)|\|\||&&)")
SHARED_LINE = re.compile(r"^\s[^;(){}=]*;\s*/\* (.*?) \*/$")
TEXT = {".c", ".h", ".py", ".sh", ".md", ".1", ".5", ".7", ".yml", ".yaml", ".in", ""}


class Lint:
    def __init__(self, root):
        self.root, self.found, self.fallible, self.members = root, [], set(), set()

    def say(self, path, line, text):
        self.found.append("%s:%d: %s" % (path.relative_to(self.root), line, text))

    def text(self, path, lines):
        for number, line in enumerate(lines, 1):
            if line != line.rstrip():
                self.say(path, number, "blank at the end of the line")
            if LEFTOVER.search(line):
                self.say(path, number, "unfinished work is an issue, not a comment")
        if lines and not lines[-1].strip():
            self.say(path, len(lines), "empty line at the end of the file")

    def includes(self, path, module, lines):
        for number, line in enumerate(lines, 1):
            match = INCLUDE.match(line)
            if match:
                self.include(path, number, module, match.group(1))

    def include(self, path, number, module, header):
        for pattern, homes in HOMES.items():
            if pattern.match(header) and module not in homes:
                self.say(path, number, "<%s> is for %s only" % (header, ", ".join(sorted(homes))))
        if module in PURE and IMPURE.search(header):
            self.say(path, number, "%s is pure: no '%s'" % (module, header))
        other = header.split("/")[0] if "/" in header else ""
        if other == "manifesto" and module not in ("publish", "ops", "cli"):
            self.say(path, number, "public headers are for publish, ops and cli")
        if other not in RANKS or other == module:
            return
        if module == "cli" and other != "base" and header != "json/writer.h":
            self.say(path, number, "cli includes manifesto/, base/ and json/writer.h only")
        elif RANKS[other] >= RANKS[module]:
            self.say(path, number, "%s (%d) must not see %s (%d)" % (module, RANKS[module], other, RANKS[other]))

    def calls(self, path, module, lines):
        for number, line in enumerate(lines, 1):
            for match in BANNED.finditer(line):
                self.say(path, number, "%s() is banned" % match.group(1))
            for match in IN_LIBRARY.finditer(line) if module not in ("cli", "tufcli") else ():
                if not (match.group(1) == "_exit" and module in ("net", "store", "keys", "condition") or
                        match.group(1) == "signal" and module == "condition"):
                    self.say(path, number, "a library does not call %s()" % match.group(1))

    def sizes(self, path, lines):
        if len(lines) > MAX_FILE:
            self.say(path, MAX_FILE, "%d lines, more than %d" % (len(lines), MAX_FILE))
        start = None
        for number, line in enumerate(lines, 1):
            if line.startswith("{"):
                start = number
            elif line.startswith("}") and start:
                if number - start - 1 > MAX_FUNCTION:
                    self.say(path, start, "function of %d lines, more than %d" % (number - start - 1, MAX_FUNCTION))
                start = None

    def idiom(self, path, text):
        code = without_comments(text)
        for start, name in truths(code, self.fallible | self.own(code) | SYSTEM, self.members):
            self.say(path, line_of(code, start), "%s() fails with -1: compare with `< 0`" % name)
        for match in SIZEOF.finditer(code):
            self.say(path, line_of(code, match.start()), "`sizeof x` without parentheses")
        for match in FLAG.finditer(code):
            name = called(code, match.start())
            if name and not name.isupper() and name not in VALUES:
                self.say(path, line_of(code, match.start()), "a flag of %s() without a name" % name)
        for match in SIDE_CHANNEL.finditer(code):
            self.say(path, line_of(code, match.start()), "a failure is what a function returns, not err->code")
        for number, line in enumerate(text.split("\n"), 1):
            if "__attribute__((cleanup" in line and path.name != "err.h":
                self.say(path, number, "MF_CLEANUP is the one way to clean up")
            if re.search(r"%j[dux]|\buintmax_t\b", line):
                self.say(path, number, "`%llu` with a cast")
            if OUTCOMES.search(line):
                self.say(path, number, "outcomes have names: enum mf_found")

    def members_apart(self, path, lines):
        for number, (line, following) in enumerate(zip(lines, lines[1:]), 1):
            first, second = SHARED_LINE.match(line), SHARED_LINE.match(following)
            if first and second and re.search(r"(,| or| and| of| that| the)$", first.group(1)):
                self.say(path, number, "a sentence over two members")

    def own(self, code):
        """The fallible functions of one file."""
        return {match.group(2) for match in FALLIBLE.finditer(code) if match.group(1)}

    def learn(self, paths):
        """The fallible functions, and members of structs, that any file may call."""
        for path in paths:
            code = without_comments(path.read_text(encoding="utf-8", errors="replace"))
            self.fallible |= {match.group(2) for match in FALLIBLE.finditer(code) if not match.group(1)}
            self.members |= {match.group(1) for match in MEMBER.finditer(code)}

    def source(self, path, text):
        module = path.relative_to(self.root).parts[1]
        lines = text.split("\n")
        if lines and not lines[-1]:
            lines.pop()
        if module not in RANKS:
            return self.say(path, 1, "unknown module " + module)
        self.sizes(path, lines)
        self.includes(path, module, lines)
        self.calls(path, module, without_comments(text).split("\n"))
        self.idiom(path, text)
        self.members_apart(path, lines)

    def decisions(self, path, lines):
        """People cite decisions by number: each number is there once, in order."""
        last = 0
        for number, line in enumerate(lines, 1):
            match = re.match(r"(\d+)\. ", line)
            if match and int(match.group(1)) <= last:
                self.say(path, number, "decision %s after %d" % (match.group(1), last))
            last = int(match.group(1)) if match else last

    def file(self, path):
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            return self.say(path, 1, "not UTF-8")
        lines = text.split("\n")
        if text.endswith("\n"):
            lines.pop()
        elif text:
            self.say(path, len(lines), "no newline at the end of the file")
        self.text(path, lines)
        if path.name == "decisions.md":
            self.decisions(path, lines)
        if path.suffix in (".c", ".h") and path.relative_to(self.root).parts[0] == "src":
            self.source(path, text)


def without_comments(text):
    """Replaces comments and literals with blanks and keeps the lines."""
    token = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)
    return token.sub(lambda m: re.sub(r"[^\n]", " ", m.group(0)), text)


def members(header):
    """The members of each public struct, in order."""
    code = without_comments(header.read_text(encoding="utf-8"))
    structs = re.findall(r"^struct (manifesto_\w+) \{(.*?)^\};", code, re.M | re.S)
    return {name: [d for m in body.split(";") if m.strip() for d in declarators(" ".join(m.split()))]
            for name, body in structs}


def declarators(member):
    """"int a, *b" as "int a" and "int *b"; a function pointer as it is."""
    parts = re.match(r"((?:const |struct |enum |unsigned )*\w+) ?(.*)", member)
    return [member] if "(" in member else [parts.group(1) + " " + d.strip() for d in parts.group(2).split(",")]


def line_of(text, at):
    return text.count("\n", 0, at) + 1


def end_of_call(code, at):
    """Behind the parenthesis that closes the one at `at`."""
    depth = 0
    for i in range(at, len(code)):
        depth += {"(": 1, ")": -1}.get(code[i], 0)
        if not depth:
            return i + 1
    return len(code)


def truths(code, names, members):
    """Where a call of one of these functions stands for true or false: (offset, name)."""
    for match in re.finditer(r"(->|\.)?\b(\w+)\(", code):
        if match.group(2) not in (members if match.group(1) else names):
            continue
        start = match.start()
        if match.group(1):
            start = re.search(r"[\w.>\[\]-]*$", code[:start]).start()
        before = code[:start].rstrip()
        after = code[end_of_call(code, match.end() - 1):][:200].lstrip()
        negated = before.endswith("!") and not before.endswith(")!")
        alone = before.endswith("(") and CONDITION.search(before[:-1].rstrip())
        if negated or after[:2] in ("||", "&&") or after[:1] == "?" or \
                after[:1] == ")" and (alone or before.endswith(("||", "&&"))):
            yield match.start(2), match.group(2)


def called(code, at):
    """The function that the argument behind `at`, a comma or parenthesis, is for; None when there is none."""
    depth = 0
    for i in range(at if code[at] == "(" else at - 1, -1, -1):
        if code[i] in "{};" and not depth:
            return None
        if code[i] == "(" and not depth:
            name = re.search(r"(\w+)$", code[:i])
            return name.group(1) if name and name.group(1) not in ("if", "while", "for", "return") else None
        depth += {")": 1, "(": -1}.get(code[i], 0)
    return None


def files(root):
    """The committed and the new files; all files if this is not a git repository."""
    git = ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    result = subprocess.run(git, capture_output=True, check=False)
    if result.returncode == 0:
        names = [root / n for n in result.stdout.decode().split("\0") if n]
    else:
        names = [p for p in root.rglob("*") if "build" not in p.relative_to(root).parts[0]]
    for path in sorted(names):
        top = path.relative_to(root).parts[0]
        if path.is_file() and path.suffix in TEXT and top not in ("testdata", "keys") and "corpus" not in path.parts:
            yield path


def interface(lint):
    """Programs that were compiled against the first header still run: members are appended, and none changes."""
    folder, frozen = lint.root / "include/manifesto", lint.root / "tests/unit/ops/frozen/manifesto-1.h"
    if not folder.is_dir():
        return
    now = {name: m for header in folder.glob("*.h") for name, m in members(header).items()}
    for name, before in members(frozen).items():
        if now.get(name, [])[:len(before)] != before:
            lint.say(folder / "manifesto.h", 1, "struct %s: new members go behind those of %s" % (name, frozen.name))
    record = (lint.root / "src/libmanifesto.abi").read_text(encoding="utf-8")
    for header in sorted(folder.glob("*.h")):
        functions = re.findall(r"^MANIFESTO_API\b[^;(]*?\b(manifesto_\w+)\(", without_comments(header.read_text()), re.M)
        for missing in [f for f in functions if not re.search(r"\W%s \(" % f, record)] + \
                [m for s, members_ in members(header).items() for m in members_ if "member %s: %s," % (s, m) not in record]:
            lint.say(header, 1, "%s is not recorded: `make abi`" % missing)


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent.parent.parent).resolve()
    lint = Lint(root)
    paths = list(files(root))
    lint.learn(p for p in paths if p.suffix in (".c", ".h") and p.relative_to(root).parts[0] == "src")
    for path in paths:
        lint.file(path)
    interface(lint)
    for line in lint.found:
        print(line)
    return 1 if lint.found else 0


if __name__ == "__main__":
    sys.exit(main())
