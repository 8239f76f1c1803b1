from datetime import timedelta
from importlib import import_module
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.usage.conftest import NOON, event
from usage.ingest.identities import tenant_of
from usage.ingest.pipeline import Caller, ingest
from usage.ingest.prepare import Tenancy
from usage.models import DailyFacet, HourlyFacet, MonthlyFacet, MonthlyRollup, Organization
from usage.models.facets import Facet
from usage.rollups import rebuild, roll_up
from usage.verification import verify

TABLES = ("hourlyfacet", "dailyfacet", "monthlyfacet")


def rows_of(*tables: str) -> list[list[tuple[Any, ...]]]:
    found = []
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"SELECT to_jsonb(t) - 'id' FROM usage_{table} t ORDER BY 1")
            found.append(cursor.fetchall())
    return found


@pytest.fixture
def stored(caller: Caller) -> None:
    ingest(
        [
            event("a", team="core"),
            event("b", project="api", subject="bob"),
            event("c", project=None, subject=None, model="nobody-knows-9"),
            event("d", occurred_at=NOON.replace(month=10)),
        ],
        caller,
    )
    roll_up()


@pytest.mark.django_db
def test_each_facet_holds_all_usage_of_its_period(stored: None) -> None:
    for model in (HourlyFacet, DailyFacet, MonthlyFacet):
        for facet in {Facet.Of.WHOLE, *model.COLUMNS.values()}:
            rows = model._default_manager.filter(facet=facet)
            assert sum(rows.values_list("events", flat=True)) == 4, (model, facet)
    assert not HourlyFacet.objects.filter(facet=Facet.Of.SUBJECT).exists()
    nobody = MonthlyFacet.objects.get(facet=Facet.Of.SUBJECT, member_id=None)
    assert (nobody.events, nobody.unpriced_events) == (1, 1)


@pytest.mark.django_db
def test_upgrading_fills_facets_from_the_sums_that_are_there(stored: None) -> None:
    before = rows_of(*TABLES)
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"DELETE FROM usage_{table}")
        for statement in import_module("usage.migrations.0011_facets").FILL:
            cursor.execute(statement)
    assert rows_of(*TABLES) == before


@pytest.mark.django_db
def test_a_roll_up_sums_months_of_those_alone_whose_usage_may_have_changed(
    stored: None, caller: Caller
) -> None:
    november = MonthlyRollup.objects.filter(month="2026-11-01")
    november.update(duration_ms=7)
    later = NOON + timedelta(hours=1)
    ingest([event("e", subject="bob", project="api", occurred_at=later)], caller)
    roll_up()
    durations = november.values_list("subject__key", "duration_ms")
    assert dict(durations) == {"ann": 7, "bob": 0, None: 7}


@pytest.mark.django_db
def test_rolling_up_what_is_rolled_up_writes_nothing(stored: None) -> None:
    def written() -> set[tuple[Any, ...]]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT id, ctid::text FROM usage_dailyfacet")
            return set(cursor.fetchall())

    before = written()
    rebuild()
    assert written() == before


@pytest.mark.django_db
def test_rolling_up_a_day_costs_a_fixed_number_of_statements(caller: Caller) -> None:
    counts = []
    for size in (1, 40):
        ingest(
            [event(f"{size}-{n}", subject=f"s{n}", session_id=f"s{n}") for n in range(size)],
            caller,
        )
        with CaptureQueriesContext(connection) as queries:
            roll_up()
        counts.append(len(queries))
    assert counts[0] == counts[1] < 20


@pytest.mark.django_db(transaction=True)
def test_organizations_are_rebuilt_beside_each_other(catalogue: None) -> None:
    for slug in ("one", "two", "three"):
        organization = Organization.objects.create(slug=slug)
        ingest([event("a"), event("b")], Caller(Tenancy(tenant_of(organization), {})))
    roll_up()
    before = rows_of("usagerollup", "dailyrollup", "monthlyrollup", *TABLES)
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE usage_usagerollup, usage_dailyrollup, usage_monthlyfacet")

    done = rebuild()

    assert (done.months, done.busy) == (3, 0)
    assert rows_of("usagerollup", "dailyrollup", "monthlyrollup", *TABLES) == before
    assert verify().drifts == []
