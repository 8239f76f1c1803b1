import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

import msgspec
import pytest

from tests.usage.focus_files import NAMES, Row, charged
from tests.usage.focus_world import set_up_usage
from usage.exports.encoding import encode_csv
from usage.focus import COLUMNS

pytestmark = pytest.mark.django_db

MANDATORY = {
    "BilledCost", "BillingAccountId", "BillingAccountName", "BillingCurrency",
    "BillingPeriodStart", "BillingPeriodEnd", "ChargeCategory", "ChargeClass",
    "ChargeDescription", "ChargePeriodStart", "ChargePeriodEnd", "ContractedCost",
    "EffectiveCost", "InvoiceIssuerName", "ListCost", "PricingQuantity", "PricingUnit",
    "ProviderName", "PublisherName", "ServiceCategory", "ServiceName",
}  # fmt: skip
IN_1_3 = {"ServiceProviderName", "HostProviderName"}

Rule = Callable[[Any, Row], Any]


def is_correction(row: Row) -> bool:
    return bool(row["ChargeClass"] == "Correction")


def text(value: Any, _: Row) -> bool:
    return isinstance(value, str) and value == value.strip() != ""


def never(value: Any, _: Row) -> bool:
    return value is None


def optional(rule: Rule) -> Rule:
    return lambda value, row: value is None or rule(value, row)


def unless_correction(rule: Rule) -> Rule:
    """Not null for usage, free to be null in a correction."""
    return lambda value, row: rule(value, row) or (value is None and is_correction(row))


def one_of(*allowed: str) -> Rule:
    return lambda value, _: value in allowed


def matching(pattern: str) -> Rule:
    return lambda value, _: isinstance(value, str) and re.fullmatch(pattern, value) is not None


def number(value: Any, _: Row) -> bool:
    return isinstance(value, Decimal) and value.is_finite()


def price_of_a_unit(value: Any, row: Row) -> bool:
    return number(value, row) and bool(value >= 0)


def positive(value: Any, row: Row) -> bool:
    return number(value, row) and bool(value > 0 or is_correction(row))


def utc(value: Any, _: Row) -> bool:
    return isinstance(value, datetime) and value.utcoffset() == timedelta(0)


def key_values(value: Any, _: Row) -> bool:
    found = json.loads(bytes(value)) if isinstance(value, msgspec.Raw) else None
    return isinstance(found, dict) and not any(isinstance(v, dict | list) for v in found.values())


def sku_details(value: Any, row: Row) -> bool:
    return (value is None) == (row["SkuPriceId"] is None) and (
        value is None or key_values(value, row)
    )


def with_the_id(name: str) -> Rule:
    """Null exactly where the identifier it belongs to is."""
    return lambda value, row: (value is None) == (row[name] is None)


def product(unit_price: str) -> Rule:
    """Exactly unit price times quantity; what is derived from no price is the billed cost."""

    def rule(value: Any, row: Row) -> bool:
        if row[unit_price] is None:
            return bool(value == row["BilledCost"])
        return bool(value == row[unit_price] * row["PricingQuantity"])

    return rule


CURRENCY, UNIT = r"[A-Z]{3}", r"[A-Z][A-Za-z]*s"
PRICING_UNIT = rf"([1-9][0-9]* )?{UNIT}|{CURRENCY}"
RULES: dict[str, Rule] = {
    "AvailabilityZone": never,
    "BilledCost": number,
    "BillingAccountId": text,
    "BillingAccountName": text,
    "BillingAccountType": one_of("Organization"),
    "BillingCurrency": matching(CURRENCY),
    "BillingPeriodEnd": utc,
    "BillingPeriodStart": utc,
    "CapacityReservationId": never,
    "CapacityReservationStatus": never,
    "ChargeCategory": one_of("Usage"),
    "ChargeClass": optional(one_of("Correction")),
    "ChargeDescription": text,
    "ChargeFrequency": one_of("Usage-Based"),
    "ChargePeriodEnd": utc,
    "ChargePeriodStart": utc,
    "CommitmentDiscountCategory": never,
    "CommitmentDiscountId": never,
    "CommitmentDiscountName": never,
    "CommitmentDiscountQuantity": never,
    "CommitmentDiscountStatus": never,
    "CommitmentDiscountType": never,
    "CommitmentDiscountUnit": never,
    "ConsumedQuantity": unless_correction(positive),
    "ConsumedUnit": unless_correction(matching(UNIT)),
    "ContractedCost": product("ContractedUnitPrice"),
    "ContractedUnitPrice": unless_correction(price_of_a_unit),
    "EffectiveCost": number,
    "HostProviderName": text,
    "InvoiceId": never,
    "InvoiceIssuerName": text,
    "ListCost": product("ListUnitPrice"),
    "ListUnitPrice": unless_correction(price_of_a_unit),
    "PricingCategory": unless_correction(one_of("Standard", "Other")),
    "PricingCurrency": matching(CURRENCY),
    "PricingCurrencyContractedUnitPrice": unless_correction(price_of_a_unit),
    "PricingCurrencyEffectiveCost": number,
    "PricingCurrencyListUnitPrice": unless_correction(price_of_a_unit),
    "PricingQuantity": unless_correction(number),
    "PricingUnit": unless_correction(matching(PRICING_UNIT)),
    "ProviderName": text,
    "PublisherName": text,
    "RegionId": never,
    "RegionName": never,
    "ResourceId": optional(text),
    "ResourceName": with_the_id("ResourceId"),
    "ResourceType": with_the_id("ResourceId"),
    "ServiceCategory": one_of("AI and Machine Learning"),
    "ServiceName": text,
    "ServiceProviderName": text,
    "ServiceSubcategory": one_of("Generative AI"),
    "SkuId": text,
    "SkuMeter": text,
    "SkuPriceDetails": sku_details,
    "SkuPriceId": unless_correction(text),
    "SubAccountId": optional(text),
    "SubAccountName": with_the_id("SubAccountId"),
    "SubAccountType": with_the_id("SubAccountId"),
    "Tags": optional(key_values),
}


@cache
def charged_rows() -> list[Row]:
    set_up_usage()
    return charged()


@pytest.fixture
def rows(catalogue: None) -> list[Row]:
    """The same for all tests, as none of them reads anything else or changes them."""
    return charged_rows()


def test_every_mandatory_column_and_both_new_names_are_there_once() -> None:
    assert len(set(NAMES)) == len(NAMES)
    assert set(NAMES) >= MANDATORY | IN_1_3
    assert set(NAMES) - set(RULES) == {name for name in NAMES if name.startswith("x_")}
    assert len(set(RULES) - IN_1_3) == 57


def test_our_own_columns_are_in_pascal_case() -> None:
    own = [name for name in NAMES if name.startswith("x_")]
    assert [name for name in own if not re.fullmatch(r"x_([A-Z][a-z]+)+", name)] == []


def test_every_cell_keeps_the_rule_of_its_column(rows: list[Row]) -> None:
    broken = [
        (name, row[name], row["ChargeDescription"])
        for row in rows
        for name, rule in RULES.items()
        if not rule(row[name], row)
    ]
    assert broken == []


def test_the_data_has_every_sort_of_row(rows: list[Row]) -> None:
    corrections = [row for row in rows if is_correction(row)]
    assert {row["PricingQuantity"] is None for row in corrections} == {True, False}
    assert {row["SubAccountId"] for row in rows} == {None, "search"}
    assert {row["ResourceId"] for row in rows} == {None, "web", "api"}
    assert {row["PricingCurrency"] for row in rows} == {"USD", "EUR"}
    assert {row["PricingCategory"] for row in rows} == {None, "Standard", "Other"}
    assert {row["x_BillingScope"] for row in rows} == {"org", "user"}
    assert {row["ConsumedUnit"] for row in rows} >= {"Tokens", "Requests", "Seconds", "Searches"}
    assert {row["x_CostCentre"] for row in rows} == {None, "4711", "0815"}
    assert any(row["ListUnitPrice"] != row["ContractedUnitPrice"] for row in rows)


def test_charges_lie_within_their_billing_period_unless_they_correct_an_earlier_one(
    rows: list[Row],
) -> None:
    for row in rows:
        assert row["ChargePeriodStart"] < row["ChargePeriodEnd"]
        assert row["BillingPeriodStart"] < row["BillingPeriodEnd"]
        assert row["ChargePeriodEnd"] <= row["BillingPeriodEnd"]
        if not is_correction(row):
            assert row["BillingPeriodStart"] <= row["ChargePeriodStart"]


def test_days_and_months_are_those_of_the_time_zone_told_in_utc(rows: list[Row]) -> None:
    bounds = ("ChargePeriodStart", "ChargePeriodEnd", "BillingPeriodStart", "BillingPeriodEnd")
    (row,) = {
        tuple(row[name] for name in bounds)
        for row in rows
        if row["BillingAccountId"] == "himal"
    }  # fmt: skip
    # 18:20 UTC is 0:05 of the 21st in Kathmandu, 5:45 ahead.
    assert row == (
        datetime(2026, 11, 20, 18, 15, tzinfo=UTC), datetime(2026, 11, 21, 18, 15, tzinfo=UTC),
        datetime(2026, 10, 31, 18, 15, tzinfo=UTC), datetime(2026, 11, 30, 18, 15, tzinfo=UTC),
    )  # fmt: skip


def test_a_price_has_one_product_and_one_set_of_details(rows: list[Row]) -> None:
    known: dict[str, tuple[Any, ...]] = {}
    for row in rows:
        if row["SkuPriceId"] is not None:
            told = (row["SkuId"], bytes(row["SkuPriceDetails"]))
            assert known.setdefault(row["SkuPriceId"], told) == told


def test_numbers_and_times_are_spelled_as_the_specification_wants(rows: list[Row]) -> None:
    cells = [tuple(row.values()) for row in rows]
    header, *lines = b"".join(encode_csv(COLUMNS, cells)).decode().splitlines()
    assert header.split(",") == NAMES
    assert not re.search(r"\d[eE][+-]?\d", "\n".join(line.partition('"')[0] for line in lines))
    dates = re.findall(r"\d{4}-\d\d-\d\dT[^,]*", "\n".join(lines))
    assert len(dates) == 4 * len(rows)
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", found) for found in dates)
