from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.usage.conftest import NOON, event
from usage.ingest.identities import tenant_of
from usage.ingest.pipeline import Caller, ingest
from usage.ingest.prepare import Tenancy
from usage.models import DirtyMark, Subject, UsageEvent
from usage.organizations import ensure_organization
from usage.rollups import roll_up
from usage.selectors.access import EVERYTHING
from usage.selectors.event_pages import FoundEvents
from usage.selectors.events import EventQuery, list_events
from usage.selectors.recent import count_events, recent_events

pytestmark = pytest.mark.django_db

_LAST = NOON + timedelta(minutes=7)


def _sent(pick: Random, number: int) -> dict[str, Any]:
    known = pick.random() < 0.8
    return {
        "occurred_at": _LAST - timedelta(minutes=pick.choice((0, 1, 20, 70, 1500, 9000, 90_000))),
        "project": pick.choice(("web", "shop", None)),
        "subject": pick.choice(("ann", "bob", None)),
        "team": pick.choice(("core", None)),
        "provider": "anthropic" if known else "",
        "model": pick.choice(("claude-sonnet-4-5", "claude-opus-4-5")) if known else "nobody-knows",
        "action": pick.choice(("chat", "review", "")),
        "session_id": pick.choice((f"s{number % 4}", None)),
        "run_id": pick.choice((f"r{number % 3}", None)),
        "status": pick.choice(("success", "success", "error", "cancelled")),
        "estimated": number % 7 == 0,
    }


@pytest.fixture
def stored(catalogue: None) -> list[UsageEvent]:
    """Events of two organizations: summed, corrected after that, and not yet summed."""
    pick = Random(9)
    callers = [
        Caller(Tenancy(tenant_of(ensure_organization(name)), {})) for name in ("acme", "globex")
    ]
    for number, caller in enumerate(callers * 30):
        ingest([event(f"e{number}", **_sent(pick, number))], caller)
    roll_up()
    for number, caller in enumerate(callers * 4):
        changed = _sent(pick, number)
        ingest([event(f"c{number}", corrects=f"e{number}", **changed)], caller)
    roll_up()
    for number, caller in enumerate(callers * 4):
        ingest([event(f"n{number}", **_sent(pick, number))], caller)
    assert DirtyMark.objects.exists()
    assert UsageEvent.objects.filter(state=UsageEvent.State.SUPERSEDED).exists()
    everything = UsageEvent.objects.select_related(
        "organization", "project", "subject", "team", "kind"
    )
    return sorted(everything, key=lambda each: (each.occurred_at, each.pk), reverse=True)


def _name(row: Any, name: str) -> str:
    return getattr(row, name) if row else ""


Passes = Callable[[UsageEvent], bool]
_ASKED: list[tuple[dict[str, list[str]], dict[str, list[str]], Passes]] = [
    ({}, {}, lambda _: True),
    ({"organization": ["globex"]}, {}, lambda e: e.organization.slug == "globex"),
    ({"project": ["web"]}, {}, lambda e: _name(e.project, "slug") == "web"),
    ({"project": [""]}, {}, lambda e: e.project is None),
    ({"project": ["web", ""]}, {}, lambda e: _name(e.project, "slug") in ("web", "")),
    ({"subject": ["ann"]}, {}, lambda e: _name(e.subject, "key") == "ann"),
    ({"subject": [""]}, {}, lambda e: e.subject is None),
    ({"team": ["core"]}, {}, lambda e: _name(e.team, "slug") == "core"),
    ({"model": ["claude-opus-4-5"]}, {}, lambda e: e.kind.model == "claude-opus-4-5"),
    ({"action": [""]}, {}, lambda e: e.kind.action == ""),
    ({"session": ["s1"]}, {}, lambda e: e.session_id == "s1"),
    ({"session": [""]}, {}, lambda e: e.session_id is None),
    ({"run": ["r2"]}, {}, lambda e: e.run_id == "r2"),
    ({"api_key": [""]}, {}, lambda e: e.api_key_id is None),
    ({"api_key": ["nobody"]}, {}, lambda _: False),
    ({"model": ["no-such"]}, {}, lambda _: False),
    (
        {"project": ["web"], "model": ["claude-opus-4-5"]}, {},
        lambda e: _name(e.project, "slug") == "web" and e.kind.model == "claude-opus-4-5",
    ),
    (
        {"subject": ["ann"], "session": ["s1"], "team": ["core"]}, {},
        lambda e: (_name(e.subject, "key"), e.session_id, _name(e.team, "slug"))
        == ("ann", "s1", "core"),
    ),
    ({}, {"status": ["error"]}, lambda e: e.status == 1),
    ({}, {"status": ["cancelled", "error"]}, lambda e: e.status > 0),
    ({}, {"status": ["success"]}, lambda e: e.status == 0),
    ({}, {"state": ["superseded"]}, lambda e: e.state == 1),
    ({}, {"unpriced": ["true"]}, lambda e: e.cost is None),
    ({}, {"unpriced": ["false"]}, lambda e: e.cost is not None),
    ({}, {"estimated": ["true"]}, lambda e: e.estimated),
    ({}, {"min_cost": ["0"]}, lambda e: e.cost is not None),
    ({}, {"event_id": ["e3", "n1"]}, lambda e: e.event_id in ("e3", "n1")),
    ({}, {"event_id": ["nothing"]}, lambda _: False),
    (
        {"subject": ["bob"]}, {"status": ["error"]},
        lambda e: _name(e.subject, "key") == "bob" and e.status == 1,
    ),
    (
        {"project": ["shop"]}, {"unpriced": ["true"]},
        lambda e: _name(e.project, "slug") == "shop" and e.cost is None,
    ),
    (
        {"project": ["shop"]}, {"state": ["counted"]},
        lambda e: _name(e.project, "slug") == "shop" and e.state == 0,
    ),
]  # fmt: skip
_BOUNDS: list[tuple[datetime | None, datetime | None]] = [
    (None, None),
    (_LAST - timedelta(minutes=70), _LAST + timedelta.resolution),
]


def _pages(query: EventQuery) -> Iterator[list[Any]]:
    page = list_events(query)
    yield [each["id"] for each in page.events]
    while page.older:
        newer, page = page, list_events(replace(query, cursor=page.older))
        yield [each["id"] for each in page.events]
        back = list_events(replace(query, cursor=page.newer or ""))
        assert [each["id"] for each in back.events] == [each["id"] for each in newer.events]


def _check(
    stored: list[UsageEvent],
    asked: tuple[dict[str, list[str]], dict[str, list[str]], Passes],
    bounds: tuple[datetime | None, datetime | None],
) -> None:
    filters, facts, passes = asked
    start, end = bounds
    expected = [
        each
        for each in stored
        if passes(each)
        and (start is None or each.occurred_at >= start)
        and (end is None or each.occurred_at < end)
    ]
    query = EventQuery(
        viewer=EVERYTHING, start=start, end=end, filters=filters, facts=facts, limit=30
    )
    found = FoundEvents(query)
    assert [each.pk for each in found[0:100]] == [each.pk for each in expected], asked
    assert [each.pk for each in found[5:8]] == [each.pk for each in expected[5:8]], asked
    assert found.counted(100) == (
        len(expected),
        sum((each.cost for each in expected if each.cost is not None), Decimal(0)),
        sum(each.cost is None for each in expected),
    ), asked
    assert [pk for page in _pages(query) for pk in page] == [each.pk for each in expected], asked


def test_what_is_found_by_sums_is_what_a_scan_of_all_events_finds(
    stored: list[UsageEvent],
) -> None:
    for number, asked in enumerate(_ASKED):
        _check(stored, asked, _BOUNDS[number % 3 == 0])
    _check(stored, _ASKED[5], _BOUNDS[1])


def test_calls_of_a_person_are_those_that_count(stored: list[UsageEvent]) -> None:
    ann = Subject.objects.get(organization__slug="acme", key="ann")
    expected = [each.pk for each in stored if each.subject_id == ann.pk and each.state == 0]
    assert count_events(ann) == len(expected)
    assert [each["id"] for each in recent_events(ann, limit=100)] == expected
    assert [each["id"] for each in recent_events(ann, limit=3, offset=2)] == expected[2:5]


def test_an_organization_without_usage_has_none_to_be_found(stored: list[UsageEvent]) -> None:
    ensure_organization("initech")
    found = FoundEvents(EventQuery(viewer=EVERYTHING, filters={"organization": ["initech"]}))
    assert (found[0:50], found.counted(5).events) == ([], 0)


@pytest.mark.parametrize("filters", [{"project": ["web"]}, {"subject": ["ann"]}])
def test_sums_count_what_they_know_without_reading_events(
    catalogue: None, caller: Caller, filters: dict[str, list[str]]
) -> None:
    ingest([event(f"e{n}", occurred_at=NOON - timedelta(minutes=n)) for n in range(30)], caller)
    roll_up()
    found = FoundEvents(EventQuery(viewer=EVERYTHING, filters=filters))
    with CaptureQueriesContext(connection) as statements:
        assert found.counted(100).events == 30
    read = [each["sql"] for each in statements if '"usage_usageevent"' in each["sql"]]
    assert all('"state" > 0' in statement for statement in read), read
