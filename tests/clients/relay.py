"""A relay between a client and the server whose first answers get lost, as on a bad line."""

import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

_OF_THE_LINE = frozenset({"host", "connection", "content-length", "accept-encoding"})


class Passed(NamedTuple):
    """A request that was passed on to the server, and what the server said."""

    path: str
    headers: dict[str, str]
    body: bytes
    status: int
    kind: str
    answer: bytes


class Relay:
    """Passes requests on to `target`; if `lossy`, what is sent first is answered with 503.

    What a client then sends again waits until `opened`, so that the server can be killed meanwhile.
    """

    def __init__(self, url: str, target: str, *, lossy: bool) -> None:
        self.url, self._target, self._lossy = url, target, lossy
        self.passed: list[Passed] = []
        self.ready, self.opened = threading.Event(), threading.Event()
        self._seen: set[tuple[str, bytes]] = set()
        self._lock = threading.Lock()

    def take(self, path: str, headers: dict[str, str], body: bytes) -> Passed | None:
        """Pass a request on and return the answer, or None where the answer is to get lost."""
        if self._lossy:
            self.ready.wait()
        with self._lock:
            again = (path, body) in self._seen
            self._seen.add((path, body))
        if again and self._lossy:
            self.opened.wait()
        passed = self._send(path, headers, body)
        self.passed.append(passed)
        return passed if again or not self._lossy else None

    def send_all_again(self, authorization: str = "", *, backwards: bool = False) -> list[Passed]:
        """Send every request once more, byte for byte; with another `authorization` if given."""
        sent = {(passed.path, passed.body): passed for passed in self.passed}
        order = reversed(sent.values()) if backwards else sent.values()
        changes = {"Authorization": authorization} if authorization else {}
        return [self._send(one.path, {**one.headers, **changes}, one.body) for one in order]

    def _send(self, path: str, headers: dict[str, str], body: bytes) -> Passed:
        request = urllib.request.Request(self._target + path, body, headers)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                status, kind, content = answer.status, answer.headers["Content-Type"], answer.read()
        except urllib.error.HTTPError as error:
            status, kind, content = error.code, error.headers["Content-Type"], error.read()
        return Passed(path, headers, body, status, kind or "", content)


@contextmanager
def relay_to(target: str, *, lossy: bool = True) -> Iterator[Relay]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            kept = {k: v for k, v in self.headers.items() if k.lower() not in _OF_THE_LINE}
            passed = relay.take(self.path, kept, body)
            self.send_response(passed.status if passed else 503)
            self.send_header("Content-Type", passed.kind if passed else "text/plain")
            self.send_header("Content-Length", str(len(passed.answer) if passed else 0))
            if not passed:
                self.send_header("Retry-After", "0")
            self.end_headers()
            if passed:
                self.wfile.write(passed.answer)

        def log_message(self, *_: object) -> None:
            return

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            return  # A client that does not wait for the answer sends again or gives up.

    server = Server(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    relay = Relay(f"http://127.0.0.1:{server.server_port}", target, lossy=lossy)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield relay
    server.shutdown()
    server.server_close()
    thread.join()
