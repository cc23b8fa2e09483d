"""An OIDC issuer on a port of its own: publishes keys, and signs what a test wants, wrongly too."""

import base64
import http.server
import json
import ssl
import threading
import time

from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def number(n, size=None):
    return b64(n.to_bytes(size or (n.bit_length() + 7) // 8, "big"))


class RsaKey:
    alg = "RS256"

    def __init__(self, kid="rsa-1", bits=2048):
        self.kid, self.key = kid, rsa.generate_private_key(public_exponent=65537, key_size=bits)

    def jwk(self):
        n = self.key.public_key().public_numbers()
        return {"kty": "RSA", "use": "sig", "alg": self.alg, "kid": self.kid, "n": number(n.n), "e": number(n.e)}

    def sign(self, data):
        return self.key.sign(data, padding.PKCS1v15(), hashes.SHA256())


class EcKey:
    alg = "ES256"

    def __init__(self, kid="ec-1"):
        self.kid, self.key = kid, ec.generate_private_key(ec.SECP256R1())

    def jwk(self):
        n = self.key.public_key().public_numbers()
        return {"kty": "EC", "crv": "P-256", "use": "sig", "kid": self.kid, "x": number(n.x, 32), "y": number(n.y, 32)}

    def sign(self, data):
        r, s = utils.decode_dss_signature(self.key.sign(data, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")


class HmacKey:
    """Signs with bytes that everybody knows: the confusion of algorithms."""

    alg = "HS256"

    def __init__(self, secret, kid):
        self.secret, self.kid = secret, kid

    def sign(self, data):
        h = hmac.HMAC(self.secret, hashes.SHA256())
        h.update(data)
        return h.finalize()


class Issuer:
    """keys: those that it publishes. fetched: how often they were asked for. certificate: (file of it, file of its key) for HTTPS."""

    def __init__(self, path="", certificate=None):
        self.keys = [RsaKey(), EcKey()]
        self.fetched = 0
        self.broken = False
        issuer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                answers = {
                    path + "/.well-known/openid-configuration": lambda: {"issuer": issuer.url, "jwks_uri": issuer.url + "/keys"},
                    path + "/keys": issuer.published,
                }
                make = answers.get(self.path)
                body = json.dumps(make()).encode() if make and not issuer.broken else b"{}"
                self.send_response(200 if make and not issuer.broken else 500)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self.server.server_port}{path}"
        self.url = f"http://{self.host}"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
            self.server.handle_error = lambda *args: None  # a client that does not trust it
            self.url = f"https://{self.host}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    def published(self):
        self.fetched += 1
        return {"keys": [k.jwk() for k in self.keys]}

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def token(self, key=None, header=None, **claims):
        """A JWT; claims overwrite the usual ones, None takes one out."""
        key = key or self.keys[0]
        now = int(time.time())
        payload = {"iss": self.url, "sub": "repo:org/app:ref:refs/heads/main", "aud": "sts.amazonaws.com", "iat": now, "exp": now + 600, **claims}
        payload = {k: v for k, v in payload.items() if v is not None}
        head = {"alg": key.alg, "typ": "JWT", "kid": key.kid, **(header or {})}
        text = b64(json.dumps(head).encode()) + "." + b64(json.dumps(payload).encode())
        return text + "." + b64(key.sign(text.encode()))
