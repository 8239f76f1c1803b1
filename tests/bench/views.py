"""Yardsticks in the same server and framework, behind the same authentication: one statement."""

from random import randrange
from typing import Any
from uuid import uuid4

from django.db import connection
from django.http import HttpResponse
from django.utils import timezone
from rest_framework.request import Request

from budgets.api.checks import CheckView
from usage.api.events import EventsView
from usage.ingest.rows import COLUMNS

BUDGETS = 1000
_INSERT = (
    f"INSERT INTO bench_event ({', '.join(COLUMNS)}) VALUES ({', '.join(['%s'] * len(COLUMNS))})"
)
_ROW: dict[str, Any] = {
    "organization_id": 1, "kind_id": 1, "project_id": 1, "subject_id": 1, "api_key_id": 1,
    "price_version_id": 1, "duration_ms": 9000, "input_tokens": 4000, "output_tokens": 900,
    "cache_read_tokens": 1000, "cache_write_tokens": 0, "cache_write_1h_tokens": 0,
    "reasoning_tokens": 0, "status": 0, "state": 0, "estimated": False, "cost": "0.0123456789",
    "input_cost": "0.0100000000", "output_cost": "0.0023456789", "cache_cost": "0.0003000000",
    "session_id": "session-1234", "run_id": "run-123",
}  # fmt: skip
_SELECT = "SELECT id, budget_id, spent, reserved FROM budgets_budgetwindow WHERE budget_id = %s"


class InsertView(EventsView):
    """One INSERT of a row as wide as an event into a table like that of events, and COMMIT."""

    def post(self, request: Request) -> HttpResponse:
        """Store a row whatever the body says."""
        row = {**_ROW, "occurred_at": timezone.now(), "event_id": str(uuid4())}
        with connection.cursor() as cursor:
            cursor.execute(_INSERT, [row.get(name) for name in COLUMNS])
        return HttpResponse(b'{"accepted":1,"rejected":0}', content_type="application/json")


class SelectView(CheckView):
    """One SELECT by index."""

    def post(self, request: Request) -> HttpResponse:
        """Find one budget's window."""
        with connection.cursor() as cursor:
            cursor.execute(_SELECT, [randrange(1, BUDGETS)])
            found = cursor.fetchall()
        return HttpResponse(b'{"found":%d}' % len(found), content_type="application/json")
