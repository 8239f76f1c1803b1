from contextlib import closing
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.db import DatabaseError, connection, transaction

from tests.usage.focus_files import Row, charged, ledger, told, total
from tests.usage.focus_world import (
    IN_OCTOBER,
    IN_SEPTEMBER,
    NOVEMBER,
    OCTOBER,
    SEPTEMBER,
    everyone,
    use,
)
from tests.usage.repricing import applied, price
from usage.focus import closed_and_not_frozen, freeze_closed_months, freezing
from usage.ingest.pipeline import Caller
from usage.models import ClosedMonth, FrozenCharge, Organization, Project
from usage.rerating import close_month
from usage.rollups import roll_up

pytestmark = pytest.mark.django_db


@pytest.fixture
def caller(catalogue: None) -> Caller:
    caller = everyone()
    use(caller, "a", occurred_at=IN_SEPTEMBER)
    use(caller, "b", occurred_at=IN_OCTOBER)
    return caller


def close(month: date) -> None:
    roll_up(wait=True)
    close_month(Organization.objects.get(slug="acme"), month)


def billed_in(month: date) -> list[Row]:
    roll_up(wait=True)
    rows = charged()
    assert total(rows) == ledger()
    return [row for row in rows if row["BillingPeriodStart"].date() == month]


def test_each_closed_month_is_kept_once_with_the_time(caller: Caller) -> None:
    close(SEPTEMBER)
    close(OCTOBER)
    assert freeze_closed_months() == 2
    assert freeze_closed_months() == 0
    assert ClosedMonth.objects.filter(frozen_at=None).count() == 0
    kept = FrozenCharge.objects.values_list("billing_month", "charge_day", "is_correction")
    assert set(kept) == {
        (SEPTEMBER, IN_SEPTEMBER.date(), False),
        (OCTOBER, IN_OCTOBER.date(), False),
    }
    assert len(kept) == 4


def test_reading_a_closed_month_keeps_it_first(caller: Caller) -> None:
    close(SEPTEMBER)
    before = billed_in(SEPTEMBER)
    assert FrozenCharge.objects.filter(billing_month=SEPTEMBER).count() == len(before) == 2
    assert billed_in(SEPTEMBER) == before


def test_keeping_changes_no_row(caller: Caller) -> None:
    before = billed_in(SEPTEMBER)
    close(SEPTEMBER)
    assert billed_in(SEPTEMBER) == before


def test_a_late_call_is_a_correction_in_the_first_open_month(caller: Caller) -> None:
    close(SEPTEMBER)
    before = billed_in(SEPTEMBER)
    use(caller, "late", occurred_at=IN_SEPTEMBER, input_tokens=500, output_tokens=0)

    assert billed_in(SEPTEMBER) == before
    (late,) = (row for row in billed_in(OCTOBER) if row["ChargeClass"] == "Correction")
    assert late["ChargePeriodStart"] == datetime(2026, 9, 10, tzinfo=UTC)
    assert (late["ConsumedQuantity"], late["EffectiveCost"]) == (Decimal(500), Decimal("0.0015"))
    assert (late["x_RequestCount"], late["x_AdjustedMonth"]) == (1, "2026-09")


def test_a_correction_is_kept_with_the_month_it_is_billed_in_and_told_once(caller: Caller) -> None:
    close(SEPTEMBER)
    billed_in(SEPTEMBER)
    use(caller, "late", occurred_at=IN_SEPTEMBER, input_tokens=500, output_tokens=0)
    before = sorted(map(told, billed_in(OCTOBER)))
    close(OCTOBER)
    assert sorted(map(told, billed_in(OCTOBER))) == before
    assert FrozenCharge.objects.get(is_correction=True).billing_month == OCTOBER

    use(caller, "later", occurred_at=IN_SEPTEMBER, input_tokens=0, output_tokens=7)
    assert sorted(map(told, billed_in(OCTOBER))) == before
    (row,) = billed_in(NOVEMBER)
    assert (row["SkuMeter"], row["ConsumedQuantity"]) == ("Output Tokens", Decimal(7))


def test_what_a_corrected_call_no_longer_costs_is_taken_back(caller: Caller) -> None:
    close(SEPTEMBER)
    billed_in(SEPTEMBER)
    use(caller, "a2", occurred_at=IN_SEPTEMBER, corrects="a", project="api")
    corrections = [row for row in billed_in(OCTOBER) if row["ChargeClass"] == "Correction"]
    assert {(row["ResourceId"], row["SkuMeter"], row["EffectiveCost"]) for row in corrections} == {
        ("web", "Input Tokens", Decimal("-0.003")),
        ("web", "Output Tokens", Decimal("-0.0015")),
        ("api", "Input Tokens", Decimal("0.003")),
        ("api", "Output Tokens", Decimal("0.0015")),
    }


def test_a_correction_that_lies_in_another_month_takes_its_call_out_of_the_closed_one(
    caller: Caller,
) -> None:
    close(SEPTEMBER)
    before = billed_in(SEPTEMBER)
    use(caller, "a2", occurred_at=IN_OCTOBER, corrects="a")
    assert billed_in(SEPTEMBER) == before
    taken = [row for row in billed_in(OCTOBER) if row["ChargeClass"] == "Correction"]
    assert total(taken) == Decimal("-0.0045")


def test_a_re_rating_is_a_correction_on_the_day_it_was_applied(caller: Caller) -> None:
    close(SEPTEMBER)
    before = billed_in(SEPTEMBER)
    price("6", "30")
    applied(start=IN_SEPTEMBER, end=IN_OCTOBER)
    assert billed_in(SEPTEMBER) == before
    present = datetime.now(UTC).date()
    (row,) = billed_in(present.replace(day=1))
    assert row["ChargePeriodStart"].date() == present
    assert row["ChargeDescription"] == "claude-sonnet-4-5 Price Adjustment of September 2026"
    assert (row["EffectiveCost"], row["PricingQuantity"]) == (Decimal("0.0045"), None)
    assert (row["ListCost"], row["x_RequestCount"], row["Tags"]) == (Decimal("0.0045"), 0, None)


def test_new_names_change_nothing_that_is_closed(caller: Caller) -> None:
    close(SEPTEMBER)
    before = billed_in(SEPTEMBER)
    Project.objects.update(name="The new name")
    Organization.objects.update(name="The new owner")
    use(caller, "late", occurred_at=IN_SEPTEMBER, model="claude-opus-4-8")
    assert billed_in(SEPTEMBER) == before
    assert {
        (row["SkuId"], row["ResourceName"])
        for row in billed_in(OCTOBER)
        if row["ChargeClass"] == "Correction"
    } == {("anthropic/claude-opus-4-8", "The new name")}


def test_a_month_closed_before_an_earlier_one_keeps_corrections_apart(caller: Caller) -> None:
    close(OCTOBER)
    use(caller, "late", occurred_at=IN_OCTOBER)
    billed_in(OCTOBER)
    use(caller, "later", occurred_at=IN_OCTOBER)
    close(SEPTEMBER)
    assert len(billed_in(SEPTEMBER)) == 2
    assert total(billed_in(NOVEMBER)) == Decimal("0.0045")


def test_reading_later_days_does_not_wait_for_earlier_months_to_be_kept(caller: Caller) -> None:
    use(caller, "c")
    close(SEPTEMBER)
    close(OCTOBER)
    assert len(charged(NOVEMBER)) == 2
    assert not FrozenCharge.objects.exists()
    assert len(charged(OCTOBER)) == 4
    assert set(FrozenCharge.objects.values_list("billing_month", flat=True)) == {OCTOBER}


def test_reading_a_month_keeps_the_later_ones_that_its_corrections_might_be_billed_in(
    caller: Caller,
) -> None:
    close(SEPTEMBER)
    close(OCTOBER)
    before = charged(SEPTEMBER, OCTOBER)
    use(caller, "late", occurred_at=IN_SEPTEMBER)
    after = charged(SEPTEMBER, OCTOBER)
    assert after[: len(before)] == before
    assert {row["BillingPeriodStart"].date() for row in after[len(before) :]} == {NOVEMBER}


def test_a_month_that_another_process_keeps_can_be_left_to_it(caller: Caller) -> None:
    close(SEPTEMBER)
    acme = Organization.objects.get(slug="acme")
    other = connection.copy()
    with closing(other), other.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s, %s)", (freezing.LOCK, acme.pk))
        assert freeze_closed_months(wait=False) == 0
        assert closed_and_not_frozen().count() == 1
    assert freeze_closed_months(wait=False) == 1


@pytest.mark.parametrize(
    "statement",
    ["UPDATE usage_frozencharge SET effective_cost = 0", "DELETE FROM usage_frozencharge"],
)
def test_kept_charges_cannot_be_changed(caller: Caller, statement: str) -> None:
    close(SEPTEMBER)
    freeze_closed_months()
    with (
        pytest.raises(DatabaseError, match="never changed"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
