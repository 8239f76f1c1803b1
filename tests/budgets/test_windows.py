from decimal import Decimal
from itertools import product
from typing import Any

import pytest
from django.db import Error, connection, transaction

from budgets.deciding import fits
from budgets.models import Budget, BudgetChange, BudgetWindow
from budgets.reservations.ending import release
from tests.budgets.asking import hold, refuse
from tests.budgets.spending import change, set_budget, spend, window_of
from tests.usage.conftest import NOON

pytestmark = pytest.mark.django_db


def rows_of(statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchall() if cursor.description else []


@pytest.mark.parametrize(
    "change",
    [
        "spent = 10.0000000001",
        "spent = 4, reserved = 7",
        'spent = 5, "limit" = 4',
        "reserved = -1",
        "overage = -0.01",
    ],
)
def test_a_hard_window_refuses_figures_that_overspend_whoever_writes_them(change: str) -> None:
    window = BudgetWindow.objects.get(budget=set_budget())
    with pytest.raises(Error, match="budgets_window"), transaction.atomic():
        rows_of(f"UPDATE budgets_budgetwindow SET {change} WHERE id = %s", window.pk)


def test_a_window_opens_once() -> None:
    window = BudgetWindow.objects.get(budget=set_budget())
    with pytest.raises(Error, match="budgets_window_once"), transaction.atomic():
        rows_of(
            "INSERT INTO budgets_budgetwindow (budget_id, member, start, is_hard, spent, reserved,"
            " overage, unpriced_events, is_overcommitted, opened_at) SELECT budget_id, member,"
            " start, false, 0, 0, 0, 0, false, now() FROM budgets_budgetwindow WHERE id = %s",
            window.pk,
        )


def test_the_record_of_changes_cannot_be_rewritten() -> None:
    set_budget()
    for statement in (
        "DELETE FROM budgets_budgetchange",
        "UPDATE budgets_budgetchange SET actor = 'somebody else'",
        "UPDATE budgets_budgetchange SET after = '{}'",
    ):
        with pytest.raises(Error, match="append-only"), transaction.atomic():
            rows_of(statement)
    assert BudgetChange.objects.count() == 1


def test_the_database_and_the_rules_admit_the_same() -> None:
    amounts = [Decimal(text) for text in ("0", "0.0000000001", "3", "4", "7", "10", "11")]
    cases = list(product([None, *amounts], [*amounts, Decimal(-1)], amounts, amounts))
    found = rows_of(
        'SELECT budgets_fits("limit", used, reserved, amount) FROM unnest('
        "%s::numeric[], %s::numeric[], %s::numeric[], %s::numeric[]) WITH ORDINALITY"
        ' AS t ("limit", used, reserved, amount, place) ORDER BY place',
        *(list(column) for column in zip(*cases, strict=True)),
    )
    assert [admitted for (admitted,) in found] == [fits(*case) for case in cases]
    assert {admitted for (admitted,) in found} == {True, False}


@pytest.mark.parametrize(
    ("hard", "limit", "used", "reserved", "spent"),
    [
        (True, 10, 4, 3, 4),
        (True, 10, 8, 3, 7),
        (True, 10, 30, 0, 10),
        (True, 10, 4, 12, 0),
        (True, 0, 4, 0, 0),
        (True, None, 30, 5, 30),
        (False, 10, 30, 5, 30),
        (True, 10, -2, 0, -2),
    ],
)
def test_spent_is_what_fits_beside_what_is_reserved(
    *, hard: bool, limit: int | None, used: int, reserved: int, spent: int
) -> None:
    said = rows_of("SELECT budgets_spent(%s, %s::numeric, %s, %s)", hard, limit, used, reserved)
    assert said == [(spent,)]


def figures(budget: Budget) -> tuple[Any, ...]:
    row = window_of(budget)
    return row.spent, row.reserved, row.overage, row.is_overcommitted


def test_a_limit_set_below_what_is_held_admits_nothing_and_breaks_nothing(
    catalogue: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOON)
    budget = set_budget()
    hold("6", "a", NOON)
    kept = hold("2", "b", NOON)
    spend("1.5", "spent")
    change(budget, limit=Decimal(5))
    assert figures(budget) == (0, 8, Decimal("1.5"), True)
    refuse("0.1")
    release(kept, NOON)
    assert figures(budget) == (0, 6, Decimal("1.5"), True)
    change(budget, limit=Decimal(20))
    assert figures(budget) == (Decimal("1.5"), 6, 0, False)


def test_a_day_that_becomes_a_month_counts_the_whole_month(
    catalogue: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    days = [NOON.replace(day=day) for day in (1, 2, 20)]
    budget = set_budget(days[0])
    for number, at in enumerate(days):
        monkeypatch.setattr("django.utils.timezone.now", lambda at=at: at)
        spend("3", f"e{number}", at)
    assert BudgetWindow.objects.filter(budget=budget).count() == 3
    change(budget, period="month")
    spend("0.75", "late", days[0])
    window = BudgetWindow.objects.get(budget=budget)
    assert (window.start, window.end) == (
        days[0].replace(hour=0),
        NOON.replace(month=12, day=1, hour=0),
    )
    assert window.spent == Decimal("9.75")
