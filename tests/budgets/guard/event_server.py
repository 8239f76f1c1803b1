"""A server that keeps events as Tallyman does: each id once, whatever becomes of its answers."""

import gzip
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from tests.budgets.guard.guard_server import Answer, reply


@dataclass
class EventServer:
    """`script` is what it answers first instead of a receipt; LOST takes the events and says
    nothing, every other answer takes none."""

    port: int = 0
    script: list[Answer] = field(default_factory=list)
    events: dict[str, dict[str, Any]] = field(default_factory=dict)
    batches: list[list[dict[str, Any]]] = field(default_factory=list)
    repeats: int = 0
    connections: set[Any] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def take(self, batch: list[dict[str, Any]]) -> dict[str, Any]:
        self.batches.append(batch)
        results = []
        for index, event in enumerate(batch):
            name = event["event_id"]
            if "model" not in event:
                fault = {"field": "model", "code": "required", "message": "Say which model."}
                results.append(
                    {"index": index, "event_id": name, "status": "rejected", "errors": [fault]}
                )
            elif self.events.setdefault(name, event) is not event:
                assert self.events[name] == event
                self.repeats += 1
        return {"accepted": len(batch) - len(results), "results": results}


LOST = Answer(0)


@contextmanager
def keeping_events(server: EventServer | None = None) -> Iterator[EventServer]:
    kept = server or EventServer()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"]))
            assert self.headers["Content-Encoding"] == "gzip"
            assert (self.path, self.headers["Authorization"]) == (
                "/api/v1/events/",
                "Bearer tm_key",
            )
            kept.connections.add(self.client_address)
            batch = json.loads(gzip.decompress(content))
            answer = kept.script.pop(0) if kept.script else None
            if answer is None or answer is LOST:
                receipt = kept.take(batch)
                answer = answer or Answer(200, receipt)
            if answer is LOST:
                self.close_connection = True
                return
            reply(self, answer)

        def log_message(self, *_: object) -> None:
            return

    web = ThreadingHTTPServer(("127.0.0.1", kept.port), Handler)
    web.daemon_threads = True
    kept.port = web.server_port
    thread = Thread(target=web.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield kept
    web.shutdown()
    web.server_close()
    thread.join()
