from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from django.db import connection

from budgets.alerts.keeping import Finding, keep
from budgets.models import Alert
from tests.usage.conftest import NOON

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
WARNING, CRITICAL = Alert.Severity.WARNING, Alert.Severity.CRITICAL
OVER, BY_HAND = Alert.Resolution.OVER, Alert.Resolution.HAND


def found(key: str = "a", severity: str = WARNING, **facts: Any) -> Finding:
    return Finding(key, severity, facts)


def keep_at(minutes: float, *findings: Finding, **among: Any) -> None:
    keep(Alert.Kind.SYSTEM, findings, NOON + minutes * MINUTE, **among)


def the_alert() -> Alert:
    return Alert.objects.get(kind=Alert.Kind.SYSTEM)


def told() -> None:
    Alert.objects.update(routed_at=NOON)


def resolved_by_hand() -> None:
    Alert.objects.update(state=Alert.State.RESOLVED, resolved_at=NOON, resolution=BY_HAND)


def test_what_is_found_opens_once_and_ends_when_it_is_gone(db: None) -> None:
    keep_at(0, found(calls=1), found("b"))
    told()
    keep_at(1, found(calls=1), found("b"))
    keep_at(2, found(calls=5), among=["a"])

    live = Alert.objects.get(key="a")
    assert (live.facts, live.occasion, live.opened_at) == ({"calls": 5}, 1, NOON)
    assert live.routed_at is not None
    assert Alert.objects.get(key="b").is_live

    keep_at(3)

    ended = Alert.objects.get(key="a")
    assert (ended.state, ended.resolution) == ("resolved", OVER)
    assert ended.resolved_at == NOON + 3 * MINUTE


def test_what_is_back_within_an_hour_goes_on_and_later_it_is_told_again(db: None) -> None:
    keep_at(0, found())
    Alert.objects.update(routed_at=NOON, acknowledged_at=NOON, state=Alert.State.ACKNOWLEDGED)
    keep_at(1)
    keep_at(60.9, found())

    back = the_alert()
    assert (back.state, back.occasion, back.resolved_at) == ("acknowledged", 1, None)
    assert back.routed_at == NOON

    keep_at(70)
    keep_at(130, found(why="again"))

    again = the_alert()
    assert (again.state, again.occasion, again.routed_at) == ("open", 2, None)
    assert (again.acknowledged_at, again.facts) == (None, {"why": "again"})
    assert again.opened_at == NOON + 130 * MINUTE


def test_what_becomes_worse_is_told_again_and_does_not_become_better(db: None) -> None:
    keep_at(0, found())
    told()
    keep_at(1, found(severity=CRITICAL))
    assert (the_alert().occasion, the_alert().routed_at) == (2, None)
    told()

    for minute in (2, 3):
        keep_at(minute, found(severity=WARNING))
        keep_at(minute + 0.5, found(severity=CRITICAL))

    assert (the_alert().severity, the_alert().occasion) == (CRITICAL, 2)
    assert the_alert().routed_at is not None


def test_what_is_resolved_by_hand_stays_so_until_it_was_gone_for_once(db: None) -> None:
    keep_at(0, found())
    resolved_by_hand()
    keep_at(600, found())
    assert (the_alert().state, the_alert().resolution) == ("resolved", BY_HAND)

    keep_at(601)
    assert the_alert().resolution == OVER
    keep_at(602, found())

    assert (the_alert().state, the_alert().occasion) == ("open", 2)


def test_keys_of_any_length_stay_apart(db: None) -> None:
    long = "x" * 400
    for minute in (0, 1):
        keep_at(minute, found(f"{long}1"), found(f"{long}2"), among=[f"{long}1", f"{long}2"])

    assert Alert.objects.filter(state="open", occasion=1).count() == 2


@pytest.fixture
def no_alerts() -> Iterator[None]:
    yield
    Alert.objects.all().delete()


@pytest.mark.django_db(transaction=True)
def test_four_at_once_write_one_row(no_alerts: None) -> None:
    start = Barrier(4)

    def watch(_number: int) -> None:
        connection.ensure_connection()
        try:
            for turn in range(1, 6):
                start.wait(5)
                keep_at(turn, *(found(str(key)) for key in range(turn)))
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(watch, range(4)))

    rows = Alert.objects.order_by("key").values_list("key", "occasion", "state")
    assert list(rows) == [(str(key), 1, "open") for key in range(5)]
