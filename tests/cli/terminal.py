#!/usr/bin/env python3
"""Runs a command on a terminal of its own and answers its questions.

Usage: terminal.py [PATTERN ANSWER]... -- COMMAND...
Waits for each PATTERN (plain text) on the terminal and types ANSWER: text, with \\n for the return key and \\x03 for Ctrl-C,
or SIGNAL:NAME, sent to the command. Prints what the terminal showed; with the last line `echo on` or `echo off`, as the terminal was left.
The status is the command's, 128 + N for signal N, 99 when a PATTERN did not come.
"""
import os
import pty
import select
import signal
import sys
import termios
import time

WAIT_S = 30


class Terminal:
    def __init__(self, command):
        self.seen, self.mark = b"", 0
        ours, theirs = pty.openpty()
        self.pid, self.fd, self.theirs = os.fork(), ours, theirs
        if self.pid == 0:
            os.close(ours)
            os.login_tty(theirs) if hasattr(os, "login_tty") else self.login(theirs)
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, signal.SIG_DFL)
            os.execvp(command[0], command)

    @staticmethod
    def login(fd):
        import fcntl
        os.setsid()
        fcntl.ioctl(fd, termios.TIOCSCTTY, 0)
        for standard in (0, 1, 2):
            os.dup2(fd, standard)
        if fd > 2:
            os.close(fd)

    def read(self, seconds):
        if not select.select([self.fd], [], [], seconds)[0]:
            return False
        self.seen += os.read(self.fd, 4096)
        return True

    def wait_for(self, pattern):
        end = time.monotonic() + WAIT_S
        while (at := self.seen.find(pattern, self.mark)) < 0:
            if time.monotonic() > end or (not self.read(0.1) and os.waitid(
                    os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)):
                return False
        self.mark = at + len(pattern)
        return True

    def answer(self, text):
        if text.startswith("SIGNAL:"):
            os.kill(self.pid, signal.Signals[text[7:]])
        else:
            os.write(self.fd, text.encode().decode("unicode_escape").encode("latin-1"))

    def finish(self):
        end = time.monotonic() + WAIT_S
        done = None
        while not done and time.monotonic() < end:
            self.read(0.1)
            done = os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        if not done:
            os.kill(self.pid, signal.SIGKILL)
        while self.read(0):
            pass
        echo = termios.tcgetattr(self.theirs)[3] & termios.ECHO
        status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        sys.stdout.write(self.seen.decode("utf-8", "replace").replace("\r\n", "\n"))
        sys.stdout.write("\necho %s\n" % ("on" if echo else "off"))
        return status if status >= 0 else 128 - status


def main(arguments):
    split = arguments.index("--")
    script, command = arguments[:split], arguments[split + 1:]
    terminal = Terminal(command)
    missed = False
    for pattern, text in zip(script[::2], script[1::2]):
        if not terminal.wait_for(pattern.encode()):
            missed = True
            break
        terminal.answer(text)
    status = terminal.finish()
    return 99 if missed else status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
