"""One client: reserves, settles, releases, extends and posts at random, over plain HTTP.

Nothing here needs Django, so that 64 of these processes are light. What was answered is appended
to a file, which outlives `kill -9`.
"""

import http.client
import json
import os
import random
import time
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

PROJECTS, SUBJECTS = 3, 12
MODEL = {"provider": "anthropic", "model": "claude-sonnet-4-5"}
_PATIENCE = 120.0
_TRANSIENT = (502, 503, 504)


@dataclass
class Client:
    """Does as it likes until `deadline` (time.time); the key has the scopes ingest and check."""

    port: int
    key: str
    seed: int
    log: Path
    deadline: float
    connection: http.client.HTTPConnection | None = None
    chance: random.Random = field(default_factory=random.Random)
    file: int = -1

    def run(self) -> None:
        """Act until the deadline."""
        self.chance.seed(self.seed)
        self.file = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        while time.time() < self.deadline:
            act = self.chance.choices((self._hold, self._post, self._check), (7, 3, 1))[0]
            act()
            time.sleep(self.chance.random() * 0.2)

    def _hold(self) -> None:
        asked = {
            **self._call(),
            "max_output_tokens": self.chance.randrange(50, 800),
            "reservation_key": self._id(),
            "ttl_seconds": self.chance.choice((1, 2, 4)),
            "on_expiry": self.chance.choice(("release", "settle")),
        }
        status, said = self._send("reserve", "reservations/", asked)
        if self.chance.random() < 0.05:
            status, said = self._send("reserve again", "reservations/", asked)
        if status not in (200, 201):
            return
        ends = (
            self._settle, self._settle_by_event, self._settle_twice, self._release, self._extend,
            self._settle_late, self._settle_estimated, self._abandon, self._race,
        )  # fmt: skip
        self.chance.choices(ends, (6, 2, 2, 2, 2, 1, 2, 2, 1))[0](str(said["id"]), asked)

    def _settle(self, held: str, asked: dict[str, Any], event_id: str = "") -> None:
        used = self._used(asked)
        event_id = event_id or self._id()
        said = {"event_id": event_id, **used}
        status, _ = self._send("settle", f"reservations/{held}/settle/", said)
        if status == 200:
            self._write("stored", event_id)
            if self.chance.random() < 0.7:
                self._take_back(self._event({**MODEL, "event_id": event_id}))

    def _settle_by_event(self, held: str, asked: dict[str, Any]) -> None:
        kept = {name: asked[name] for name in ("project", "subject", "provider", "model")}
        self._store([{**self._event(kept), **self._used(asked), "reservation": held}])

    def _settle_twice(self, held: str, asked: dict[str, Any]) -> None:
        said = {"event_id": self._id(), **self._used(asked)}
        for _ in range(2):
            status, _ = self._send("settle", f"reservations/{held}/settle/", said)
            if status == 200:
                self._write("stored", said["event_id"])

    def _release(self, held: str, asked: dict[str, Any]) -> None:
        for _ in range(self.chance.choice((1, 2))):
            self._send("release", f"reservations/{held}/release/", {})
        if self.chance.random() < 0.2:
            self._settle(held, asked)

    def _extend(self, held: str, asked: dict[str, Any]) -> None:
        self._send("extend", f"reservations/{held}/extend/", {"ttl_seconds": 5})
        time.sleep(self.chance.random() * 2)
        self._settle(held, asked)

    def _settle_late(self, held: str, asked: dict[str, Any]) -> None:
        time.sleep(float(asked["ttl_seconds"]) + self.chance.random() * 8)
        self._settle(held, asked)

    def _settle_estimated(self, held: str, asked: dict[str, Any]) -> None:
        self._send("settle at estimate", f"reservations/{held}/settle/", {})
        if self.chance.random() < 0.7:
            self._settle(held, asked)

    def _abandon(self, held: str, asked: dict[str, Any]) -> None:
        self._write("abandoned", held)

    def _race(self, held: str, asked: dict[str, Any]) -> None:
        """Settle just when it expires."""
        time.sleep(max(0.0, float(asked["ttl_seconds"]) + self.chance.uniform(-0.2, 0.3)))
        self._settle(held, asked)

    def _post(self) -> None:
        events = [self._event(self._call()) for _ in range(self.chance.randrange(1, 6))]
        self._store(events)
        for event in events:
            if self.chance.random() < 0.8:
                self._take_back(event)

    def _take_back(self, event: dict[str, Any]) -> None:
        """A reversal gives room back, so that there is something to fight for."""
        said = {name: event[name] for name in ("occurred_at", "provider", "model")}
        self._store([{**said, "event_id": self._id(), "corrects": event["event_id"]}])

    def _check(self) -> None:
        self._send("check", "budgets/check/", {**self._call(), "max_output_tokens": 500})

    def _store(self, events: list[dict[str, Any]]) -> None:
        status, said = self._send("events", "events/", events)
        if status != 200:
            return
        refused = {one["index"] for one in said.get("results", ()) if "errors" in one}
        for place, event in enumerate(events):
            if place not in refused:
                self._write("stored", event["event_id"])

    def _call(self) -> dict[str, Any]:
        return {
            **MODEL,
            "project": f"p{self.chance.randrange(PROJECTS)}",
            "subject": f"s{self.chance.randrange(SUBJECTS)}",
            "input_tokens": self.chance.randrange(100, 3000),
        }

    def _event(self, call: dict[str, Any]) -> dict[str, Any]:
        at = datetime.now(UTC).isoformat()
        return {"event_id": self._id(), "occurred_at": at, **call}

    def _used(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Below, at or above what was expected."""
        share = self.chance.choice((0.1, 0.5, 1, 1, 1.5, 3))
        return {
            "input_tokens": asked["input_tokens"],
            "output_tokens": int(asked["max_output_tokens"] * share),
        }

    def _id(self) -> str:
        return str(uuid.UUID(int=self.chance.getrandbits(128)))

    def _send(self, kind: str, path: str, said: Any) -> tuple[int, dict[str, Any]]:
        """Send until somebody answers: the same again, because nobody knows what was done."""
        body = json.dumps(said)
        patience = time.monotonic() + _PATIENCE
        while time.monotonic() < patience:
            try:
                status, text = self._request(path, body)
            except (OSError, http.client.HTTPException):
                self._write(kind, "no answer")
                self.connection = None
            else:
                self._write(kind, str(status))
                if status not in _TRANSIENT:
                    return status, json.loads(text) if text else {}
            time.sleep(0.2 + self.chance.random())
        self._write(kind, "gave up")
        return 0, {}

    def _request(self, path: str, body: str) -> tuple[int, bytes]:
        if self.connection is None:
            self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        self.connection.request("POST", f"/api/v1/{path}", body, headers)
        answer = self.connection.getresponse()
        return answer.status, answer.read()

    def _write(self, kind: str, outcome: str) -> None:
        os.write(self.file, f"{kind}\t{outcome}\n".encode())
