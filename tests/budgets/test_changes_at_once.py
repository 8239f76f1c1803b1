import threading
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from budgets.amounts import limit_text
from budgets.book import present_edition
from budgets.locks import exclude
from budgets.models import Budget, BudgetWindow
from budgets.opening import WindowKey, open_windows
from budgets.setting import end_raise, grant_raise
from pricing.exchange import DatedRate, set_rates
from pricing.publishing import Provenance
from tests.budgets.spending import ACTOR, change, set_budget, spend, used


def limit_of(budget: Budget) -> Any:
    return BudgetWindow.objects.get(budget=budget).limit


def test_a_raise_keeps_what_another_has_set_since_the_budget_was_read(db: None) -> None:
    now = timezone.now()
    budget = set_budget(now)
    read_before = Budget.objects.get(pk=budget.pk)
    change(budget, now, limit=Decimal(4))

    granted = grant_raise(read_before, limit=Decimal(6), until=now + timedelta(hours=1),
                          actor=ACTOR, now=now)  # fmt: skip
    assert limit_of(budget) == 6
    change(budget, now, limit=Decimal(3))
    end_raise(granted, ACTOR, now + timedelta(minutes=1))

    assert limit_of(budget) == 3


def test_a_change_does_not_move_what_a_budget_counts_since(catalogue: None) -> None:
    now = timezone.now()
    budget = set_budget(now)
    read_before = Budget.objects.get(pk=budget.pk)
    # As in another time zone, which the organization has left since.
    read_before.counts_since = now + timedelta(hours=1)

    change(read_before, now, limit=Decimal(7))
    spend("1", "e1", now)

    assert used(budget, now) == 1


def test_no_window_is_opened_for_what_a_budget_has_ceased_to_be(db: None) -> None:
    now = timezone.now()
    budget, edition = set_budget(now, period="month"), present_edition()
    begins = BudgetWindow.objects.get().start
    change(budget, now, period="year")
    BudgetWindow.objects.all().delete()
    key = WindowKey(budget.pk, 0, begins - timedelta(days=1))

    assert open_windows([key], now, edition) == set()
    assert not BudgetWindow.objects.exists()
    assert len(open_windows([key], now, present_edition())) == 1


@pytest.mark.django_db(transaction=True)
def test_a_budget_is_made_while_those_of_the_whole_site_are_waited_for(catalogue: None) -> None:
    budget = set_budget(timezone.now())
    owner = budget.organization_id
    is_locked, failures = threading.Event(), []

    def lock_all() -> None:
        try:
            with transaction.atomic():
                is_locked.wait(10)
                exclude([None, owner])
        except OperationalError as error:
            failures.append(error)
        finally:
            connection.close()

    other = threading.Thread(target=lock_all)
    other.start()
    with transaction.atomic():
        exclude([owner])
        is_locked.set()
        wait_for_a_waiter()
        set_budget(timezone.now(), name="second")
    other.join(30)
    assert failures == []


def wait_for_a_waiter() -> None:
    waiting = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    for _ in range(500):
        with connection.cursor() as cursor:
            if cursor.execute(waiting).fetchone():
                return
            cursor.execute("SELECT pg_sleep(0.01)")
    raise AssertionError("nobody waits")


def test_a_limit_in_another_currency_is_no_larger_than_a_window_can_tell(db: None) -> None:
    set_rates([DatedRate("EUR", "USD", date(2020, 1, 1), Decimal(9))], Provenance("test"))

    budget = set_budget(limit=Decimal(10) ** 17 * 3, currency="EUR")

    assert limit_of(budget) == Decimal("999999999999999999.9999999999")


def test_a_limit_is_told_to_the_cent_or_with_what_a_cent_would_hide() -> None:
    limits = ["20", "0.7391", "0.5", "1234.5"]
    told = [limit_text(Decimal(text), "cost", "EUR") for text in limits]
    assert told == ["€20", "€0.7391", "€0.50", "€1,234.50"]
