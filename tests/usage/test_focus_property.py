from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.usage.focus_files import Row, charged, ledger, told, total
from tests.usage.repricing import END as YEAR_END
from tests.usage.repricing import START as YEAR_START
from tests.usage.repricing import planned, price
from tests.usage.test_rerating_property import MODELS, MONTHS, ZONES, Call, amounts, calls
from usage.focus import freeze_closed_months
from usage.ingest import identities, partitions
from usage.ingest.identities import tenant_of
from usage.ingest.pipeline import Caller, ingest
from usage.ingest.prepare import Tenancy
from usage.models import Organization
from usage.organizations import change_time_zone, ensure_organization
from usage.rerating import RatingRefused, apply_run, close_month, finish_run
from usage.rollups import roll_up

FIRST, MIDDLE, LAST = date(2026, 8, 1), date(2026, 9, 30), date(2027, 1, 1)

Kept = dict[tuple[str, date], Counter[tuple[str, ...]]]


@dataclass(frozen=True)
class Arrived:
    """A call is reported, however late."""

    call: Call


@dataclass(frozen=True)
class Corrected:
    """The call that came last and is not replaced yet counts other tokens in another project."""

    output_tokens: int
    project: str | None


@dataclass(frozen=True)
class Repriced:
    model: str
    input_price: str
    output_price: str


@dataclass(frozen=True)
class Closed:
    organization: str
    month: date


Step = Arrived | Corrected | Repriced | Closed
steps = st.one_of(
    st.builds(Arrived, calls),
    st.builds(
        Corrected, output_tokens=st.integers(1, 90_000), project=st.sampled_from(["web", None])
    ),
    st.builds(Repriced, model=st.sampled_from(MODELS), input_price=amounts, output_price=amounts),
    st.builds(Closed, organization=st.sampled_from(sorted(ZONES)), month=st.sampled_from(MONTHS)),
    st.builds(Closed, organization=st.just("acme"), month=st.sampled_from(MONTHS)),
)


@dataclass
class World:
    caller: Caller
    open: list[tuple[str, Call]] = field(default_factory=list)
    count: int = 0
    kept: Kept = field(default_factory=dict)
    closed: set[tuple[str, date]] = field(default_factory=set)

    def report(self, call: Call, corrects: str | None = None) -> None:
        self.count += 1
        value = call.value(f"e{self.count}")
        value.corrects = corrects
        assert ingest([value], self.caller).accepted == 1
        self.open.append((value.event_id, call))


def take(step: Step, world: World) -> None:
    match step:
        case Arrived(call):
            world.report(call)
        case Corrected(output_tokens, project):
            if world.open:
                name, call = world.open.pop()
                changed = {"output_tokens": output_tokens, "project": project}
                world.report(Call(**{**call.__dict__, **changed}), name)
        case Repriced(model, input_price, output_price):
            since = YEAR_START + timedelta(minutes=world.count)
            price(input_price, output_price, model, since=since)
            world.count += 1
            roll_up(wait=True)
            run = planned(start=YEAR_START, end=YEAR_END)
            if run.changed:
                finish_run(apply_run(run))
        case Closed(slug, month):
            roll_up(wait=True)
            try:
                close_month(Organization.objects.get(slug=slug), month)
            except RatingRefused:
                return
            world.closed.add((slug, month))
    roll_up(wait=True)


def billed(rows: list[Row], slug: str, month: date) -> Counter[tuple[str, ...]]:
    start = datetime(month.year, month.month, 1, tzinfo=ZoneInfo(ZONES[slug])).astimezone(UTC)
    return Counter(
        told(row)
        for row in rows
        if row["BillingAccountId"] == slug and row["BillingPeriodStart"] == start
    )


def check(world: World, freeze_first: bool) -> None:
    if freeze_first:
        freeze_closed_months()
    rows = charged(FIRST, LAST)
    for slug, zone in ZONES.items():
        own = [row for row in rows if row["BillingAccountId"] == slug]
        assert total(own) == ledger(FIRST, LAST, zone, organization={slug})
        part = charged(MIDDLE, LAST, organizations=[slug])
        assert total(part) == ledger(MIDDLE, LAST, zone, organization={slug})
    for key, kept in world.kept.items():
        assert billed(rows, *key) == kept
    world.kept = {key: billed(rows, *key) for key in world.closed}
    assert all(row["ChargeClass"] == "Correction" for row in rows if row["EffectiveCost"] < 0)


@pytest.mark.django_db
@settings(
    max_examples=4,
    deadline=None,
    phases=(Phase.generate,),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(plan=st.lists(steps, min_size=3, max_size=7), freezing=st.booleans())
def test_closed_periods_never_change_and_every_total_is_the_ledgers(
    catalogue: None, plan: list[Step], freezing: bool
) -> None:
    identities.forget()
    partitions.forget()
    with transaction.atomic():
        tenants = {slug: tenant_of(ensure_organization(slug)) for slug in ZONES}
        for organization in Organization.objects.all():
            change_time_zone(organization, ZONES[organization.slug])
        for number, model in enumerate(MODELS, 1):
            price(f"{number}.123456789", f"{number}7.0000000001", model)
        world = World(Caller(Tenancy(None, tenants)))
        for step in plan:
            take(step, world)
            check(world, freezing)
        transaction.set_rollback(True)
