import json
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import ModelInfo, Provider

from pricing.catalogue.snapshot import TIER_CONTEXTS
from pricing.meters import USAGE_KEY_METERS
from pricing.price_book import PriceBook
from pricing.rating import rate

SAMPLES = Path(__file__).parent.parent / "samples"
CASES = json.loads((SAMPLES / "price_cases.json").read_text())["cases"]
BODIES = json.loads((SAMPLES / "provider_usage.json").read_text())["samples"]


def tier_of(context: dict[str, str]) -> str:
    wanted = context.items()
    return next(tier for tier, known in TIER_CONTEXTS.items() if wanted <= known.items())


def named(usage: dict[str, int]) -> dict[str, int]:
    return {USAGE_KEY_METERS.get(key, key): count for key, count in usage.items()}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['model']} {case['request_at']}")
def test_dated_tiered_and_special_prices_give_the_recorded_cost(
    book: PriceBook, case: dict[str, Any]
) -> None:
    at = datetime.fromisoformat(case["request_at"])
    price = book.find(case["provider"], case["model"], at, tier_of(case["price_context"]))
    assert price is not None
    assert price.currency == "USD"
    rating = rate(named(case["usage"]), price)
    assert rating.cost == Decimal(case["expected_total_usd"])
    assert rating.input_cost == Decimal(case["expected_input_usd"])
    assert rating.output_cost == Decimal(case["expected_output_usd"])


@pytest.mark.parametrize("body", BODIES, ids=lambda body: body["name"])
def test_provider_usage_costs_exactly_what_is_recorded(
    book: PriceBook, body: dict[str, Any]
) -> None:
    at = datetime.fromisoformat(body["request_at"])
    price = book.find(body["provider"], body["model"], at, tier_of(body["price_context"]))
    assert price is not None
    assert price.model == body["price_model_id"]
    rating = rate(named(body["normalized"]), price)
    expected = body["expected_cost_usd"]
    assert rating.cost == Decimal(expected["total"])
    assert rating.input_cost == Decimal(expected["input"])
    assert rating.output_cost == Decimal(expected["output"])


def models() -> list[tuple[Provider, ModelInfo]]:
    return [(provider, model) for provider in get_snapshot().providers for model in provider.models]


def test_models_without_a_price_are_those_the_catalogue_has_no_rates_for(
    book: PriceBook, noon: datetime
) -> None:
    book.preload()
    for provider, model in models():
        found = provider.find_model(model.id, all_providers=get_snapshot().providers)
        rates = found.get_prices(noon).__dict__.values() if found else ()
        listed = found is not None and found.id.endswith(":free")
        listed = listed or any(rate is not None for rate in rates)
        assert (book.find(provider.id, model.id, noon) is not None) == listed, model.id
