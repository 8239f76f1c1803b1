"""Bodies of believable events, and keep-alive clients that post them."""

import http.client
import json
import random
import threading
import time
import uuid
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


def post_all(stack: Stack, bodies: list[bytes], clients: int) -> tuple[float, list[float]]:
    """Post every body once over `clients` connections: seconds in all, seconds of each."""
    queue = iter(bodies)
    guard = threading.Lock()
    times: list[float] = []

    def work() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", stack.port)
        headers = {"Authorization": f"Bearer {stack.key}", "Content-Type": "application/json"}
        while True:
            with guard:
                body = next(queue, None)
            if body is None:
                break
            began = time.perf_counter()
            connection.request("POST", "/api/v1/events/", body, headers)
            answer = connection.getresponse()
            text = answer.read()
            times.append(time.perf_counter() - began)
            if answer.status != 200 or json.loads(text)["rejected"]:
                raise RuntimeError(f"{answer.status}: {text[:300]!r}")
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(clients)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - began, times
