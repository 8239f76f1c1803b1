from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from pricing.models import AIModel, PriceChange, RateCard
from pricing.price_book import current_book
from pricing.publishing import PriceError, PriceItem, Provenance, set_prices
from pricing.selectors import CATALOGUE, MANUAL, live_versions, named_card

pytestmark = pytest.mark.django_db
MAY, JUNE = datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)
BY_HAND = Provenance("command", reason="new list", actor="prices set")
ITEM = PriceItem("shop", "m-1", "input_tokens", Decimal(3), "USD", effective_from=MAY)
OUTPUT = replace(ITEM, meter="output_tokens", unit_price=Decimal(15))


def give(*items: PriceItem, card: RateCard | None = None, whole: bool = False) -> PriceChange:
    return set_prices(card or named_card(MANUAL), items, BY_HAND, whole=whole)


def codes(error: pytest.ExceptionInfo[PriceError]) -> list[tuple[int | None, str, str]]:
    return [(fault.index, fault.field, fault.code) for fault in error.value.faults]


WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"unit_price": Decimal(-1)}, "unit_price", "negative"),
    ({"unit_price": Decimal("NaN")}, "unit_price", "invalid"),
    ({"unit_price": Decimal("0.12345678901")}, "unit_price", "too_precise"),
    ({"unit_price": Decimal("1e10")}, "unit_price", "out_of_range"),
    ({"meter": "Input"}, "meter", "invalid"),
    ({"meter": "a" * 61}, "meter", "invalid"),
    ({"currency": "usd"}, "currency", "invalid"),
    ({"provider": " "}, "provider", "invalid"),
    ({"provider": "LiteLLM"}, "provider", "gateway"),
    ({"model": "m\n1"}, "model", "invalid"),
    ({"service_tier": "express"}, "service_tier", "unknown"),
    ({"per": 0}, "per", "out_of_range"),
    ({"effective_from": datetime.fromisoformat("2026-05-01T00:00")}, "effective_from", "naive"),
    ({"effective_from": datetime(1960, 5, 1, tzinfo=UTC)}, "effective_from", "out_of_range"),
    ({"tiers": ((200, Decimal(1)), (100, Decimal(2)))}, "tiers", "not_ascending"),
    ({"tiers": ((0, Decimal(1)),)}, "tiers", "not_ascending"),
    ({"tiers": ((100, Decimal(-1)),)}, "tiers", "negative"),
    ({"graduated": True}, "graduated", "no_tiers"),
]


@pytest.mark.parametrize(("wrong", "field", "code"), WRONG)
def test_a_broken_rule_is_named_and_nothing_is_stored(
    wrong: dict[str, Any], field: str, code: str
) -> None:
    with pytest.raises(PriceError) as refused:
        give(ITEM, replace(OUTPUT, **wrong))
    assert (1, field, code) in codes(refused)
    assert not AIModel.objects.filter(name="m-1").exists()


def test_another_currency_than_that_of_the_kept_meters_is_refused() -> None:
    give(ITEM, OUTPUT)
    euro = replace(ITEM, currency="EUR", effective_from=JUNE)
    with pytest.raises(PriceError, match="output_tokens would keep a price in USD") as refused:
        give(euro)
    assert codes(refused) == [(0, "currency", "currency_mismatch")]

    give(euro, replace(OUTPUT, currency="EUR", effective_from=JUNE))
    found = current_book().find("shop", "m-1", JUNE)
    assert found is not None
    assert found.currency == "EUR"


def test_one_version_has_one_currency_and_one_price_for_a_meter() -> None:
    with pytest.raises(PriceError) as refused:
        give(ITEM, replace(OUTPUT, currency="EUR"), replace(ITEM, provider="Shop "))
    assert codes(refused) == [
        (1, "currency", "currency_mismatch"),
        (2, "meter", "repeated"),
    ]


def test_lists_are_not_written_to(catalogue: None) -> None:
    with pytest.raises(PriceError) as refused:
        give(ITEM, card=named_card(CATALOGUE))
    assert codes(refused) == [(None, "rate_card", "synced")]


def test_prices_that_change_during_the_day_are_not_mixed_with_others(catalogue: None) -> None:
    daily = live_versions().filter(utc_from__isnull=False, effective_to=None).select_related(
        "model__provider"
    )[0]  # fmt: skip
    item = PriceItem(daily.model.provider.slug, daily.model.name, "requests", Decimal(1), "USD")
    with pytest.raises(PriceError) as refused:
        give(item)
    assert codes(refused) == [(0, "meter", "time_of_day")]
    give(item, whole=True)
