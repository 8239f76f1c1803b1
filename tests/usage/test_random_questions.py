from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from random import Random
from typing import Any, Literal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from usage.ingest.identities import tenant_of
from usage.ingest.pipeline import Caller, ingest
from usage.ingest.prepare import Tenancy
from usage.ingest.values import EventValue, SubjectValue
from usage.keys import create_key
from usage.models import Organization
from usage.rollups import roll_up

ZONES = ("UTC", "Asia/Kathmandu", "America/New_York")
UNKNOWN_MODEL = "nobody-knows-9"
# Dollars per million tokens in and out.
PRICES = {"claude-sonnet-4-5": (3, 15), "claude-opus-4-5": (5, 25)}
WORDS: dict[str, tuple[str | None, ...]] = {
    "organization": ("acme", "globex"),
    "project": ("web", "api", "a b/c", None),
    "subject": ("ann", "bob", "ünï", None),
    "team": ("core", None),
    "provider": ("anthropic",),
    "model": (*PRICES, UNKNOWN_MODEL),
    "operation": ("chat", "embeddings", None),
    "action": ("review", None),
    "agent_type": ("research", "testing", None),
    "billing_scope": ("org", "user"),
    "session": ("s1", "s2", "s3", None),
    "run": ("r1", "r2", None),
    "tag:feature": ("search", "cart", None),
}
FIELDS = {"session": "session_id", "run": "run_id"}
# Between them New York's clocks go back and forward again, in the night of a Sunday.
FIRST, LAST = date(2025, 10, 20), date(2026, 3, 20)
COUNTS = ("events", "errors", "unpriced_events", "input_tokens", "output_tokens", "total_tokens")


@dataclass(frozen=True)
class Call:
    """One event as its sender knows it."""

    at: datetime
    words: dict[str, str | None]
    status: Literal["success", "error", "cancelled"]
    tokens: tuple[int, int]

    @property
    def sums(self) -> tuple[int | Decimal, ...]:
        """What it adds to the counts and to the cost."""
        price = PRICES.get(self.words["model"] or "")
        cost = Decimal(0)
        if price:
            cost = Decimal(self.tokens[0] * price[0] + self.tokens[1] * price[1]) / 1_000_000
        failed = int(self.status == "error")
        return (1, failed, int(price is None), *self.tokens, sum(self.tokens), cost)

    def value(self, number: int) -> EventValue:
        """The event to send."""
        words: dict[str, Any] = {FIELDS.get(name, name): w for name, w in self.words.items() if w}
        feature = words.pop("tag:feature", None)
        if "subject" in words:
            words["subject"] = SubjectValue(words["subject"])
        return EventValue(
            event_id=f"e{number}",
            occurred_at=self.at,
            status=self.status,
            input_tokens=self.tokens[0],
            output_tokens=self.tokens[1],
            tags={"feature": feature} if feature else None,
            **words,
        )


def made_up_calls(random: Random, count: int) -> Iterator[Call]:
    first = datetime.combine(FIRST, time(), UTC)
    seconds = int((LAST - FIRST).total_seconds())
    for _ in range(count):
        words = {name: random.choice(values) for name, values in WORDS.items()}
        yield Call(
            # Half of them lie within minutes of midnight somewhere.
            at=first + timedelta(seconds=random.randrange(seconds) // 900 * 900)
            if random.random() < 0.5
            else first + timedelta(seconds=random.randrange(seconds)),
            words=words,
            status=random.choice(("success", "success", "error")),
            tokens=(random.randrange(9000), random.randrange(900)),
        )


@pytest.fixture
def calls(catalogue: None) -> list[Call]:
    tenants = {
        slug: tenant_of(Organization.objects.create(slug=slug, time_zone=zone))
        for slug, zone in (("acme", "America/New_York"), ("globex", "Asia/Kathmandu"))
    }
    made = list(made_up_calls(Random(20261122), 400))
    values = [call.value(number) for number, call in enumerate(made)]
    report = ingest(values, Caller(Tenancy(None, tenants)), now=datetime(2026, 11, 1, tzinfo=UTC))
    assert report.accepted == len(made)
    roll_up()
    return made


@dataclass(frozen=True)
class Asked:
    """A random question as parameters of the address."""

    zone: str
    start: date | datetime
    end: date | datetime
    granularity: str
    group_by: tuple[str, ...]
    filters: dict[str, list[str]]
    order_by: str
    limit: int

    @property
    def parameters(self) -> dict[str, Any]:
        """The query string."""
        return {
            "from": self.start.isoformat(),
            "to": self.end.isoformat(),
            "timezone": self.zone,
            "granularity": self.granularity,
            "group_by": ",".join(self.group_by),
            "limit": self.limit,
            "order_by": self.order_by,
            **self.filters,
        }

    def passes(self, call: Call) -> bool:
        """Whether the question is about this call."""
        local = ZoneInfo(self.zone)
        first, end = (
            bound if isinstance(bound, datetime) else datetime.combine(bound, time(), local)
            for bound in (self.start, self.end)
        )
        if not first <= call.at < end:
            return False
        return all((call.words[n] or "") in allowed for n, allowed in self.filters.items())

    def key(self, call: Call) -> tuple[str, ...]:
        """The period and group that the call belongs to, as the answer writes them."""
        return (self.period(call.at), *(str(call.words[name]) for name in self.group_by))

    def period(self, at: datetime) -> str:
        """The start of the period, of which hours are told as instants."""
        local = at.astimezone(ZoneInfo(self.zone))
        if self.granularity == "15m":
            return at.replace(minute=at.minute // 15 * 15, second=0).isoformat()
        if self.granularity == "hour":
            return (at - timedelta(minutes=local.minute)).replace(second=0).isoformat()
        day = local.date()
        if self.granularity == "week":
            day -= timedelta(days=day.weekday())
        if self.granularity == "month":
            day = day.replace(day=1)
        return "" if self.granularity == "total" else day.isoformat()


@st.composite
def questions(draw: st.DrawFn) -> Asked:
    first = draw(st.integers(0, (LAST - FIRST).days - 1))
    last = draw(st.integers(first + 1, (LAST - FIRST).days))
    start: date | datetime = FIRST + timedelta(days=first)
    end: date | datetime = FIRST + timedelta(days=last)
    if draw(st.integers(0, 3)) == 0:
        # Instants in the middle of something, which no sum of days can answer.
        start, end = (
            datetime.combine(day, time(draw(st.integers(0, 23)), draw(st.integers(0, 59))), UTC)
            for day in (start, end)
        )
    names = draw(st.lists(st.sampled_from(sorted(WORDS)), unique=True, max_size=3))
    filtered = draw(st.lists(st.sampled_from(sorted(WORDS)), unique=True, max_size=2))
    sorts = ["", "-cost", "cost", "-total_tokens", "events", "-start", *names]
    return Asked(
        zone=draw(st.sampled_from(ZONES)),
        start=start,
        end=end,
        granularity=draw(st.sampled_from(("total", "15m", "hour", "day", "week", "month"))),
        group_by=tuple(names or ["organization"]),
        filters={name: draw(some_of(WORDS[name])) for name in filtered},
        order_by=draw(st.sampled_from(sorts)),
        limit=draw(st.sampled_from((7, 100, 1000))),
    )


def some_of(words: tuple[str | None, ...]) -> st.SearchStrategy[list[str]]:
    values = st.sampled_from([word or "" for word in words])
    return st.lists(values, min_size=1, max_size=2, unique=True)


@settings(
    max_examples=90,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(asked=questions())
def test_a_random_question_is_answered_by_the_plain_sum_over_events(
    calls: list[Call], site_client: APIClient, asked: Asked
) -> None:
    wanted: dict[tuple[str, ...], list[int | Decimal]] = defaultdict(lambda: [0] * 6 + [Decimal(0)])
    for call in filter(asked.passes, calls):
        row = wanted[asked.key(call)]
        row[:] = [old + new for old, new in zip(row, call.sums, strict=True)]

    rows, totals = answered(site_client, asked)

    got = {row_key(asked, row): figures(row) for row in rows}
    assert got == dict(wanted)
    assert len(rows) == len(got)
    columns = zip(*(wanted.values() or [[0] * 7]), strict=True)
    assert figures(totals) == [sum(column) for column in columns]
    assert_ordered(asked, rows)


@pytest.fixture
def site_client(calls: list[Call]) -> APIClient:
    _, secret = create_key(None, ("read",), "everybody")
    return APIClient(headers={"Authorization": f"Bearer {secret}"})


def answered(client: APIClient, asked: Asked) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    address, parameters = "/api/v1/usage/", asked.parameters
    while address:
        answer = client.get(address, parameters)
        assert answer.status_code == 200, answer.content
        body = answer.json()
        rows += body["results"]
        address, parameters = body["next"], {}
    return rows, body["totals"]


def row_key(asked: Asked, row: dict[str, Any]) -> tuple[str, ...]:
    start = row["start"]
    if asked.granularity in ("15m", "hour"):
        start = datetime.fromisoformat(start).astimezone(UTC).isoformat()
    if asked.granularity == "total":
        start = ""
    return (start, *(str(row[name]) for name in asked.group_by))


def figures(row: dict[str, Any]) -> list[int | Decimal]:
    return [*(row[name] for name in COUNTS), Decimal(row["cost"])]


def assert_ordered(asked: Asked, rows: list[dict[str, Any]]) -> None:
    name = asked.order_by.removeprefix("-")
    if not name:
        return
    read: Callable[[dict[str, Any]], Any] = {
        "cost": lambda row: Decimal(row["cost"]),
        "start": lambda row: datetime.fromisoformat(row["start"]).timestamp(),
    }.get(name, lambda row: row[name] if name in COUNTS else (row[name] or "").encode())
    values = [read(row) for row in rows]
    assert values == sorted(values, reverse=asked.order_by.startswith("-"))
