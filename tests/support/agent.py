#!/usr/bin/env python3
"""An ssh-agent between a program and a real one. It counts connections and requests, and can do what no real agent does.

Usage: agent.py SOCKET REAL_SOCKET LOG MODE

LOG gets one line for each connection ("connect") and request ("request TYPE"). MODE is
  pass       every message goes through
  wrong      signatures have one bit changed
  other      a signature is over something else than what was asked for
  garbage    answers are octets without meaning
  huge       answers announce more than a message may have
  short      answers end in the middle
  silent     there is never an answer
"""
import os
import socket
import struct
import sys
import threading

SIGN_REQUEST, SIGN_RESPONSE = 13, 14


def receive(conn, n):
    data = b""
    while len(data) < n:
        part = conn.recv(n - len(data))
        if not part:
            raise EOFError
        data += part
    return data


def message(conn):
    return receive(conn, struct.unpack(">I", receive(conn, 4))[0])


def string(data, at):
    n = struct.unpack(">I", data[at:at + 4])[0]
    return data[at + 4:at + 4 + n], at + 4 + n


def other(request):
    """The same request for another message."""
    blob, at = string(request, 1)
    return request[:at] + struct.pack(">I", 5) + b"other" + request[-4:]


def answer(real, request, mode):
    signs = request[0] == SIGN_REQUEST
    if signs and mode == "other":
        request = other(request)
    real.sendall(struct.pack(">I", len(request)) + request)
    reply = message(real)
    if signs and mode == "wrong" and reply[0] == SIGN_RESPONSE:
        reply = reply[:-1] + bytes([reply[-1] ^ 1])
    if mode == "garbage":
        reply = os.urandom(len(reply))
    framed = struct.pack(">I", len(reply)) + reply
    if mode == "huge":
        framed = struct.pack(">I", 0x7fffffff) + reply
    return framed[:-5] if mode == "short" else framed


def serve(conn, real_path, log, mode):
    with conn, socket.socket(socket.AF_UNIX) as real:
        real.connect(real_path)
        log("connect")
        try:
            while True:
                request = message(conn)
                log("request %d" % request[0])
                if mode != "silent":
                    conn.sendall(answer(real, request, mode))
                    if mode == "short":
                        return
        except (EOFError, OSError):
            pass


def main():
    path, real_path, log_path, mode = sys.argv[1:]
    lock = threading.Lock()

    def log(line):
        with lock, open(log_path, "a", encoding="ascii") as f:
            f.write(line + "\n")

    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen(16)
        while True:
            conn = listener.accept()[0]
            threading.Thread(target=serve, args=(conn, real_path, log, mode), daemon=True).start()


main()
