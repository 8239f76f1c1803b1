from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from usage.ingest.identities import tenant_of
from usage.ingest.pipeline import Caller, ingest
from usage.ingest.prepare import Tenancy
from usage.ingest.values import EventValue
from usage.models import Organization
from usage.rollups import rebuild, roll_up
from usage.selectors.access import EVERYTHING
from usage.selectors.questions import Granularity, UsageQuery, UsageSums
from usage.selectors.usage import query_usage
from usage.verification import verify

ZONES = ("UTC", "Asia/Kathmandu", "America/New_York")
ORGANIZATIONS = {zone.partition("/")[2] or zone: zone for zone in ZONES}
# New York's clocks change at these instants; both lie near the turn of a week or month.
CHANGES = (datetime(2026, 3, 8, 7, tzinfo=UTC), datetime(2026, 11, 1, 6, tzinfo=UTC))
LATER = datetime(2027, 1, 1, tzinfo=UTC)
PRICED, UNPRICED = "claude-sonnet-4-5", "nobody-knows-9"
NONE = {(): (0, 0, 0, 0, 0, 0, Decimal(0))}
EMPTIED = ("usageevent", "eventkey", "dirtymark", "usagerollup", "dailyrollup", "monthlyrollup",
           "sessionrollup", "runrollup", "hourlyfacet", "dailyfacet",
           "monthlyfacet")  # fmt: skip
# Full sums answer the first, narrow ones the others.
GROUPS = (("organization", "project", "model"), ("organization", "project"), ("organization",),
          ("model",))  # fmt: skip


@dataclass(frozen=True)
class Sent:
    organization: str
    occurred_at: datetime
    project: str | None
    session_id: str | None
    model: str
    status: str
    input_tokens: int
    output_tokens: int
    corrected: str

    def value(self, event_id: str, **changes: Any) -> EventValue:
        fields: dict[str, Any] = {
            "occurred_at": self.occurred_at,
            "organization": self.organization,
            "project": self.project,
            "session_id": self.session_id,
            "run_id": self.session_id,
            "provider": "anthropic",
            "model": self.model,
            "status": self.status,
            "duration_ms": self.output_tokens,
            "input_tokens": self.input_tokens,
            "output_tokens": self.output_tokens,
        }
        return EventValue(event_id=event_id, **{**fields, **changes})

    def correction(self, event_id: str) -> EventValue | None:
        name = f"{event_id}-corrected"
        if self.corrected == "replaced":
            at = self.occurred_at + timedelta(hours=1)
            return self.value(name, corrects=event_id, occurred_at=at, output_tokens=1)
        if self.corrected == "reversed":
            return self.value(name, corrects=event_id, input_tokens=0, output_tokens=0)
        return None


def sent_near(change: datetime) -> st.SearchStrategy[Sent]:
    return st.builds(
        Sent,
        organization=st.sampled_from(sorted(ORGANIZATIONS)),
        occurred_at=st.integers(-50 * 60, 50 * 60).map(lambda m: change + timedelta(minutes=m)),
        project=st.sampled_from(["web", "api", None]),
        session_id=st.sampled_from(["s1", "s2", None]),
        model=st.sampled_from([PRICED, PRICED, UNPRICED]),
        status=st.sampled_from(["success", "error"]),
        input_tokens=st.integers(0, 9000),
        output_tokens=st.integers(0, 900),
        corrected=st.sampled_from(["", "", "replaced", "reversed"]),
    )


def expected_sums(keyed: Iterable[tuple[Any, ...]]) -> dict[Any, tuple[int | Decimal, ...]]:
    sums: dict[Any, list[int | Decimal]] = defaultdict(lambda: [0, 0, 0, 0, 0, 0, Decimal(0)])
    for *key, event in keyed:
        row = sums[tuple(key)]
        priced = event.model == PRICED
        cost = Decimal(event.input_tokens * 3 + event.output_tokens * 15) / 1_000_000
        added = (1, event.status == "error", not priced, event.input_tokens, event.output_tokens,
                 event.duration_ms or 0, cost if priced else 0)  # fmt: skip
        row[:] = [old + new for old, new in zip(row, added, strict=True)]
    return {key: tuple(row) for key, row in sums.items()}


def compared(sums: UsageSums) -> tuple[int | Decimal, ...]:
    return (sums.events, sums.errors, sums.unpriced_events, sums.input_tokens, sums.output_tokens,
            sums.duration_ms, sums.cost)  # fmt: skip


def period_of(
    granularity: Granularity, zone: str, first: date
) -> Callable[[datetime], date | datetime]:
    def find(instant: datetime) -> date | datetime:
        local = instant.astimezone(ZoneInfo(zone))
        day = local.date()
        if granularity is Granularity.TOTAL:
            return first
        if granularity is Granularity.QUARTER_HOUR:
            return instant.replace(minute=instant.minute // 15 * 15, second=0)
        if granularity is Granularity.HOUR:
            return (instant - timedelta(minutes=local.minute)).replace(second=0)
        if granularity is Granularity.WEEK:
            return day - timedelta(days=day.weekday())
        return day.replace(day=1) if granularity is Granularity.MONTH else day

    return find


def utc(start: date | datetime) -> date | datetime:
    return start.astimezone(UTC) if isinstance(start, datetime) else start


def everything_rolled_up() -> list[list[tuple[Any, ...]]]:
    levels = []
    with connection.cursor() as cursor:
        for table in EMPTIED[3:]:
            cursor.execute(f"SELECT to_jsonb(t) - 'id' FROM usage_{table} t ORDER BY 1")
            levels.append(cursor.fetchall())
    return levels


@pytest.fixture
def site(db: None, catalogue: None) -> Caller:
    tenants = {}
    for slug, zone in ORGANIZATIONS.items():
        organization = Organization.objects.create(slug=slug, time_zone=zone)
        tenants[slug] = tenant_of(organization)
    return Caller(Tenancy(None, tenants))


@settings(
    max_examples=18,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_any_order_duplication_lateness_and_batching_gives_the_plain_sums(
    site: Caller, data: st.DataObject
) -> None:
    with connection.cursor() as cursor:
        for table in EMPTIED:
            cursor.execute(f"DELETE FROM usage_{table}")
    change = data.draw(st.sampled_from(CHANGES))
    sent = data.draw(st.lists(sent_near(change), min_size=1, max_size=12))
    originals = {f"e{i}": s.value(f"e{i}") for i, s in enumerate(sent)}
    corrections = [c for i, s in enumerate(sent) if (c := s.correction(f"e{i}")) is not None]
    # A correction may come with its event or after it, everything else in any order.
    first = data.draw(st.permutations(list(originals) + data.draw(repeats(list(originals)))))
    second = data.draw(st.permutations(range(len(corrections))))
    deliveries = [sent[int(name[1:])].value(name) for name in first]
    deliveries += [c for i in second if (c := sent_correction(sent, corrections[i])) is not None]
    deliveries += [sent[int(name[1:])].value(name) for name in data.draw(repeats(first))]

    while deliveries:
        size = data.draw(st.integers(1, len(deliveries)))
        report = ingest(deliveries[:size], site, now=LATER)
        assert {receipt.status for receipt in report.results} <= {"accepted", "duplicate"}
        deliveries = deliveries[size:]
        if data.draw(st.booleans()):
            roll_up()
    roll_up()

    replaced = {c.corrects for c in corrections}
    counted = [event for name, event in originals.items() if name not in replaced]
    counted += [c for c in corrections if c.input_tokens or c.output_tokens]
    check_every_view(counted, change, data.draw(st.sampled_from(GROUPS)))
    assert verify().drifts == []
    before = everything_rolled_up()
    rebuild()
    assert everything_rolled_up() == before


def repeats(names: list[str]) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(names), max_size=4)


def sent_correction(sent: list[Sent], correction: EventValue) -> EventValue | None:
    name = correction.corrects or ""
    return sent[int(name[1:])].correction(name)


def check_every_view(
    counted: list[EventValue], change: datetime, group_by: tuple[str, ...]
) -> None:
    first = (change - timedelta(days=40)).date().replace(day=1)
    last = (change + timedelta(days=40)).date().replace(day=1)
    for zone in ZONES:
        for granularity in Granularity:
            find = period_of(granularity, zone, first)
            answer = query_usage(
                UsageQuery(
                    viewer=EVERYTHING,
                    start=first,
                    end=last,
                    time_zone=zone,
                    granularity=granularity,
                    group_by=group_by,
                )
            )
            wanted = expected_sums(
                (find(e.occurred_at), *(getattr(e, name) for name in group_by), e) for e in counted
            )
            got = {(utc(row.start), *row.group.values()): compared(row.sums) for row in answer.rows}
            assert got == wanted, (zone, granularity, group_by)
            assert {(): compared(answer.totals)} == (expected_sums((e,) for e in counted) or NONE)
