import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

NOWHERE = "http://127.0.0.1:9"
CALL: dict[str, Any] = {
    "project": "web", "provider": "anthropic", "model": "claude-sonnet-5", "run_id": None,
    "input_tokens": 12_000, "max_output_tokens": 4_000,
}  # fmt: skip
HELD_AT, EXPIRES_AT = "2026-11-22T10:00:00Z", "2026-11-22T10:05:00.250000+00:00"
BUDGET = {
    "id": 7, "name": "web a day", "enforcement": "hard", "measure": "cost", "period": "day",
    "start": "2026-11-22T00:00:00Z", "end": "2026-11-23T00:00:00Z", "limit": "4.0000000000",
    "spent": "3.9000000000", "reserved": "0.0960000000", "remaining": "0.0040000000",
    "percent": 99.9, "decision": "allow",
}  # fmt: skip
ALLOWED = {
    "decision": "allow", "message": "Within every budget.", "estimated_cost": "0.0960000000",
    "binding": 7, "retry_at": None, "budgets": [BUDGET],
}  # fmt: skip
BLOCKED = {
    "type": "urn:tallyman:problem:budget_exceeded", "title": "Payment Required", "status": 402,
    "detail": "A budget forbids it.", "errors": [], **ALLOWED, "decision": "block",
    "message": "The budget web a day is used up until 2026-11-23 00:00 UTC.",
    "retry_at": "2026-11-23T00:00:00Z",
}  # fmt: skip
RESERVED = {
    "id": "5f1c", "status": "held", "amount": "0.0960000000", "currency": "USD",
    "held_at": HELD_AT, "expires_at": EXPIRES_AT,
}  # fmt: skip


@dataclass
class Answer:
    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0


DROPPED = Answer(0)
"""The connection ends without a word."""


class GuardServer:
    """Answers from `script` first, then as Tallyman does when all goes well."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.script: list[Answer] = []
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.headers: list[dict[str, str]] = []

    def paths(self) -> list[str]:
        return [path.removeprefix("/api/v1/") for path, _ in self.asked]

    def answer(self, path: str) -> Answer:
        if self.script:
            return self.script.pop(0)
        if path == "/api/v1/budgets/check/":
            return Answer(200, ALLOWED)
        if path == "/api/v1/events/":
            return Answer(200, {"results": [{"index": 0, "cost": "0.5000000000"}]})
        if path == "/api/v1/reservations/":
            return Answer(201, {**ALLOWED, **RESERVED})
        statuses = {"settle/": "settled", "release/": "released", "extend/": "held"}
        status = statuses[path.removeprefix("/api/v1/reservations/5f1c/")]
        cost = "0.0123000000" if status == "settled" else None
        return Answer(200, {**RESERVED, "status": status, "cost": cost})


@contextmanager
def serving() -> Iterator[GuardServer]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            guarded.asked.append((self.path, body))
            guarded.headers.append(dict(self.headers))
            reply(self, guarded.answer(self.path))

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    guarded = GuardServer(f"http://127.0.0.1:{server.server_port}")
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield guarded
    server.shutdown()
    server.server_close()
    thread.join()


def reply(handler: BaseHTTPRequestHandler, answer: Answer) -> None:
    time.sleep(answer.delay)
    if answer is DROPPED or answer.delay:
        handler.close_connection = True
        return
    content = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
    handler.send_response(answer.status)
    for name, value in answer.headers.items():
        handler.send_header(name, value)
    handler.send_header("Content-Length", str(len(content)))
    handler.end_headers()
    handler.wfile.write(content)
