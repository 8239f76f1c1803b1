import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple


class Request(NamedTuple):
    path: str
    headers: Mapping[str, str]
    body: bytes


class Answer(NamedTuple):
    code: int = 200
    headers: Mapping[str, str] = {}
    body: bytes = b"ok"


class Sink:
    """A web server in this process that keeps what it is sent and answers what `answer` says."""

    def __init__(self, port: int) -> None:
        self.requests: list[Request] = []
        self.answer: Callable[[Request], Answer] = lambda _: Answer()
        self.url = f"http://127.0.0.1:{port}"

    def ids(self) -> Counter[str]:
        return Counter(request.headers["webhook-id"] for request in self.requests)

    def take(self, handler: BaseHTTPRequestHandler) -> None:
        size = int(handler.headers.get("content-length", 0))
        headers = {name.lower(): text for name, text in handler.headers.items()}
        request = Request(handler.path, headers, handler.rfile.read(size))
        self.requests.append(request)
        answer = self.answer(request)
        handler.send_response(answer.code)
        for name, text in {**answer.headers, "content-length": str(len(answer.body))}.items():
            handler.send_header(name, text)
        handler.end_headers()
        handler.wfile.write(answer.body)


@contextmanager
def http_sink(port: int = 0) -> Iterator[Sink]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sink.take(self)

        def do_GET(self) -> None:
            sink.take(self)

        def log_message(self, *_: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        request_queue_size = 100

        def handle_error(self, *_: Any) -> None:
            pass  # A client that does not read to the end is none.

    with Server(("127.0.0.1", port), Handler) as server:
        sink = Sink(server.server_port)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield sink
        server.shutdown()
        thread.join()
