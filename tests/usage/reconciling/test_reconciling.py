from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from pricing.exchange import DatedRate, set_rates
from pricing.publishing import Provenance
from tests.usage.reconciling.world import (
    CLASSES,
    FIRST,
    GAP,
    LAST,
    NOW,
    at,
    bill,
    bill_days,
    record,
    seeded,
    source_of,
)
from usage.models import BillDay, BillLine, BillSource, Reconciliation, ReconciliationLine
from usage.models.reconciliations import CLASSES as NAMES
from usage.reconciling.working import Tolerance, reconcile, reconcile_month, reconcile_source
from usage.selectors.reconciliations import groups_of, has_changed, lines_of

pytestmark = pytest.mark.django_db
_State = Reconciliation.State


def classes_of(row: Reconciliation | ReconciliationLine) -> dict[str, Decimal]:
    return {name: getattr(row, name) for name in NAMES if getattr(row, name)}


def by_day(row: Reconciliation) -> dict[int, dict[str, Decimal]]:
    return {line.day.day: classes_of(line) for line in row.lines.all()}


@pytest.fixture
def october(catalogue: None) -> BillSource:
    return seeded()


def test_every_seeded_difference_is_found_and_they_sum_to_the_gap(october: BillSource) -> None:
    row = reconcile_month(october, FIRST, now=NOW)
    row.refresh_from_db()
    assert (row.billed, row.recorded) == (Decimal("4.28"), Decimal("4.250999"))
    assert row.gap == GAP == sum(CLASSES.values())
    assert {name: getattr(row, name) for name in NAMES} == CLASSES
    assert by_day(row) == {
        2: {},
        4: {"missing_here": Decimal("0.6")},
        6: {"missing_there": Decimal("-0.6")},
        8: {"price": Decimal("0.1")},
        10: {"cache": Decimal("-0.27")},
        12: {"timing": Decimal("-0.6")},
        13: {"timing": Decimal("0.6")},
        15: {"rounding": Decimal("-0.000999")},
        17: {"other": Decimal("0.2")},
        20: {},
    }
    assert row.state == _State.WITHIN
    assert (row.days_compared, row.left_out, row.currency) == (31, [], "USD")
    opus = row.lines.get(day=date(2026, 10, 20))
    assert (opus.model, opus.project and opus.project.slug) == ("claude-opus-4-5", "api")
    assert [(group.name, group.lines) for group in groups_of(row, "model")] == [
        ("", 1), ("claude-sonnet-4-5", 8), ("claude-opus-4-5", 1)
    ]  # fmt: skip
    largest = lines_of(row).first()
    assert largest is not None
    assert (largest.day.day, largest.billed_tokens) == (4, {"uncached_tokens": 400_000})


def test_the_tolerance_is_on_each_class_and_not_only_on_what_remains(october: BillSource) -> None:
    narrow = reconcile_month(october, FIRST, tolerance=Tolerance(Decimal(5), Decimal("0.5")))
    assert abs(narrow.gap) < narrow.tolerance_amount < narrow.missing_here
    assert narrow.state == _State.LOOK
    # The next one keeps what was chosen; 15 % of 4.28 is more than any class.
    assert reconcile_month(october, FIRST).state == _State.LOOK
    wide = reconcile_month(october, FIRST, tolerance=Tolerance(Decimal(15), Decimal(0)))
    assert (wide.pk, wide.state) == (narrow.pk, _State.WITHIN)
    assert ReconciliationLine.objects.count() == 10


def test_what_is_signed_stays_and_tells_that_its_sides_have_changed(october: BillSource) -> None:
    row = reconcile_month(october, FIRST)
    Reconciliation.objects.filter(pk=row.pk).update(state=_State.SIGNED)
    row.refresh_from_db()
    assert reconcile_month(october, FIRST) == row
    # The first of November is looked at for timing, but is no matter of October.
    bill_days(october, date(2026, 11, 1), date(2026, 11, 1))
    assert not has_changed(row)
    record([("late", at(6), {"project": "web", "input_tokens": 100_000})])
    assert has_changed(row)
    again = reconcile_month(october, FIRST)
    assert (again.pk != row.pk, again.missing_there) == (True, Decimal("-0.9"))
    row.refresh_from_db()
    assert (row.state, row.gap) == (_State.SIGNED, GAP)
    BillLine.objects.filter(amount=Decimal("0.70")).update(amount=Decimal("0.60"))
    latest = reconcile_month(october, FIRST)
    assert latest.price == 0
    assert Reconciliation.objects.count() == 2
    # Once both sides are again what was signed, nothing stands beside it.
    Reconciliation.objects.filter(pk=row.pk).update(digest=latest.digest)
    assert reconcile_month(october, FIRST) == row
    assert Reconciliation.objects.count() == 1


def test_days_that_are_not_billed_yet_are_not_called_missing(october: BillSource) -> None:
    BillDay.objects.filter(day__gte=date(2026, 10, 6)).delete()
    row = reconcile_month(october, FIRST)
    assert (row.state, row.days_compared) == (_State.OPEN, 5)
    assert row.left_out == ["The bill is not there yet for 6 Oct \N{EN DASH} 31 Oct 2026."]
    assert classes_of(row) == {"missing_here": Decimal("0.6")}


def test_usage_around_the_end_of_a_month_is_timing_in_both_months(october: BillSource) -> None:
    # What was recorded on the first of November is billed on the last of October.
    bill_days(october, date(2026, 11, 1), date(2026, 11, 2))
    bill(october, 31, {"input_tokens": "0.60"}, input_tokens=200_000)
    assert by_day(reconcile_month(october, FIRST))[31] == {"timing": Decimal("0.6")}
    november = reconcile(october, date(2026, 11, 1), date(2026, 11, 2))
    assert classes_of(november) == {"timing": Decimal("-0.6")}


def test_months_are_computed_when_days_of_the_bill_were_read(october: BillSource) -> None:
    bill_days(october, date(2026, 6, 3), date(2026, 6, 3))
    first = reconcile_source(october, NOW)
    assert [row.first_day for row in first] == [date(2026, 6, 1), FIRST]
    later = NOW + timedelta(hours=3)
    assert [row.first_day for row in reconcile_source(october, later)] == [FIRST]
    BillDay.objects.filter(day=date(2026, 6, 3)).update(changed_at=later)
    again = reconcile_source(october, later + timedelta(hours=3))
    assert {row.pk for row in again} == {row.pk for row in first}


def test_a_bill_in_another_currency_needs_a_rate_of_the_day(catalogue: None) -> None:
    calls: list[Any] = [(day, at(day), {"input_tokens": 200_000}) for day in (9, 11)]
    record(calls)
    source = source_of(kind=BillSource.Kind.FILE)
    bill_days(source, FIRST, LAST)
    for day in (9, 11):
        bill(source, day, {"": "0.50"}, currency="EUR", project="", input_tokens=200_000)
    row = reconcile_month(source, FIRST)
    assert (row.state, row.days_compared, row.lines.count()) == (_State.LOOK, 29, 0)
    assert row.left_out == [
        "There is no exchange rate from EUR to USD for 2 days of 9 Oct \N{EN DASH} 11 Oct 2026."
    ]
    set_rates([DatedRate("EUR", "USD", date(2026, 10, 10), Decimal("1.2"))], Provenance("manual"))
    row = reconcile_month(source, FIRST)
    assert row.left_out == ["There is no exchange rate from EUR to USD for 9 Oct 2026."]
    assert (row.billed, row.recorded) == (Decimal("0.6"), Decimal("0.6"))


def test_a_bill_that_tells_neither_caching_nor_projects_is_compared_without(
    catalogue: None,
) -> None:
    record(
        [
            (1, at(9), {"project": "web", "input_tokens": 50_000, "cache_read_tokens": 40_000}),
            (2, at(9), {"project": "api", "input_tokens": 50_000}),
        ]
    )
    source = source_of(kind=BillSource.Kind.FILE)
    bill_days(source, FIRST, LAST)
    # 60,000 at $3 and 40,000 at $0.30 a million.
    bill(source, 9, {"": "0.192"}, project="", input_tokens=100_000)
    row = reconcile_month(source, FIRST)
    assert (row.billed, row.recorded, classes_of(row)) == (Decimal("0.192"), row.billed, {})
    assert row.lines.get().recorded_tokens == {"uncached_tokens": 100_000}


def test_unpriced_calls_leave_the_bill_to_the_price_and_are_counted(catalogue: None) -> None:
    unknown = {"model": "claude-secret-9", "input_tokens": 1000}
    record([(1, at(9), unknown)])
    source = source_of()
    bill_days(source, FIRST, LAST)
    bill(source, 9, {"input_tokens": "0.03"}, model="claude-secret-9", input_tokens=1000)
    row = reconcile_month(source, FIRST)
    assert classes_of(row) == {"price": Decimal("0.03")}
    assert row.unpriced_events == 1


def test_usage_that_a_contract_pays_for_is_not_missing_from_the_bill(catalogue: None) -> None:
    record([(1, at(9), {"input_tokens": 200_000, "service_tier": "priority"})])
    source = source_of()
    bill_days(source, FIRST, LAST)
    bill(source, 9, {}, project="", tier="priority", input_tokens=200_000)
    assert classes_of(reconcile_month(source, FIRST)) == {"other": Decimal("-0.6")}
