#!/usr/bin/env python3
"""A plain static web server on 127.0.0.1, for tests. Python's standard library only.

    static.py [--port N] [--port-file F] [--log L] [--delay-ms N] [--basic USER:PASSWORD] [--tls-cert C --tls-key K] DIR

Serves the regular files below DIR to GET and HEAD and answers 404 for all else: directories, what is not there, and what would lie
outside of DIR; 401 without the credentials of --basic. A path is decoded once, its query is ignored. Without --port the kernel chooses one; it is written to the port file by
rename, or printed. The log gets one JSON line for each request: {"method", "path" (as it was sent), "status", "peer" (the client's
port: tells connections apart), "headers" (names in lower case)}.
"""
import argparse
import base64
import http.server
import json
import os
import shutil
import ssl
import sys
import threading
import time
import urllib.parse


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 65536
    args = None
    lock = threading.Lock()

    def log_message(self, *args):
        pass

    def record(self, status):
        if not self.args.log:
            return
        line = json.dumps({"method": self.command, "path": self.path, "status": status, "peer": self.client_address[1],
                           "headers": {k.lower(): v for k, v in self.headers.items()}})
        with self.lock, open(self.args.log, "a", encoding="utf-8") as log:
            log.write(line + "\n")

    def open_file(self):
        """The file that the path names, or None."""
        path = urllib.parse.unquote_to_bytes(self.path.split("?")[0])
        segments = [s for s in path.split(b"/") if s]
        if b"\0" in path or b".." in segments or b"." in segments or path.endswith(b"/"):
            return None
        root = os.path.realpath(os.fsencode(self.args.dir))
        name = os.path.realpath(os.path.join(root, *segments))
        if not name.startswith(root + b"/") or not os.path.isfile(name):
            return None
        return open(name, "rb")

    def refuse(self, status, text, headers):
        body = b"<html><body><h1>%d %s</h1></body></html>\n" % (status, text.encode())
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def answer(self):
        time.sleep(self.args.delay_ms / 1000)
        if self.args.basic:
            wanted = "Basic " + base64.b64encode(self.args.basic.encode()).decode()
            if self.headers.get("Authorization") != wanted:
                self.record(401)
                self.refuse(401, "Unauthorized", {"WWW-Authenticate": 'Basic realm="static"'})
                return
        found = self.open_file()
        self.record(200 if found else 404)
        if not found:
            self.refuse(404, "Not Found", {})
            return
        with found:
            self.send_response(200)
            self.send_header("Content-Type", "application/octet-stream")
            self.send_header("Content-Length", str(os.fstat(found.fileno()).st_size))
            self.end_headers()
            if self.command == "GET":
                shutil.copyfileobj(found, self.wfile)

    do_GET = do_HEAD = answer


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    tls = None

    def finish_request(self, request, client_address):
        # In the connection's own thread, so that a client without a handshake does not block others.
        if self.tls:
            request.settimeout(60)
            request = self.tls.wrap_socket(request, server_side=True)
        self.RequestHandlerClass(request, client_address, self)
        if self.tls:
            try:
                request.unwrap()
            except (OSError, ssl.SSLError):
                pass
            request.close()

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], (ConnectionError, ssl.SSLError, TimeoutError)):
            super().handle_error(request, client_address)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--port", type=int, default=0)
    p.add_argument("--port-file")
    p.add_argument("--log")
    p.add_argument("--delay-ms", type=int, default=0)
    p.add_argument("--basic")
    p.add_argument("--tls-cert")
    p.add_argument("--tls-key")
    p.add_argument("dir")
    Handler.args = args = p.parse_args()
    server = Server(("127.0.0.1", args.port), Handler)
    if args.tls_cert:
        server.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.tls.load_cert_chain(args.tls_cert, args.tls_key)
    port = server.server_address[1]
    if args.port_file:
        with open(args.port_file + ".new", "w", encoding="ascii") as f:
            f.write("%d\n" % port)
        os.rename(args.port_file + ".new", args.port_file)
    else:
        print(port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
