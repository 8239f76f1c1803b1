import json
import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from genai_prices import Usage, calc_price
from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import ModelInfo, Provider

from pricing.catalogue.snapshot import TIER_CONTEXTS
from pricing.meters import USAGE_KEY_METERS
from pricing.price_book import PriceBook
from pricing.rating import charges, rate

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


def usages(source: random.Random) -> Iterator[dict[str, int]]:
    for size in (5_000, 2_000_000):
        read, write, long, plain = (source.randrange(size) for _ in range(4))
        reasoning, answer = source.randrange(size), source.randrange(size)
        yield {
            "input_tokens": read + write + long + plain,
            "cache_read_tokens": read,
            "cache_write_tokens": write + long,
            "cache_write_1h_tokens": long,
            "output_tokens": reasoning + answer,
            "output_reasoning_tokens": reasoning,
            "web_searches": source.randrange(5),
        }
    audio, heard = source.randrange(900), source.randrange(90)
    yield {
        "input_tokens": audio + 1000,
        "cache_read_tokens": heard + 10,
        "input_audio_tokens": audio + heard,
        "cache_audio_read_tokens": heard,
        "output_tokens": 700,
        "output_audio_tokens": source.randrange(700),
        "input_image_tokens": 0,
        "cache_image_read_tokens": 0,
    }


def models() -> list[tuple[Provider, ModelInfo]]:
    return [(provider, model) for provider in get_snapshot().providers for model in provider.models]


@pytest.mark.parametrize("seed", [1, 2])
def test_every_model_of_the_catalogue_costs_what_genai_prices_says(
    book: PriceBook, noon: datetime, seed: int
) -> None:
    book.preload()
    source = random.Random(seed)
    compared = 0
    for provider, model in models():
        at = noon + timedelta(minutes=source.randrange(-400 * 1440, 60 * 1440))
        tier = source.choice(list(TIER_CONTEXTS))
        price = book.find(provider.id, model.id, at, tier)
        if price is None:
            continue
        for usage in usages(source):
            theirs = calc_price(
                Usage(**usage),
                model.id,
                provider_id=provider.id,
                genai_request_timestamp=at,
                price_context=TIER_CONTEXTS[tier],
            )
            ours = rate(named(usage), price)
            # Each charge rounds to 10 decimals, and so does each unit price per million tokens.
            rounded = len(charges(named(usage), price)) * Decimal("0.5e-10") + Decimal("5e-10")
            place = (provider.id, model.id, at, tier, usage)
            assert abs(ours.cost - theirs.total_price) <= rounded, place
            assert abs(ours.input_cost - theirs.input_price) <= rounded, place
            assert abs(ours.output_cost - theirs.output_price) <= rounded, place
            compared += 1
    assert compared > 5000


def test_models_without_a_price_are_those_the_catalogue_has_no_rates_for(
    book: PriceBook, noon: datetime
) -> None:
    for provider, model in models():
        found = provider.find_model(model.id, all_providers=get_snapshot().providers)
        rates = found.get_prices(noon).__dict__.values() if found else ()
        listed = found is not None and found.id.endswith(":free")
        listed = listed or any(rate is not None for rate in rates)
        assert (book.find(provider.id, model.id, noon) is not None) == listed, model.id
