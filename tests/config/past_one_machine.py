"""Run in a process of the product behind PgBouncer with a standby beside; prints what it saw.

Not a test itself: `test_past_one_machine` starts it.
"""

import json
import os
import sys
from datetime import UTC, datetime
from typing import Any, NoReturn

import django
import psycopg

django.setup()

from django.conf import settings  # noqa: E402 - Django has to be set up first
from django.core.management import call_command  # noqa: E402
from django.db import OperationalError, connections  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402

from config.celery import app  # noqa: E402
from config.selectors import readiness  # noqa: E402
from config.tasks import beat_heartbeat  # noqa: E402
from tests.config.running import until  # noqa: E402
from usage import replica  # noqa: E402
from usage.exports.working import continue_exports  # noqa: E402
from usage.keys import create_key  # noqa: E402
from usage.rollups import roll_up  # noqa: E402

STANDBY = os.environ["DATABASE_REPLICA_URL"]
MONTH = {"from": "2026-11-01", "to": "2026-12-01", "timezone": "UTC"}
MESSAGES = 12
"""More than a driver sends before it prepares a statement."""


def reads(captured: CaptureQueriesContext) -> bool:
    """Whether events or their sums were asked for; to be told before the next request."""
    return any("usage_" in str(query["sql"]) for query in captured)


class Caller:
    """Speaks to the interface in this process."""

    def __init__(self) -> None:
        _, key = create_key("acme", ("ingest", "read", "check"), "all")
        self._client = Client(headers={"Authorization": f"Bearer {key}"})

    def post(self, path: str, body: object) -> Any:
        answer = self._client.post(f"/api/v1/{path}/", body, content_type="application/json")
        assert answer.status_code in {200, 201, 202}, answer.content
        return answer.json()

    def send(self, first: int, count: int) -> None:
        events = [
            {
                "event_id": f"e{number}",
                "occurred_at": "2026-11-20T12:00:00Z",
                "project": "web",
                "provider": "anthropic",
                "model": "claude-sonnet-4-5",
                "input_tokens": 1000,
            }
            for number in range(first, first + count)
        ]
        assert self.post("events", events)["accepted"] == count

    def usage(self) -> dict[str, Any]:
        """What the month's sums say, whether the standby said it, and of when."""
        with CaptureQueriesContext(connections["replica"]) as captured:
            answer = self._client.get("/api/v1/usage/", MONTH)
        assert answer.status_code == 200, answer.content
        body = answer.json()
        as_of = datetime.fromisoformat(body["as_of"])
        return {
            "events": body["totals"]["events"],
            "standby": reads(captured),
            "age": (datetime.now(UTC) - as_of).total_seconds(),
        }

    def export(self) -> dict[str, Any]:
        asked = {"kind": "events", "format": "csv", "parameters": MONTH}
        path = self.post("exports", asked)["id"]
        with CaptureQueriesContext(connections["replica"]) as captured:
            continue_exports()
        read = reads(captured)
        shown = self._client.get(f"/api/v1/exports/{path}/").json()
        return {"status": shown["status"], "rows": shown["rows_done"], "standby": read}

    def focus(self) -> int:
        answer = self._client.get(
            "/api/v1/exports/focus/", {"from": MONTH["from"], "to": MONTH["to"]}
        )
        return len(answer.getvalue().splitlines())

    def reserve(self) -> str:
        call = {"project": "web", "provider": "anthropic", "model": "claude-sonnet-4-5"}
        held = self.post("reservations", {**call, "input_tokens": 9, "max_output_tokens": 9})
        settled = self.post(f"reservations/{held['id']}/settle", {"input_tokens": 9})
        return str(settled["status"])


def broken(_execute: object, sql: str, *_: object) -> NoReturn:
    raise OperationalError(f"canceling statement due to conflict with recovery: {sql[:9]}")


def queued() -> int:
    """How many of MESSAGES come out of the queue they were put into."""
    for _ in range(MESSAGES):
        beat_heartbeat.delay()
    taken = 0
    with app.connection_for_read() as broker:
        queue = broker.SimpleQueue("celery")
        for _ in range(MESSAGES):
            queue.get(timeout=5).ack()
            taken += 1
    return taken


def is_level() -> bool:
    """Whether the standby has replayed all there is."""
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT pg_current_wal_insert_lsn()")
        (written,) = cursor.fetchone()
    with psycopg.connect(STANDBY) as standby:
        row = standby.execute("SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn", [written])
        return bool(row.fetchone() == (True,))


def replaying(function: str) -> None:
    with psycopg.connect(STANDBY, autocommit=True) as standby:
        standby.execute(f"SELECT {function}()")


def main() -> None:
    seen: dict[str, Any] = {}
    caller = Caller()
    caller.send(0, 60)
    roll_up()
    until(is_level)
    seen["level"] = caller.usage()
    with connections["replica"].execute_wrapper(broken):
        seen["broken"] = caller.usage()["events"]
    replica._Known.until = 0.0
    seen["export"] = caller.export()
    seen["focus"] = caller.focus()
    seen["reserved"] = caller.reserve()
    seen["queued"] = queued()
    call_command("verify", stdout=sys.stderr)
    replaying("pg_wal_replay_pause")
    caller.send(60, 5)
    roll_up()
    seen["held"] = caller.usage()
    settings.TALLYMAN_REPLICA_LAG, replica._Known.until = 0, 0.0
    seen["behind"] = caller.usage()
    seen["ready"] = readiness().replica
    print(json.dumps(seen))


if __name__ == "__main__":
    main()
