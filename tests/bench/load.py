"""Bodies of believable events, and one lean process that drives many keep-alive connections."""

import json
import random
import resource
import selectors
import socket
import statistics
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.bench.stack import Stack

MODELS = (
    ("anthropic", "claude-sonnet-4-5"),
    ("anthropic", "claude-opus-4-8"),
    ("openai", "gpt-5"),
    ("google", "gemini-2.5-flash"),
)
SESSIONS = 2000
_END_OF_HEAD, _END_OF_CHUNKS = b"\r\n\r\n", b"0\r\n\r\n"
Follow = Callable[[bytes], bytes | None]


def make_event(chance: random.Random) -> dict[str, Any]:
    """One event of the last day; a session is one person in one project for an hour."""
    session = chance.randrange(SESSIONS)
    provider, model = MODELS[session % len(MODELS)]
    cached = chance.randrange(4000)
    ago = timedelta(seconds=session * 86_400 / SESSIONS + chance.random() * 3600)
    return {
        "event_id": str(uuid.UUID(int=chance.getrandbits(128))),
        "occurred_at": (datetime.now(UTC) - ago).isoformat(),
        "project": f"project-{session % 20}",
        "subject": f"user-{session % 200}",
        "provider": provider,
        "model": model,
        "operation": "chat",
        "action": ("chat", "review", "agent")[session % 3],
        "agent_type": ("Implementation", "Testing", "Research")[chance.randrange(3)],
        "session_id": f"session-{session}",
        "run_id": f"run-{session // 3}",
        "duration_ms": chance.randrange(200, 30_000),
        "input_tokens": cached + chance.randrange(100, 9000),
        "cache_read_tokens": cached,
        "output_tokens": chance.randrange(10, 2000),
    }


def make_bodies(count: int, size: int, seed: int) -> list[bytes]:
    """`count` request bodies of `size` events each, all with ids of their own; a single one is
    an object."""
    chance = random.Random(seed)
    batches = [[make_event(chance) for _ in range(size)] for _ in range(count)]
    return [json.dumps(batch[0] if size == 1 else batch).encode() for batch in batches]


def post(stack: Stack, path: str, body: bytes, media_type: str = "application/json") -> bytes:
    """A whole POST request with the key of the stack."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {stack.key}\r\n"
        f"Content-Type: {media_type}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def get(stack: Stack, path: str, cookie: str = "") -> bytes:
    """A whole GET request, signed in by cookie or else with the key of the stack."""
    who = f"Cookie: {cookie}" if cookie else f"Authorization: Bearer {stack.key}"
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{who}\r\n\r\n".encode()


@dataclass
class Load:
    """What driving came to: seconds in all, of each request and of those that followed another,
    how often each status was answered, and what the driver itself took of a core."""

    seconds: float = 0.0
    times: list[float] = field(default_factory=list)
    later_times: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)
    driver_seconds: float = 0.0
    last_bytes: int = 0

    @property
    def rate(self) -> float:
        """Requests a second; what followed another is not counted again."""
        return len(self.times) / self.seconds


class _Client:
    """One connection: what is still to be sent of a request, and what has come of its answer."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self.unsent = memoryview(b"")
        self.came = bytearray()
        self.began = 0.0
        self.is_later = False

    def start(self, request: bytes, *, is_later: bool) -> None:
        self.came.clear()
        self.unsent, self.is_later = memoryview(request), is_later
        self.began = time.perf_counter()
        self.send()

    def send(self) -> None:
        try:
            while self.unsent:
                self.unsent = self.unsent[self.socket.send(self.unsent) :]
        except BlockingIOError:
            return

    def receive(self) -> bool:
        """Take what has come; whether the answer is whole."""
        part = self.socket.recv(1 << 18)
        if not part:
            raise ConnectionError(f"closed after {bytes(self.came[:200])!r}")
        self.came += part
        end = self.came.find(_END_OF_HEAD)
        if end < 0:
            return False
        head = bytes(self.came[:end]).lower()
        _, found, length = head.partition(b"content-length:")
        if found:
            return len(self.came) - end - 4 >= int(length.split(b"\r\n", 1)[0])
        return self.came.endswith(_END_OF_CHUNKS)


def drive(
    port: int,
    requests: Iterable[bytes],
    clients: int,
    *,
    expected: tuple[int, ...] = (200,),
    follow: Follow | None = None,
) -> Load:
    """Send every request once over `clients` connections, each as soon as the last is answered.

    `follow` makes of an answer the request that comes next on the same connection, or None.
    RuntimeError for a status that is not expected.
    """
    load, queue = Load(), iter(requests)
    selector = selectors.DefaultSelector()
    used = _cpu_seconds()
    began = time.perf_counter()
    for request in _some(queue, clients):
        client = _Client(port)
        client.start(request, is_later=False)
        selector.register(client.socket, _events(client), client)
    try:
        while selector.get_map():
            for key, _ in selector.select():
                _serve(selector, key.data, load, queue, expected, follow)
    finally:
        for key in list(selector.get_map().values()):
            key.data.socket.close()
        selector.close()
    load.seconds = time.perf_counter() - began
    load.driver_seconds = _cpu_seconds() - used
    return load


def _serve(
    selector: selectors.BaseSelector,
    client: _Client,
    load: Load,
    queue: Iterator[bytes],
    expected: tuple[int, ...],
    follow: Follow | None,
) -> None:
    if client.unsent:
        client.send()
    elif client.receive():
        following = _note(client, load, expected, follow)
        request = following or next(queue, None)
        if request is None:
            selector.unregister(client.socket)
            client.socket.close()
            return
        client.start(request, is_later=following is not None)
    selector.modify(client.socket, _events(client), client)


def _note(
    client: _Client, load: Load, expected: tuple[int, ...], follow: Follow | None
) -> bytes | None:
    took = time.perf_counter() - client.began
    status = int(client.came[9:12])
    if status not in expected:
        raise RuntimeError(bytes(client.came[:600]).decode(errors="replace"))
    load.statuses[status] = load.statuses.get(status, 0) + 1
    load.last_bytes = len(client.came)
    (load.later_times if client.is_later else load.times).append(took)
    return follow(bytes(client.came)) if follow and not client.is_later else None


def _events(client: _Client) -> int:
    return selectors.EVENT_WRITE if client.unsent else selectors.EVENT_READ


def _some(queue: Iterator[bytes], count: int) -> Iterator[bytes]:
    for _ in range(count):
        request = next(queue, None)
        if request is None:
            return
        yield request


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def post_events(stack: Stack, bodies: list[bytes], clients: int) -> Load:
    """Post every body of events once. RuntimeError if any event is refused."""

    def look(answer: bytes) -> None:
        if b'"rejected":0' not in answer:
            raise RuntimeError(answer[:600].decode(errors="replace"))

    requests = [post(stack, "/api/v1/events/", body) for body in bodies]
    return drive(stack.port, requests, clients, follow=look)


def percentile(times: list[float], share: float) -> float:
    """Milliseconds that `share` of the seconds stay within."""
    ordered = sorted(times)
    return round(ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000, 2)


def spread(times: list[float]) -> dict[str, float]:
    """The median and the 99th percentile of seconds, in milliseconds."""
    return {
        "p50_ms": round(statistics.median(times) * 1000, 2),
        "p99_ms": percentile(times, 0.99),
    }
