from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from pytest_django import Settings

from budgets.models import Alert
from budgets.watching.system import watch_system
from pricing.exchange import DatedRate, set_rates
from pricing.models import PriceSync
from pricing.publishing import Provenance
from tests.budgets.spending import set_budget
from tests.budgets.watching.seen import live
from tests.usage.bills.provider import a_source
from tests.usage.conftest import NOON
from usage.ingest.partitions import ensure_partitions, make_ahead
from usage.models import DirtyMark, Export
from usage.organizations import ensure_organization

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
FAILED = PriceSync.Status.FAILED
TODAY = date(2026, 11, 20)


@pytest.fixture(autouse=True)
def partitions_of_these_months(db: None) -> None:
    make_ahead(now=NOON)


def found(now: datetime = NOON) -> dict[str, str | None]:
    """What is wrong, and since when; nobody but those who see everything is to know."""
    watch_system(now)
    alerts = live(Alert.Kind.SYSTEM)
    assert {alert.organization_id for alert in alerts} <= {None}
    return {alert.key: alert.facts["since"] for alert in alerts}


def tried(status: str, minutes: int) -> None:
    at = NOON + minutes * MINUTE
    PriceSync.objects.create(
        source="openrouter", status=status, started_at=at, finished_at=at, error="no route"
    )


def exported(status: str, minutes: int, attempts: int) -> None:
    Export.objects.create(
        kind="usage", format="csv", status=status, attempts=attempts, error="broken off",
        finished_at=NOON + minutes * MINUTE,
    )  # fmt: skip


def test_sums_that_are_behind_are_told_until_they_are_not(db: None) -> None:
    organization = ensure_organization("acme")
    DirtyMark.objects.create(organization=organization, bucket=NOON, created_at=NOON)
    assert found(NOON + 5 * MINUTE) == {}

    assert found(NOON + 6 * MINUTE) == {"lag": "2026-11-20T12:00:00Z"}
    assert found(NOON + 7 * MINUTE) == {"lag": "2026-11-20T12:00:00Z"}
    assert Alert.objects.get().occasion == 1

    DirtyMark.objects.all().delete()
    assert found(NOON + 8 * MINUTE) == {}


def test_a_failing_sync_is_told_since_its_first_failure(db: None, settings: Settings) -> None:
    settings.TALLYMAN_OPENROUTER_URL = "https://prices.example.org"
    tried(FAILED, 0)
    assert found(NOON + timedelta(hours=26)) == {}
    assert found(NOON + timedelta(hours=27)) == {"sync:openrouter": "2026-11-20T12:00:00Z"}
    settings.TALLYMAN_OPENROUTER_URL = ""
    assert found(NOON + timedelta(hours=28)) == {}

    settings.TALLYMAN_OPENROUTER_URL = "https://prices.example.org"
    tried(PriceSync.Status.UNCHANGED, 1)
    assert found() == {}

    tried(FAILED, 2)
    tried(FAILED, 3)
    assert found() == {"sync:openrouter": "2026-11-20T12:02:00Z"}
    assert Alert.objects.get().facts["detail"] == "no route"

    tried(PriceSync.Status.CHANGED, 4)
    assert found() == {}


def test_rates_of_currencies_in_use_must_not_be_old(db: None) -> None:
    set_budget(currency="", limit=Decimal(1))
    set_rates([DatedRate("EUR", "USD", TODAY - 14 * DAY, Decimal(1))], Provenance("test"))
    assert found(NOON + 30 * DAY) == {}

    budget = set_budget(currency="EUR", limit=Decimal(1), period="month")
    assert found(NOON - 12 * timedelta(hours=1)) == {}
    assert found() == {"rate:EUR": "2026-11-06T00:00:00Z"}

    budget.enabled = False
    budget.save()
    assert found() == {}


def test_only_exports_that_broke_and_have_not_worked_since_are_told(db: None) -> None:
    exported(Export.Status.FAILED, 0, attempts=4)
    exported(Export.Status.DONE, 1, attempts=1)
    exported(Export.Status.FAILED, 2, attempts=1)
    assert found() == {}

    exported(Export.Status.FAILED, 3, attempts=4)
    assert found() == {"exports": "2026-11-20T12:03:00Z"}
    assert found(NOON + DAY + 4 * MINUTE) == {}


def test_a_month_without_a_table_is_told_a_week_before_it_begins(db: None) -> None:
    ensure_partitions([date(2031, 5, 1)])
    may = datetime.fromisoformat("2031-05-24T12:00Z")
    assert found(may) == {}
    assert found(may + DAY) == {"partition:2031-06": None}

    ensure_partitions([date(2031, 6, 1)])
    assert found(may + DAY) == {}


def test_tasks_that_no_worker_takes_are_told(db: None, settings: Settings) -> None:
    settings.CELERY_BROKER_URL = "pgmq://localhost"
    assert found() == {}

    with connection.cursor() as cursor:
        cursor.execute("SELECT pgmq.create('celery')")
        cursor.execute("SELECT pgmq.send('celery', '{}'), pgmq.send('celery', '{}', 3600)")
        cursor.execute("UPDATE pgmq.q_celery SET enqueued_at = %s", (NOON,))
    assert found(NOON + 5 * MINUTE) == {}
    assert found(NOON + 6 * MINUTE) == {"queue": "2026-11-20T12:00:00Z"}

    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM pgmq.q_celery WHERE vt <= clock_timestamp()")
    assert found(NOON + 7 * MINUTE) == {}


def test_a_bill_that_fails_for_a_day_is_told_to_its_organization(db: None) -> None:
    bill = a_source(failing_since=NOON - DAY + MINUTE, fault="It does not accept the key.")
    a_source(name="Off", failing_since=NOON - 9 * DAY, enabled=False)
    watch_system(NOON)
    assert live(Alert.Kind.SYSTEM) == []
    watch_system(NOON + MINUTE)
    (alert,) = live(Alert.Kind.SYSTEM)
    assert (alert.key, alert.organization) == (f"bill:{bill.pk}", bill.organization)
    assert alert.facts["what"] == "provider bill The bill cannot be fetched"
    assert alert.facts["detail"] == "It does not accept the key."
