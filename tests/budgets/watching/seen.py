"""Usage as watches see it: stored, and summed up."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from budgets.models import Alert
from tests.budgets.spending import caller, worth
from usage.ingest.pipeline import ingest
from usage.ingest.values import EventValue
from usage.rollups import roll_up


def spent(dollars: str, at: datetime, **fields: Any) -> EventValue:
    said = {"project": "web", "subject": "ann", **fields}
    return worth(dollars, f"{at:%y%m%d%H%M}{said['project']}{said['subject']}", at, **said)


def store(events: Iterable[EventValue]) -> None:
    batch = list(events)
    report = ingest(batch, caller())
    assert report.accepted == len(batch), report
    roll_up(wait=True)


def live(kind: str) -> list[Alert]:
    rows = Alert.objects.filter(kind=kind).exclude(state=Alert.State.RESOLVED)
    return list(rows.order_by("key"))
