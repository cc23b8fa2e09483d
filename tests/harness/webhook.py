"""A receiver of events: remembers what came, and answers as a test wants."""

import hashlib
import hmac
import http.server
import json
import threading
import time


class Webhook:
    """answer: a status, or a function of (the event, how often its id came before) that gives one. seconds: before each answer."""

    def __init__(self, answer=200, seconds=0.0, port=0):
        self.answer = answer
        self.seconds = seconds
        self.port = port
        self.deliveries = []  # (monotonic time, event, headers, raw body, status), in the order of arrival
        self._lock = threading.Lock()
        self._server = None
        self.open()

    def open(self):
        webhook = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = webhook._take(self.path, dict(self.headers), body)
                time.sleep(webhook.seconds)
                try:
                    self.send_response(status)
                    if 300 <= status < 400:
                        self.send_header("Location", f"http://127.0.0.1:{webhook.port}/elsewhere")
                    self.send_header("Content-Length", "2")
                    self.end_headers()
                    self.wfile.write(b"ok")
                except OSError:
                    pass  # the server was killed meanwhile

            def log_message(self, *args):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def close(self):
        """Nobody listens any more, at the port that open() takes again."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/hook"

    def _take(self, path, headers, body):
        event = json.loads(body)
        with self._lock:
            before = sum(1 for d in self.deliveries if d[1]["id"] == event["id"])
            status = self.answer if isinstance(self.answer, int) else self.answer(event, before)
            self.deliveries.append((time.monotonic(), event, {**headers, ":path": path}, body, status))
        return status

    def taken(self):
        """Events that were answered with 2xx, each once, in order."""
        seen, out = set(), []
        for _, event, _, _, status in list(self.deliveries):
            if 200 <= status < 300 and event["id"] not in seen:
                seen.add(event["id"])
                out.append(event)
        return out

    def wait(self, count, seconds=20):
        end = time.monotonic() + seconds
        while len(self.taken()) < count:
            assert time.monotonic() < end, f"{len(self.taken())} of {count} events after {seconds} s: {self.taken()[-3:]}"
            time.sleep(0.02)
        return self.taken()


def verify(headers, body, secret):
    """What a receiver does with Berth-Signature."""
    parts = dict(p.split("=", 1) for p in headers["Berth-Signature"].split(","))
    want = hmac.new(secret.encode(), parts["t"].encode() + b"." + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(want, parts["v1"]) and abs(time.time() - int(parts["t"])) < 300
