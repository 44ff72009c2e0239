#!/usr/bin/env python3
"""An HTTP server on 127.0.0.1 that misbehaves on request, for tests. Python's standard library only.

    faultserver.py --port-file F [--log L] [--rules R.json | --script R.json]
                   [--upstream http://127.0.0.1:5000] [--tls-cert C --tls-key K] [--read-rate N]
                   [--latency MS] [--immutable-tags STATUS] [--referrers] [--no-delete] [--port N]

The kernel chooses the port, or --port; it is written to the port file by rename, so that a reader sees all of it or no file. The log
gets one JSON line for each request: {"n", "peer" (the client's port: tells connections apart), "method", "path", "headers" (names in
lower case), "body" (the first 4096 bytes, latin-1), "length", "client" (did it show a TLS
certificate), "rule" (index of the rule that was applied, or null)}. --read-rate
reads request bodies at so many bytes a second. "active" in the log is the number of requests in progress, "t" when it came, in seconds.

What Debian's registry does not do, before it as --upstream: --latency answers each request so much later; --immutable-tags refuses a
PUT to a tag that is there, with this status; --referrers adds the referrers API of the OCI distribution specification 1.1 (a list of
what was put and not deleted, with artifactType filter, and OCI-Subject); --no-delete refuses DELETE with 405.

Without --upstream the path selects what happens; `times=K` limits it to the first K requests for that very path and query,
later ones get 200 "ok":
    /status/429?retry-after=1&times=1   that status, with an optional body=TEXT
    /truncate?n=100&sent=10             announces n bytes, sends fewer, closes (chunked=1: a chunked body without its end)
    /slow?ms=500                        answers late
    /drip?n=5&ms=100&size=1             so many bytes each ms, n times
    /stall?n=100&sent=10                sends some of a body, then nothing more
    /endless?status=200                 a chunked body without end
    /reset?sent=0                       resets the connection (with sent=N after N of 100 bytes of the body)
    /close                              closes the connection without an answer
    /hang                               never answers
    /redirect?to=URL&code=302           redirects
    /chain?n=3                          redirects n times, to itself
    /bigbody?n=1000000                  so many bytes
    /gzip?body=TEXT                     compressed, whether asked for or not
    /echo-auth                          the Authorization header, or "none"
    /echo                               JSON: method, path, headers, body's length and sha256
    /header?Name=value                  200 with those headers; several of one name are sent as several
    /basic?user=U&password=P            401 with a Basic challenge unless these are sent, then like /echo-auth
    /bearer?realm=URL&scope=S&service=V 401 with a Bearer challenge unless the token was issued for the scope `need` (default: `scope`) and
                                        not revoked; status=403 or error=TEXT change the refusal; then like /echo-auth
    /token?...                          a token server: user=U&password=P demands Basic credentials; expires_in=N; name=access_token;
                                        ms=N answers late; status=N refuses; body=TEXT is the answer as it is. POST takes grant_type=refresh_token and
                                        demands refresh=TEXT; post=N refuses it with this status
    /revoke                             forgets all tokens
Anything else is 404.

Rules (a JSON list, tried in order, in both modes before anything else; the file of --rules is read again, and matches are
counted from the start, when another file has been renamed to its name):
    {"method": "GET",            optional; any method without it
     "path": "^/v2/.*/blobs/",   regular expression searched in path and query
     "sends": true,              only requests that have a body
     "without": "authorization", only requests that do not have this header
     "skip": 0,                  let so many matches pass first
     "count": 1,                 apply so many times; absent: always
     "action": "status",         status:   {"status": 503, "headers": {"Retry-After": "1"}, "body": "text"}
                                 truncate: {"bytes": 10}   the true answer, cut after so many bytes of its body
                                 reset:    the connection is reset before the answer
                                 drop:     the connection is closed before the answer ("forward": true: after the upstream has seen the
                                           request, so that it took effect without an answer; valid for reset too)
                                 ignore:   {"headers": ["if-match"]}   as if the request did not have them
                                 delay:    {"ms": 500}     then as if there were no rule
                                 hold:     {"until": "/path"}   the same, when this file is there (or after a minute)
                                 replace:  {"body": "text" or "body_base64": "..." or "body_file": "..."}   the true answer with another
                                           body; without any of them with its own; "headers": {...} replaces headers, null drops one
                                 moved:    {"status": 308, "to": "http://127.0.0.1:5000"}   the same path there; "to": "" is here
                                 local:    {"to": "/endless"}   what this path does without --upstream
     }
"""
import argparse
import base64
import gzip
import hashlib
import http.client
import http.server
import json
import os
import re
import socket
import ssl
import struct
import threading
import time
import urllib.parse

HOP = {"connection", "keep-alive", "te", "trailers", "transfer-encoding", "upgrade", "proxy-connection", "content-length"}


class State:
    def __init__(self, args):
        self.lock = threading.Lock()
        self.names = [name for name in (args.rules, args.script) if name]
        self.rules, self.seen, self.read = [], [], []
        self.load_rules()
        self.read_rate = args.read_rate
        self.args, self.active, self.referrers = args, 0, {}
        self.hits = {}
        self.tokens = {}
        self.n = 0
        self.log = open(args.log, "a", encoding="utf-8") if args.log else None
        self.upstream = urllib.parse.urlsplit(args.upstream) if args.upstream else None

    def load_rules(self):
        stats = [os.stat(name) for name in self.names]
        now = [(s.st_ino, s.st_mtime_ns) for s in stats]
        if now == self.read:
            return
        self.read, self.rules = now, []
        for name in self.names:
            with open(name, encoding="utf-8") as f:
                self.rules += json.load(f)
        self.seen = [0] * len(self.rules)

    def rule_for(self, method, path, headers, body):
        """The index of the rule to apply and the rule; None and {} when there is none."""
        with self.lock:
            self.load_rules()
            for i, rule in enumerate(self.rules):
                if rule.get("method", method) != method or not re.search(rule["path"], path):
                    continue
                if (rule.get("sends") and not body) or rule.get("without", "") in headers:
                    continue
                self.seen[i] += 1
                at = self.seen[i] - rule.get("skip", 0)
                if at >= 1 and ("count" not in rule or at <= rule["count"]):
                    return i, rule
        return None, {}

    def hit(self, path):
        with self.lock:
            self.hits[path] = self.hits.get(path, 0) + 1
            return self.hits[path]

    def record(self, entry):
        with self.lock:
            self.n += 1
            entry["n"], entry["active"], entry["t"] = self.n, self.active, time.monotonic()
            if self.log:
                self.log.write(json.dumps(entry) + "\n")
                self.log.flush()

    def issue(self, scope):
        with self.lock:
            token = "tok%d.%s" % (len(self.tokens) + 1, hashlib.sha256(scope.encode()).hexdigest()[:8])
            self.tokens[token] = scope
            return token


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 65536
    state = None

    def log_message(self, *args):
        pass

    def setup(self):
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().setup()

    # ---- building blocks

    def read_body(self):
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            body = b""
            while (size := int(self.rfile.readline().split(b";")[0], 16)) > 0:
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return body
        left, rate, parts = int(self.headers.get("Content-Length", 0) or 0), self.state.read_rate, []
        while left:
            part = self.rfile.read(min(left, rate // 20 + 1) if rate else left)
            if not part:
                raise ConnectionAbortedError
            parts.append(part)
            left -= len(part)
            if rate:
                time.sleep(0.05)
        return b"".join(parts)

    def answer(self, status, body=b"", headers=(), length=None):
        if isinstance(body, str):
            body = body.encode()
        self.send_response_only(status)
        names = {name.lower() for name, _ in headers}
        for name, value in headers:
            self.send_header(name, value)
        if "content-type" not in names:
            self.send_header("Content-Type", "text/plain")
        if status not in (204, 304):
            self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        self.wfile.flush()

    def close(self):
        self.close_connection = True

    def reset(self):
        self.wfile.flush()
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if isinstance(self.connection, ssl.SSLSocket):
            self.connection = self.request = socket.socket(fileno=self.connection.detach())
        self.close_connection = True
        self.connection.close()
        raise ConnectionAbortedError

    def cut(self, status, headers, body, n):
        self.answer(status, body[:n], headers, len(body))
        self.close()

    def begin_chunked(self, status=200):
        self.send_response_only(status)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    # ---- dispatch

    def handle_any(self):
        body = self.read_body()
        with self.state.lock:
            self.state.active += 1
        try:
            self.handle_one(body)
        finally:
            with self.state.lock:
                self.state.active -= 1

    def handle_one(self, body):
        i, rule = self.state.rule_for(self.command, self.path, self.headers, body)
        tls = isinstance(self.connection, ssl.SSLSocket)
        self.state.record({"peer": self.client_address[1], "client": bool(tls and self.connection.getpeercert()), "method": self.command, "path": self.path,
                           "length": len(body), "rule": i, "headers": {k.lower(): v for k, v in self.headers.items()},
                           "body": body[:4096].decode("latin-1")})
        serve = self.forward if self.state.upstream else self.local
        if self.state.args.latency:
            time.sleep(self.state.args.latency / 1000)
        action = rule.get("action")
        if action == "status":
            self.answer(rule.get("status", 503), rule.get("body", ""), list(rule.get("headers", {}).items()))
        elif action == "moved":
            self.answer(rule["status"], "", [("Location", rule["to"] + self.path)])
        elif action in ("reset", "drop"):
            if rule.get("forward"):
                self.ask_upstream(body)
            if action == "reset":
                self.reset()
            self.close()
        elif action == "ignore":
            for name in rule["headers"]:
                del self.headers[name]
            serve(body)
        elif action == "delay":
            time.sleep(rule["ms"] / 1000)
            serve(body)
        elif action == "hold":
            until = time.monotonic() + 60
            while not os.path.exists(rule["until"]) and time.monotonic() < until:
                time.sleep(0.01)
            serve(body)
        elif action in ("truncate", "replace"):
            self.altered(rule, body)
        elif action == "local":
            self.path = rule["to"]
            self.local(body)
        else:
            serve(body)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any

    def altered(self, rule, body):
        status, headers, data = self.ask_upstream(body) if self.state.upstream else (200, [], b"x" * 100)
        if rule["action"] == "truncate":
            self.cut(status, headers, data, rule["bytes"])
            return
        changed = {name.lower(): value for name, value in rule.get("headers", {}).items()}
        headers = [(k, v) for k, v in headers if k.lower() not in changed] + [(k, v) for k, v in changed.items() if v is not None]
        if "body_file" in rule:
            with open(rule["body_file"], "rb") as f:
                data = f.read()
        elif "body_base64" in rule:
            data = base64.b64decode(rule["body_base64"])
        elif "body" in rule:
            data = rule["body"].encode()
        length = self.true_length if self.command == "HEAD" and self.state.upstream else None
        self.answer(status, data, headers, length)

    # ---- proxy

    def ask_upstream(self, body):
        up = http.client.HTTPConnection(self.state.upstream.hostname, self.state.upstream.port or 80, timeout=60)
        headers = {k: v for k, v in self.headers.items() if k.lower() not in HOP}
        if body or self.command in ("POST", "PUT", "PATCH"):
            headers["Content-Length"] = str(len(body))
        up.request(self.command, self.path, body or None, headers)
        got = up.getresponse()
        data = got.read()
        out = [(k, v) for k, v in got.getheaders() if k.lower() not in HOP]
        self.true_length = got.getheader("Content-Length")
        up.close()
        return got.status, out, data

    def forward(self, body):
        if self.state.args.referrers and (got := re.fullmatch(r"/v2/(.+)/referrers/([^?]+)(?:\?(.*))?", self.path)):
            self.list_referrers(got[1], got[2], dict(urllib.parse.parse_qsl(got[3] or "")).get("artifactType"))
            return
        if self.command == "DELETE" and self.state.args.no_delete:
            self.answer(405, '{"errors":[{"code":"UNSUPPORTED","message":"manifests cannot be deleted here"}]}')
            return
        if self.command == "PUT" and self.state.args.immutable_tags and self.tag_exists():
            self.answer(self.state.args.immutable_tags, '{"errors":[{"code":"TAG_INVALID","message":"the tag is immutable"}]}')
            return
        status, headers, data = self.ask_upstream(body)
        if self.state.args.referrers:
            headers += self.note_subject(status, body)
        self.answer(status, data, headers, self.true_length if self.command == "HEAD" else None)

    # ---- what Debian's registry does not do

    def tag_exists(self):
        head, _, tag = self.path.rpartition("/manifests/")
        if not head or ":" in tag:
            return False
        up = http.client.HTTPConnection(self.state.upstream.hostname, self.state.upstream.port or 80, timeout=60)
        up.request("HEAD", self.path, None, {"Accept": "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json"})
        status = up.getresponse().status
        up.close()
        return status == 200

    def note_subject(self, status, body):
        """Keeps the lists; the headers that the answer gets beside the others."""
        got = re.fullmatch(r"/v2/(.+)/manifests/(.+)", self.path)
        if not got or self.command not in ("PUT", "DELETE") or status >= 300:
            return []
        with self.state.lock:
            if self.command == "DELETE":
                for entries in self.state.referrers.values():
                    entries.pop(got[2], None)
                return []
            manifest = json.loads(body)
            subject = (manifest.get("subject") or {}).get("digest")
            if not subject:
                return []
            digest = "sha256:" + hashlib.sha256(body).hexdigest()
            self.state.referrers.setdefault((got[1], subject), {})[digest] = {
                "mediaType": manifest["mediaType"], "digest": digest, "size": len(body), "artifactType": manifest["artifactType"],
                "annotations": manifest.get("annotations", {})}
        return [("OCI-Subject", subject)]

    def list_referrers(self, repository, subject, artifact_type):
        with self.state.lock:
            found = [d for d in self.state.referrers.get((repository, subject), {}).values() if artifact_type in (None, d["artifactType"])]
        self.answer(200, json.dumps({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": found}),
                    [("Content-Type", "application/vnd.oci.image.index.v1+json")])

    # ---- behaviours by path

    def local(self, body):
        url = urllib.parse.urlsplit(self.path)
        q = dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True))
        name, _, rest = url.path.lstrip("/").partition("/")
        method = getattr(self, "at_" + name.replace("-", "_"), None)
        if method is None:
            self.answer(404, '{"errors":[{"code":"NOT_HERE","message":"no such path"}]}', [("Content-Type", "application/json")])
        elif self.state.hit(self.path) > int(q.get("times", 1 << 30)):
            self.answer(200, "ok")
        else:
            method(q, rest, body)

    def at_ok(self, q, rest, body):
        self.answer(200, "ok")

    def at_status(self, q, rest, body):
        headers = [("Retry-After", q["retry-after"])] if "retry-after" in q else []
        self.answer(int(rest), q.get("body", ""), headers)

    def at_truncate(self, q, rest, body):
        n, sent = int(q.get("n", 100)), int(q.get("sent", 10))
        if "chunked" not in q:
            self.cut(200, [], b"x" * n, sent)
            return
        self.begin_chunked()
        self.wfile.write(b"%x\r\n%s\r\n" % (sent, b"x" * sent))
        self.close()

    def at_slow(self, q, rest, body):
        time.sleep(int(q.get("ms", 500)) / 1000)
        self.answer(200, "ok")

    def at_drip(self, q, rest, body):
        n, size = int(q.get("n", 5)), int(q.get("size", 1))
        self.answer(200, b"", [], n * size)
        for _ in range(n):
            time.sleep(int(q.get("ms", 100)) / 1000)
            self.wfile.write(b"x" * size)
            self.wfile.flush()

    def at_stall(self, q, rest, body):
        self.answer(200, b"x" * int(q.get("sent", 10)), [], int(q.get("n", 100)))
        time.sleep(60)

    def at_endless(self, q, rest, body):
        self.begin_chunked(int(q.get("status", 200)))
        while True:
            self.wfile.write(b"1000\r\n" + b"x" * 4096 + b"\r\n")

    def at_reset(self, q, rest, body):
        if int(q.get("sent", 0)):
            self.answer(200, b"x" * int(q["sent"]), [], 100)
            time.sleep(0.1)
        self.reset()

    def at_close(self, q, rest, body):
        self.close()

    def at_hang(self, q, rest, body):
        time.sleep(60)
        self.close()

    def at_redirect(self, q, rest, body):
        self.answer(int(q.get("code", 302)), "moved", [("Location", q["to"])])

    def at_chain(self, q, rest, body):
        n = int(q["n"])
        if n:
            self.answer(307, "", [("Location", "/chain?n=%d" % (n - 1))])
        else:
            self.answer(200, "end")

    def at_bigbody(self, q, rest, body):
        self.answer(200, b"x" * int(q["n"]))

    def at_gzip(self, q, rest, body):
        self.answer(200, gzip.compress(q.get("body", "").encode()), [("Content-Encoding", "gzip")])

    def at_echo_auth(self, q, rest, body):
        self.answer(200, self.headers.get("Authorization", "none"))

    def at_echo(self, q, rest, body):
        self.answer(200, json.dumps({"method": self.command, "path": self.path, "length": len(body),
                                     "sha256": hashlib.sha256(body).hexdigest(), "headers": dict(self.headers.items())}))

    def at_header(self, q, rest, body):
        self.answer(200, "ok", urllib.parse.parse_qsl(urllib.parse.urlsplit(self.path).query))

    # ---- authentication

    def has_basic(self, q):
        pair = "%s:%s" % (q.get("user", ""), q.get("password", ""))
        return self.headers.get("Authorization") == "Basic " + base64.b64encode(pair.encode()).decode()

    def at_basic(self, q, rest, body):
        if self.has_basic(q):
            self.at_echo_auth(q, rest, body)
        else:
            self.answer(401, '{"errors":[{"code":"UNAUTHORIZED","message":"who are you"}]}',
                        [("WWW-Authenticate", 'Basic realm="test"')])

    def at_bearer(self, q, rest, body):
        scheme, _, token = self.headers.get("Authorization", "").partition(" ")
        scope = q.get("scope", "")
        if scheme == "Bearer" and self.state.tokens.get(token) == q.get("need", scope):
            self.at_echo_auth(q, rest, body)
            return
        params = 'realm="%s",service="%s"' % (q["realm"], q.get("service", "test"))
        params += ',scope="%s"' % scope if scope else ""
        params += ',error="%s"' % q["error"] if "error" in q and token else ""
        self.answer(int(q.get("status", 401)), "denied", [("WWW-Authenticate", "Bearer " + params)])

    def at_token(self, q, rest, body):
        time.sleep(int(q.get("ms", 0)) / 1000)
        form = dict(urllib.parse.parse_qsl(body.decode()))
        refused = self.command == "POST" and (form.get("grant_type") != "refresh_token" or form.get("refresh_token") != q.get("refresh"))
        if self.command == "POST" and "post" in q:
            self.answer(int(q["post"]), "no such method")
        elif refused or ("user" in q and not self.has_basic(q)):
            self.answer(401, '{"errors":[{"code":"UNAUTHORIZED","message":"bad credentials"}]}')
        elif "status" in q:
            self.answer(int(q["status"]), "no")
        elif "body" in q:
            self.answer(200, q["body"])
        else:
            scopes = [v for k, v in urllib.parse.parse_qsl(urllib.parse.urlsplit(self.path).query) if k == "scope"]
            token = self.state.issue(" ".join(scopes) or form.get("scope", ""))
            self.answer(200, json.dumps({q.get("name", "token"): token, "expires_in": int(q.get("expires_in", 300))}))

    def at_revoke(self, q, rest, body):
        self.state.tokens.clear()
        self.answer(200, "ok")


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        pass  # clients that go away are what is tested

    def shutdown_request(self, request):
        try:
            super().shutdown_request(request)
        except OSError:
            pass


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--port-file", required=True)
    for name in ("--log", "--rules", "--script", "--upstream", "--tls-cert", "--tls-key"):
        p.add_argument(name)
    for name in ("--read-rate", "--latency", "--immutable-tags"):
        p.add_argument(name, type=int)
    p.add_argument("--port", type=int, default=0)
    for name in ("--referrers", "--no-delete"):
        p.add_argument(name, action="store_true")
    args = p.parse_args()
    Handler.state = State(args)
    server = Server(("127.0.0.1", args.port), Handler)
    if args.tls_cert:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(args.tls_cert, args.tls_key)
        context.load_verify_locations(args.tls_cert)
        context.verify_mode = ssl.CERT_OPTIONAL
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    temporary = "%s.%d" % (args.port_file, os.getpid())
    with open(temporary, "w", encoding="ascii") as f:
        f.write("%d\n" % server.server_address[1])
    os.rename(temporary, args.port_file)
    server.serve_forever()


if __name__ == "__main__":
    main()
