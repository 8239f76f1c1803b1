import csv
import io
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.db.models import Sum
from pyarrow import parquet

from pricing.exchange import DatedRate, set_rates
from pricing.publishing import Provenance, contracted_card
from pricing.rating import MeterPrice
from tests.usage.focus_files import END, NAMES, START, Row, charged, ledger, total
from tests.usage.focus_world import (
    IN_NOVEMBER,
    MILLION,
    NOVEMBER,
    everyone,
    sell,
    set_up_prices,
    set_up_usage,
    use,
)
from usage.exports.encoding import Column, ColumnType, encode_csv
from usage.exports.parquet import encode_parquet
from usage.focus import COLUMNS, estimate_rows, focus_rows, unpriced_events
from usage.ingest.pipeline import Caller
from usage.models import Organization, UsageEvent
from usage.organizations import change_time_zone
from usage.rollups import roll_up
from usage.selectors.access import EVERYTHING, NOTHING, Viewer

pytestmark = pytest.mark.django_db


@pytest.fixture
def caller(catalogue: None) -> Caller:
    everyone()
    set_up_prices()
    return everyone()


def read_cell(column: Column, text: str) -> object:
    if not text:
        return None
    match column.type:
        case ColumnType.DECIMAL:
            return Decimal(text)
        case ColumnType.INSTANT:
            return datetime.fromisoformat(text)
        case ColumnType.INTEGER:
            return int(text)
    return text


def one(**cells: Any) -> Row:
    found = [row for row in charged() if all(row[name] == cells[name] for name in cells)]
    assert len(found) == 1, found
    return found[0]


def test_every_sort_of_usage_adds_up_to_the_ledger(catalogue: None) -> None:
    set_up_usage()
    rows = charged()
    assert total(rows) == total(rows, "BilledCost") == ledger()
    counted = UsageEvent.objects.filter(state__in=(0, 3))
    assert total(rows) == counted.aggregate(cost=Sum("cost"))["cost"]
    for slug, zone in (("acme", "UTC"), ("himal", "Asia/Kathmandu")):
        own = [row for row in rows if row["BillingAccountId"] == slug]
        assert total(own) == ledger(zone=zone, organization={slug}) > 0


@pytest.mark.parametrize("zone", ["America/Havana", "Asia/Kathmandu", "Pacific/Kiritimati"])
def test_any_days_add_up_to_the_ledger_in_any_zone(caller: Caller, zone: str) -> None:
    # On 1 November 2026 clocks in Havana go from 1:00 back to 0:00.
    change_time_zone(Organization.objects.get(slug="acme"), zone)
    for hour in range(24):
        for day in (1, 2):
            at = datetime(2026, 11, day, hour, 7, tzinfo=UTC)
            use(caller, f"{day}-{hour}", occurred_at=at, input_tokens=hour + 24 * day)
    roll_up(wait=True)
    for first in (date(2026, 10, 31), date(2026, 11, 1), date(2026, 11, 2)):
        last = date(2026, 11, first.day % 31 + 1)
        rows = charged(first, last)
        assert total(rows) == ledger(first, last, zone)
        assert len({row["ChargePeriodStart"] for row in rows}) <= 1
    assert total(charged()) == ledger(zone=zone)


def test_rounding_happens_call_by_call(caller: Caller) -> None:
    sell("odd-1", MeterPrice("input_tokens", Decimal("0.00015"), MILLION))
    for number in range(3):
        use(caller, f"e{number}", provider="shop", model="odd-1", input_tokens=1, output_tokens=0)
    row = one(x_Model="odd-1")
    # One token is 1.5e-10, which rounds to 2e-10.
    assert row["EffectiveCost"] == Decimal("0.0000000006")
    assert row["ContractedCost"] == Decimal("0.00000000045")
    assert (row["ConsumedQuantity"], row["x_RequestCount"]) == (3, 3)


def test_what_a_contract_saves_is_list_cost_less_contracted_cost(caller: Caller) -> None:
    use(caller, "e", model="claude-opus-4-8", input_tokens=1_000_000, output_tokens=0)
    row = one(SkuMeter="Input Tokens")
    assert (row["ListUnitPrice"], row["ContractedUnitPrice"]) == (5, 4)
    assert (row["ListCost"], row["ContractedCost"], row["EffectiveCost"]) == (5, 4, 4)
    assert row["SkuPriceId"] == "anthropic/claude-opus-4-8/input_tokens/standard"


def test_the_list_price_is_the_one_that_the_same_call_would_have_had(caller: Caller) -> None:
    # Beyond 200,000 input tokens the list says 6 dollars, before that 3.
    contract = MeterPrice("input_tokens", Decimal("0.002"), 1000)
    card = contracted_card("acme contract")
    sell("claude-sonnet-4-5", contract, card=card, provider="anthropic", currency="EUR")
    use(caller, "small", input_tokens=1000, output_tokens=0)
    use(caller, "large", input_tokens=250_000, output_tokens=0)
    small, large = (
        one(ConsumedQuantity=Decimal(count), SkuMeter="Input Tokens") for count in (1000, 250_000)
    )
    # 0.002 EUR for 1,000 tokens at 1.0860.
    assert small["ContractedUnitPrice"] == large["ContractedUnitPrice"] == Decimal("0.002172")
    assert (small["ListUnitPrice"], large["ListUnitPrice"]) == (Decimal("0.003"), Decimal("0.006"))
    assert small["PricingCurrencyContractedUnitPrice"] == Decimal("0.002")
    assert small["PricingCurrencyListUnitPrice"] == Decimal("0.002762430939")
    assert small["PricingCurrencyEffectiveCost"] == Decimal("0.002")
    assert small["PricingUnit"] == "1000 Tokens"


def test_without_a_list_price_the_contracted_one_stands_for_it(caller: Caller) -> None:
    card = contracted_card("acme contract")
    sell("own-1", MeterPrice("input_tokens", Decimal(2), MILLION), card=card)
    use(caller, "e", provider="shop", model="own-1", output_tokens=0)
    row = one(x_Model="own-1")
    assert row["ListUnitPrice"] == row["ContractedUnitPrice"] == 2


def test_each_days_rate_makes_rows_of_its_own(caller: Caller) -> None:
    change_time_zone(Organization.objects.get(slug="acme"), "Asia/Kathmandu")
    for hour in (19, 23):
        at = datetime(2026, 11, 19, hour, tzinfo=UTC)
        use(caller, f"e{hour}", provider="shop", model="euro-1", occurred_at=at, output_tokens=0)
    use(caller, "n", provider="shop", model="euro-1", occurred_at=IN_NOVEMBER, output_tokens=0)
    rows = {row["x_ExchangeRate"]: row for row in charged() if row["x_Model"] == "euro-1"}
    assert set(rows) == {Decimal("1.1"), Decimal("1.086")}
    assert rows[Decimal("1.1")]["EffectiveCost"] == Decimal("0.0055")
    assert rows[Decimal("1.1")]["PricingCurrencyEffectiveCost"] == Decimal("0.005")
    periods = {row["ChargePeriodStart"] for row in rows.values()}
    assert periods == {datetime(2026, 11, 19, 18, 15, tzinfo=UTC)}


def test_a_cost_that_no_price_explains_is_still_told(caller: Caller) -> None:
    use(caller, "e")
    UsageEvent.objects.update(cost=Decimal("0.0050000001"))
    row = one(SkuMeter="Other Cost")
    assert row["EffectiveCost"] == row["PricingQuantity"] == Decimal("0.0005000001")
    assert (row["PricingUnit"], row["SkuPriceId"]) == (
        "USD", "anthropic/claude-sonnet-4-5/other_cost/other",
    )  # fmt: skip
    assert total(charged()) == Decimal("0.0050000001")


def test_calls_without_a_price_are_left_out_and_counted(caller: Caller) -> None:
    for name in ("e1", "e2"):
        use(caller, name, model="nobody-knows-9")
    use(caller, "late", model="nobody-knows-9", organization="himal")
    roll_up(wait=True)
    assert charged() == []
    assert unpriced_events(EVERYTHING, START, END) == 3
    assert unpriced_events(EVERYTHING, START, END, organizations=["acme"]) == 2
    assert unpriced_events(EVERYTHING, date(2026, 11, 21), END) == 0


def test_a_viewer_sees_charges_of_its_own_organizations_only(caller: Caller) -> None:
    use(caller, "e")
    use(caller, "h", organization="himal")
    roll_up(wait=True)
    himal = Viewer(
        frozenset(Organization.objects.filter(slug="himal").values_list("pk", flat=True))
    )
    assert {row["BillingAccountId"] for row in charged(viewer=himal)} == {"himal"}
    assert charged(viewer=himal, organizations=["acme"]) == []
    assert charged(viewer=NOTHING) == []
    assert estimate_rows(himal, START, END, organizations=["acme"]) == 0
    assert estimate_rows(EVERYTHING, START, END) == 6
    assert unpriced_events(NOTHING, START, END) == 0


def test_costs_go_to_the_projects_cost_centre_else_to_the_teams(catalogue: None) -> None:
    caller = set_up_usage()
    use(caller, "both", project="api", team="search")
    use(caller, "before", team="search", occurred_at=datetime(2026, 10, 31, tzinfo=UTC))
    centres = {}
    for row in charged(organizations=["acme"]):
        month = f"{row['ChargePeriodStart']:%m}"
        centres[row["x_Project"], row["SubAccountId"], month] = row["x_CostCentre"]
    assert centres["api", "search", "11"] == centres["api", None, "11"] == "4711"
    assert centres["web", "search", "11"] == "0815"
    assert centres["web", "search", "10"] is None
    assert centres["web", None, "11"] is None


def test_parquet_says_what_csv_says(catalogue: None) -> None:
    set_up_usage()
    rows = list(focus_rows(EVERYTHING, START, END))
    table = parquet.read_table(io.BytesIO(b"".join(encode_parquet(COLUMNS, rows))))
    assert table.column_names == NAMES
    lines = csv.reader(io.StringIO(b"".join(encode_csv(COLUMNS, rows)).decode()))
    assert next(lines) == NAMES
    found = [tuple(map(read_cell, COLUMNS, line)) for line in lines]
    assert found == [tuple(line.values()) for line in table.to_pylist()]
    assert len(found) == len(rows) > 30


def test_no_table_is_left_behind_and_two_files_can_be_read_at_once(caller: Caller) -> None:
    use(caller, "e")
    use(caller, "h", organization="himal")
    one_file = focus_rows(EVERYTHING, START, END)
    other = focus_rows(EVERYTHING, START, END)
    assert all(left == right for left, right in zip(one_file, other, strict=True))
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname FROM pg_class WHERE relname LIKE 'usage_focus%'")
        assert cursor.fetchall() == []


def test_days_that_cannot_have_usage_cost_nothing(caller: Caller) -> None:
    use(caller, "e", occurred_at=datetime(2020, 1, 1, tzinfo=UTC))
    assert len(charged(date(1, 1, 1), date(9999, 1, 1))) == 2
    assert charged(END, START) == []


def test_rates_set_later_change_no_charge(caller: Caller) -> None:
    use(caller, "e", provider="shop", model="euro-1", output_tokens=0)
    before = charged()
    set_rates([DatedRate("EUR", "USD", NOVEMBER, Decimal(2))], Provenance("test"))
    assert charged() == before
