#!/usr/bin/env python3
"""Token issuer of the test lab: bearer tokens for docker-registry and notary-server.

Usage: issuer.py CONFIG.json (written by lab.sh). Serves /token with GET (Basic credentials or none)
and with POST (OAuth 2: password or refresh_token). A scope is granted as far as the user's rights go:
a token with fewer actions than asked for is an answer, not an error. Requests are logged on stdout.
"""
import base64
import http.server
import json
import re
import secrets
import sys
import time
import urllib.parse

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

PUBLIC = re.compile(r"(^|/)public/")


class Refused(Exception):
    def __init__(self, status, text):
        super().__init__(text)
        self.status = status


def unpadded(data):
    return base64.urlsafe_b64encode(data).decode("ascii").rstrip("=")


class Signer:
    """Makes JSON Web Tokens (ES256) whose header carries the issuer's certificate."""

    def __init__(self, config):
        with open(config["key"], "rb") as file:
            self.key = serialization.load_pem_private_key(file.read(), password=None)
        with open(config["certificate"], "rb") as file:
            der = x509.load_pem_x509_certificate(file.read()).public_bytes(serialization.Encoding.DER)
        self.header = {"alg": "ES256", "typ": "JWT", "x5c": [base64.b64encode(der).decode("ascii")]}

    def sign(self, claims):
        parts = [unpadded(json.dumps(part, sort_keys=True).encode()) for part in (self.header, claims)]
        signature = self.key.sign(".".join(parts).encode("ascii"), ec.ECDSA(hashes.SHA256()))
        numbers = utils.decode_dss_signature(signature)
        parts.append(unpadded(b"".join(n.to_bytes(32, "big") for n in numbers)))
        return ".".join(parts)


class Issuer:
    def __init__(self, config):
        self.config = config
        self.users = config["users"]
        self.signer = Signer(config)

    def check_password(self, user, password):
        if user not in self.users or self.users[user]["password"] != password:
            raise Refused(401, "unknown user or wrong password")
        return user

    def check_refresh_token(self, token):
        for user, entry in self.users.items():
            if token and entry.get("refresh_token") == token:
                return user
        raise Refused(401, "unknown refresh token")

    def rights(self, user, name):
        if user is None:
            return ["pull"] if PUBLIC.search(name) else []
        return self.users[user]["actions"]

    def grant(self, user, scope):
        # The name may itself hold colons: a GUN starts with HOST:PORT.
        match = re.fullmatch(r"([^:]+):(.+):([^:]*)", scope)
        if not match:
            raise Refused(400, "malformed scope " + scope)
        kind, name, wanted = match.groups()
        rights = self.rights(user, name)
        if kind == "registry" and "*" not in rights:
            rights = []
        return {"type": kind, "name": name, "actions": [a for a in wanted.split(",") if a in rights]}

    def token(self, user, parameters):
        service = parameters.get("service", [""])[0]
        if service not in self.config["services"]:
            raise Refused(400, "unknown service " + service)
        scopes = [s for value in parameters.get("scope", []) for s in value.split()]
        access = [self.grant(user, scope) for scope in scopes]
        now, lifetime = int(time.time()), self.config["lifetime"]
        text = self.signer.sign({
            "iss": self.config["issuer"], "aud": service, "sub": user or "", "jti": secrets.token_hex(12),
            "iat": now, "nbf": now - 5, "exp": now + lifetime, "access": access})
        print(json.dumps({"user": user, "service": service, "access": access}), flush=True)
        return {"token": text, "access_token": text, "expires_in": lifetime,
                "issued_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now))}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    issuer = None

    def basic_user(self):
        scheme, _, value = self.headers.get("Authorization", "").partition(" ")
        if not scheme:
            return None
        if scheme.lower() != "basic":
            raise Refused(400, "unknown scheme " + scheme)
        user, _, password = base64.b64decode(value, validate=True).decode("utf-8").partition(":")
        return self.issuer.check_password(user, password)

    def oauth(self, form):
        grant = form.get("grant_type", [""])[0]
        if grant == "password":
            user = self.issuer.check_password(form.get("username", [""])[0], form.get("password", [""])[0])
        elif grant == "refresh_token":
            user = self.issuer.check_refresh_token(form.get("refresh_token", [""])[0])
        else:
            raise Refused(400, "unknown grant type " + grant)
        return self.issuer.token(user, form)

    def answer(self, work):
        status = 200
        try:
            if urllib.parse.urlsplit(self.path).path != "/token":
                raise Refused(404, "only /token is served")
            document = work()
        except (Refused, ValueError) as error:
            status = getattr(error, "status", 400)
            document = {"errors": [{"code": "UNAUTHORIZED", "message": str(error)}]}
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
        self.answer(lambda: self.issuer.token(self.basic_user(), query))

    def do_POST(self):
        length = int(self.headers.get("Content-Length", "0"))
        form = urllib.parse.parse_qs(self.rfile.read(length).decode("utf-8"))
        self.answer(lambda: self.oauth(form))

    def log_message(self, format, *args):
        pass


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        config = json.load(file)
    Handler.issuer = Issuer(config)
    http.server.ThreadingHTTPServer(("127.0.0.1", config["port"]), Handler).serve_forever()


if __name__ == "__main__":
    main()
