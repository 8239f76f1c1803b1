from datetime import UTC, date, datetime, timedelta
from typing import Any

from rest_framework.test import APIClient

from tests.usage.conftest import event
from usage.ingest.pipeline import Caller, ingest
from usage.ingest.values import EventValue
from usage.rollups import roll_up
from usage.selectors.access import EVERYTHING
from usage.selectors.frames import Frame

TODAY = date(2026, 11, 20)
SESSION_START = datetime(2026, 11, 20, 8, tzinfo=UTC)


def frame(**fields: Any) -> Frame:
    whole = {"viewer": EVERYTHING, "today": TODAY, "time_zone": "UTC"}
    return Frame(**{**whole, **fields})


def store(caller: Caller, *events: EventValue) -> None:
    ingest(list(events), caller)
    roll_up()


def golden_session(session_id: str = "golden", **fields: Any) -> list[EventValue]:
    """620k input and 230k output tokens in 42 calls over 83 minutes."""
    calls = [
        event(
            f"{session_id}-{i}",
            occurred_at=SESSION_START + timedelta(minutes=2 * i),
            session_id=session_id,
            input_tokens=14_761,
            output_tokens=5_476,
            **fields,
        )
        for i in range(41)
    ]
    last = SESSION_START + timedelta(minutes=83)
    return [
        *calls,
        event(
            f"{session_id}-last",
            occurred_at=last,
            session_id=session_id,
            input_tokens=620_000 - 41 * 14_761,
            output_tokens=230_000 - 41 * 5_476,
            **fields,
        ),
    ]


def read(client: APIClient, path: str, **parameters: Any) -> Any:
    response = client.get(f"/api/v1/{path}", parameters)
    assert response.status_code == 200, response.content
    return response.json()


def refused(client: APIClient, path: str, **parameters: Any) -> tuple[str, str]:
    response = client.get(f"/api/v1/{path}", parameters)
    assert response.status_code == 400, response.content
    (error,) = response.json()["errors"]
    return error["field"], error["code"]
