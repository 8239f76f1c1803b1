from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import transaction
from django.db.models import Sum
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.usage.repricing import END, START, assert_sound, planned, price, ratings
from usage.ingest import identities, partitions
from usage.ingest.identities import tenant_of
from usage.ingest.pipeline import Caller, ingest
from usage.ingest.prepare import Tenancy
from usage.ingest.values import EventValue
from usage.models import MonthlyRollup, Organization, RatingRun
from usage.organizations import change_time_zone, ensure_organization
from usage.rerating import (
    RatingRefused,
    apply_run,
    close_month,
    continue_runs,
    finish_run,
    roll_back_run,
)
from usage.rollups import roll_up

ZONES = {"acme": "UTC", "other": "Asia/Kathmandu"}
MODELS = ("quux-1", "quux-2", "quux-3")
MONTHS = (date(2026, 8, 1), date(2026, 9, 1), date(2026, 10, 1))
TURN = datetime(2026, 10, 1, tzinfo=UTC)

Price = tuple[str, str]
Sums = dict[tuple[str, date], Decimal]


@dataclass(frozen=True)
class Call:
    organization: str
    hours: int
    model: str
    project: str | None
    input_tokens: int
    output_tokens: int

    @property
    def occurred_at(self) -> datetime:
        return TURN + timedelta(hours=self.hours)

    def value(self, event_id: str) -> EventValue:
        return EventValue(
            event_id=event_id,
            organization=self.organization,
            occurred_at=self.occurred_at,
            provider="anthropic",
            model=self.model,
            project=self.project,
            session_id=self.project,
            input_tokens=self.input_tokens,
            output_tokens=self.output_tokens,
        )


@dataclass(frozen=True)
class Priced:
    model: str
    since: date
    input_price: str
    output_price: str


@dataclass(frozen=True)
class Closed:
    organization: str
    month: date


@dataclass(frozen=True)
class Rerated:
    organization: str | None = None


@dataclass(frozen=True)
class Corrected:
    """The first call not corrected yet counts other tokens."""

    output_tokens: int


Step = Priced | Closed | Corrected | Rerated
amounts = st.decimals(0, 99, places=10, allow_nan=False).map(str)
calls = st.builds(
    Call,
    organization=st.sampled_from(sorted(ZONES)),
    hours=st.one_of(st.integers(-800, 700), st.integers(-7, 2)),
    model=st.sampled_from(MODELS),
    project=st.sampled_from(["web", "api", None]),
    input_tokens=st.integers(0, 900_000),
    output_tokens=st.integers(0, 90_000),
)
steps = st.one_of(
    st.builds(
        Priced,
        model=st.sampled_from(MODELS),
        since=st.sampled_from([date(2020, 1, 1), *MONTHS]),
        input_price=amounts,
        output_price=amounts,
    ),
    st.builds(Closed, organization=st.sampled_from(sorted(ZONES)), month=st.sampled_from(MONTHS)),
    st.builds(Corrected, output_tokens=st.integers(1, 90_000)),
    st.builds(Rerated, organization=st.sampled_from([None, None, "acme"])),
)


@dataclass
class World:
    """What should be, worked out without the code under test."""

    calls: list[Call]
    caller: Caller
    corrected: int = 0
    prices: dict[str, dict[date, Price]] = field(default_factory=dict)
    closed: Sums = field(default_factory=dict)
    applied: list[tuple[RatingRun, list[tuple[object, ...]], Sums]] = field(default_factory=list)

    def cost(self, call: Call) -> Decimal:
        known = self.prices.get(call.model, {})
        holding = [since for since in known if since <= call.occurred_at.date()]
        if not holding:
            return Decimal(0)
        amounts = zip((call.input_tokens, call.output_tokens), known[max(holding)], strict=True)
        return sum((charge(count, unit) for count, unit in amounts), Decimal(0))


def charge(count: int, unit: str) -> Decimal:
    exact = count * int(Decimal(unit).scaleb(10))
    return Decimal((2 * exact + 1_000_000) // 2_000_000).scaleb(-10)


def sums() -> Sums:
    rows = MonthlyRollup.objects.values_list("organization__slug", "month")
    found = rows.annotate(total=Sum("cost")).order_by()
    return {(slug, month): total for slug, month, total in found if total}


def refusal_of(work: Callable[..., object], *arguments: object) -> str:
    try:
        work(*arguments)
    except RatingRefused as refused:
        return str(refused)
    return ""


def take(step: Step, world: World) -> None:
    match step:
        case Priced(model, since, input_price, output_price):
            at = datetime(since.year, since.month, since.day, tzinfo=UTC)
            price(input_price, output_price, model, since=at)
            world.prices.setdefault(model, {})[since] = (input_price, output_price)
        case Closed(slug, month):
            organization = Organization.objects.get(slug=slug)
            refusal = refusal_of(close_month, organization, month)
            assert not refusal or "no price" in refusal or "closed already" in refusal
            if not refusal:
                world.closed[slug, month] = sums().get((slug, month), Decimal(0))
        case Corrected(output_tokens):
            correct(output_tokens, world)
        case Rerated(slug):
            rerate(slug, world)
    present = sums()
    for key, total in world.closed.items():
        assert present.get(key, Decimal(0)) == total


def correct(output_tokens: int, world: World) -> None:
    number = world.corrected
    if number == len(world.calls):
        return
    world.corrected += 1
    world.calls[number] = replace(world.calls[number], output_tokens=output_tokens)
    value = world.calls[number].value(f"c{number}")
    value.corrects = f"e{number}"
    assert ingest([value], world.caller).accepted == 1
    roll_up(wait=True)
    # What was recorded before knows nothing of the correction: it is compared no more.
    world.applied.clear()
    world.closed = {key: sums().get(key, Decimal(0)) for key in world.closed}


def rerate(slug: str | None, world: World) -> None:
    organization = Organization.objects.get(slug=slug) if slug else None
    run = planned(organization=organization)
    if run.changed:
        before = ratings(), sums()
        run = finish_run(apply_run(run))
        assert (run.status, run.skipped) == (RatingRun.Status.APPLIED, 0)
        world.applied.append((run, *before))
    expected = sum(world.cost(call) for call in world.calls if slug in (None, call.organization))
    found = sum(total for (owner, _), total in sums().items() if slug in (None, owner))
    assert found == expected
    assert planned(organization=organization).changed == 0


def undo_all(world: World) -> None:
    while world.applied:
        run, stored, summed = world.applied.pop()
        refusal = refusal_of(roll_back_run, run)
        if refusal:
            assert "closed since" in refusal
            return
        assert finish_run(run).status == RatingRun.Status.ROLLED_BACK
        assert ratings() == stored
        assert sums() == summed
        assert_sound()


@pytest.mark.django_db
@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(calls=st.lists(calls, min_size=1, max_size=8), plan=st.lists(steps, max_size=8))
def test_re_ratings_come_to_what_prices_say_and_are_undone_exactly(
    catalogue: None, calls: list[Call], plan: list[Step]
) -> None:
    identities.forget()
    partitions.forget()
    with transaction.atomic():
        tenants = {slug: tenant_of(ensure_organization(slug)) for slug in ZONES}
        for organization in Organization.objects.all():
            change_time_zone(organization, ZONES[organization.slug])
        values = [call.value(f"e{number}") for number, call in enumerate(calls)]
        caller = Caller(Tenancy(None, tenants))
        report = ingest(values, caller)
        assert (report.accepted, report.unpriced) == (len(calls), len(calls))
        roll_up(wait=True)
        world = World(list(calls), caller)
        for step in [*plan, Rerated()]:
            take(step, world)
        undo_all(world)
        transaction.set_rollback(True)


@pytest.mark.django_db
@settings(
    max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    calls=st.lists(calls, min_size=1, max_size=8), rates=st.lists(amounts, min_size=3, max_size=3)
)
def test_waiting_calls_are_rated_once_however_prices_come(
    catalogue: None, calls: list[Call], rates: list[str]
) -> None:
    identities.forget()
    partitions.forget()
    with transaction.atomic():
        tenants = {slug: tenant_of(ensure_organization(slug)) for slug in ZONES}
        caller = Caller(Tenancy(None, tenants))
        ingest([call.value(f"e{number}") for number, call in enumerate(calls)], caller)
        roll_up(wait=True)
        world = World(calls, caller)
        for model, rate in zip(MODELS, rates, strict=True):
            take(Priced(model, date(2020, 1, 1), rate, rate), world)
            continue_runs()
            roll_up(wait=True)
        assert sum(sums().values()) == sum(world.cost(call) for call in calls)
        stored = ratings()
        continue_runs()
        assert ratings() == stored
        assert planned(start=START, end=END).changed == 0
        transaction.set_rollback(True)
