"""Raw HTTP for the tests: exact request lines and headers, nothing retried, nothing followed, nothing added behind one's back."""

import base64
import http.client
import json
import socket
import urllib.parse


class Response:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def __getitem__(self, name):
        return self.headers.get(name)

    def json(self):
        return json.loads(self.body)

    def codes(self):
        """The error codes of an OCI error body."""
        return [e["code"] for e in self.json()["errors"]]

    def __repr__(self):
        return f"<{self.status} {dict(self.headers)} {self.body[:300]!r}>"


class Http:
    """One keep-alive connection a thread is enough: not shared between threads."""

    def __init__(self, port, host="127.0.0.1", auth=None, timeout=60, headers=None):
        self.host, self.port, self.timeout = host, port, timeout
        self.headers = dict(headers or {})
        if auth:
            self.headers["Authorization"] = "Basic " + base64.b64encode(f"{auth[0]}:{auth[1]}".encode()).decode()
        self.connection = None

    def close(self):
        if self.connection:
            self.connection.close()
            self.connection = None

    def request(self, method, target, body=None, headers=None, auth=True, fresh=False):
        """target: a path, or an absolute URL of this server (as in Location). body: bytes, or an iterable sent chunked."""
        if target.startswith("http://"):
            u = urllib.parse.urlsplit(target)
            target = u.path + ("?" + u.query if u.query else "")
        send = {k: v for k, v in self.headers.items() if auth or k != "Authorization"}
        send.update(headers or {})
        if fresh:
            self.close()
        for attempt in (0, 1):
            reused = self.connection is not None
            if not reused:
                self.connection = http.client.HTTPConnection(self.host, self.port, timeout=self.timeout)
            try:
                self.connection.putrequest(method, target, skip_accept_encoding=True, skip_host="Host" in send)
                chunked = body is not None and not isinstance(body, (bytes, bytearray, memoryview))
                if chunked:
                    self.connection.putheader("Transfer-Encoding", "chunked")
                elif (body is not None or method in ("POST", "PUT", "PATCH")) and "Content-Length" not in send:
                    self.connection.putheader("Content-Length", str(len(body or b"")))
                for k, v in send.items():
                    self.connection.putheader(k, v)
                self.connection.endheaders(body, encode_chunked=chunked)
                answer = self.connection.getresponse()
                got = Response(answer.status, answer.headers, answer.read())
                if answer.will_close:
                    self.close()
                return got
            except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
                # A kept connection that the server had closed meanwhile says nothing about this request.
                self.close()
                if not reused or attempt or (body is not None and not isinstance(body, bytes)):
                    raise
            except BaseException:
                self.close()
                raise

    def get(self, target, **kw):
        return self.request("GET", target, **kw)

    def head(self, target, **kw):
        return self.request("HEAD", target, **kw)

    def post(self, target, body=b"", **kw):
        return self.request("POST", target, body, **kw)

    def put(self, target, body=b"", **kw):
        return self.request("PUT", target, body, **kw)

    def patch(self, target, body=b"", **kw):
        return self.request("PATCH", target, body, **kw)

    def delete(self, target, **kw):
        return self.request("DELETE", target, **kw)


def unfinished(http, method, target, sent, length=None):
    """A request whose body has begun: its open socket. length: the Content-Length it names; None: chunked, with no end yet."""
    path = target.split(str(http.port), 1)[-1]
    s = socket.create_connection((http.host, http.port), timeout=http.timeout)
    body = f"Content-Length: {length}\r\n\r\n" if length is not None else f"Transfer-Encoding: chunked\r\n\r\n{len(sent):x}\r\n"
    s.sendall(f"{method} {path} HTTP/1.1\r\nHost: x\r\nAuthorization: {http.headers['Authorization']}\r\n{body}".encode() + sent)
    return s


def raw_exchange(port, data, host="127.0.0.1", timeout=15, shut=False):
    """Sends bytes as they stand and returns everything until the server closes (or the time is over)."""
    with socket.create_connection((host, port), timeout=timeout) as s:
        s.sendall(data)
        if shut:
            s.shutdown(socket.SHUT_WR)
        got = b""
        try:
            while piece := s.recv(65536):
                got += piece
        except (TimeoutError, ConnectionResetError):
            pass
        return got
