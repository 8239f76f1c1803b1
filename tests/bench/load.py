"""Bodies of believable events, and keep-alive clients that post them."""

import http.client
import json
import random
import statistics
import threading
import time
import uuid
from collections.abc import Callable
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
    """`count` request bodies of `size` events each, all with ids of their own."""
    chance = random.Random(seed)
    return [json.dumps([make_event(chance) for _ in range(size)]).encode() for _ in range(count)]


class Poster:
    """One keep-alive connection of a client."""

    def __init__(self, stack: Stack) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", stack.port)
        self.headers = {
            "Authorization": f"Bearer {stack.key}",
            "Content-Type": "application/json",
        }

    def post(self, path: str, body: bytes, *expected: int) -> dict[str, Any]:
        """What is answered; RuntimeError unless its status is one of those expected."""
        self.connection.request("POST", f"/api/v1/{path}", body, self.headers)
        answer = self.connection.getresponse()
        text = answer.read()
        if answer.status not in expected:
            raise RuntimeError(f"{answer.status}: {text[:300]!r}")
        said: dict[str, Any] = json.loads(text)
        return said


def in_parallel(
    stack: Stack, bodies: list[bytes], clients: int, act: Callable[[Poster, bytes], object]
) -> float:
    """Do something with every body once, over `clients` connections: seconds in all."""
    queue = iter(bodies)
    guard = threading.Lock()

    def work() -> None:
        poster = Poster(stack)
        while True:
            with guard:
                body = next(queue, None)
            if body is None:
                break
            act(poster, body)
        poster.connection.close()

    threads = [threading.Thread(target=work) for _ in range(clients)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - began


def post_all(stack: Stack, bodies: list[bytes], clients: int) -> tuple[float, list[float]]:
    """Post every body of events once: seconds in all, seconds of each."""
    times: list[float] = []

    def post(poster: Poster, body: bytes) -> None:
        began = time.perf_counter()
        said = poster.post("events/", body, 200)
        times.append(time.perf_counter() - began)
        if said["rejected"]:
            raise RuntimeError(str(said)[:300])

    return in_parallel(stack, bodies, clients, post), times


def spread(times: list[float]) -> dict[str, float]:
    """The median and the 99th percentile of seconds, in milliseconds."""
    ordered = sorted(times)
    return {
        "p50_ms": round(statistics.median(ordered) * 1000, 1),
        "p99_ms": round(ordered[len(ordered) * 99 // 100] * 1000, 1),
    }
