# Where our rating and genai-prices' own may differ, for these reasons and no others:
#
# - rounding: every charge is rounded to ten decimals (half up), so that charges add up to the
#   cost; genai-prices adds exact products. With unit prices of more than four decimals per
#   million the sums may differ by half a unit of the tenth decimal for each charge;
# - a minimum: Groq bills at least ten seconds for each request to Whisper, a rule that
#   genai-prices applies by the model's name and that no price of a meter expresses.

import random
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

import pytest
from genai_prices import Usage, calc_price
from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import ModelInfo, PriceCalculation, Provider

from pricing.catalogue.snapshot import TIER_CONTEXTS
from pricing.meters import METERS, USAGE_KEY_METERS
from pricing.price_book import PriceBook
from pricing.rating import Charge, PriceValue, Rating, charges, quantize, rate

MIXES = 20
BILLED_FROM_TEN_SECONDS = {("groq", "whisper-large-v3"), ("groq", "whisper-large-v3-turbo")}
THEIR_NAMES = {ours: theirs for theirs, ours in USAGE_KEY_METERS.items()}
HALF_A_UNIT = Decimal("0.5e-10")

Priced = Callable[[Usage, datetime, str], PriceCalculation]


class Model(NamedTuple):
    provider: str
    name: str
    tiers: tuple[str, ...]
    priced: Priced


def models(book: PriceBook, noon: datetime, start: int, step: int) -> Iterator[Model]:
    snapshot = get_snapshot()
    everything = [(p, model) for p in snapshot.providers for model in p.models]
    for provider, listed in everything[start::step]:
        if book.find(provider.id, listed.id, noon) is None:
            continue
        vendor, model = snapshot.find_provider_model(listed.id, None, provider.id, None)
        contexts = [variant.when for variant in model.price_variants or ()]
        special = [
            tier
            for tier, context in TIER_CONTEXTS.items()
            if any(when.items() <= context.items() for when in contexts)
        ]
        yield Model(provider.id, listed.id, ("standard", *special), pricer(vendor, model))


def pricer(vendor: Provider, model: ModelInfo) -> Priced:
    def priced(usage: Usage, at: datetime, tier: str) -> PriceCalculation:
        context = TIER_CONTEXTS[tier]
        return model.calc_price(usage, vendor, genai_request_timestamp=at, price_context=context)

    return priced


def mixed(source: random.Random, priced: set[str]) -> dict[str, int]:
    size = source.choice((50, 5_000, 400_000))
    read, write, long, plain, reasoning, answer = (source.randrange(size) for _ in range(6))
    counts = {
        "input_tokens": plain + read + write + long,
        "output_tokens": reasoning + answer,
        "cache_read_tokens": read,
        "cache_write_tokens": write + long,
        "cache_write_1h_tokens": long,
        "reasoning_tokens": reasoning,
    }
    for kind in ("audio", "image", "video"):
        if f"input_{kind}_tokens" in priced:
            heard = counts[f"input_{kind}_tokens"] = source.randrange(size)
            counts["input_tokens"] += heard
            if f"cache_{kind}_read_tokens" in priced:
                cached = counts[f"cache_{kind}_read_tokens"] = source.randrange(heard + 1)
                counts["cache_read_tokens"] += cached
        if f"output_{kind}_tokens" in priced:
            said = counts[f"output_{kind}_tokens"] = source.randrange(size)
            counts["output_tokens"] += said
    return counts | other_counts(source, priced)


def other_counts(source: random.Random, priced: set[str]) -> dict[str, int]:
    # A price per request counts one by itself, here as there.
    counts = {
        name: source.randrange(1, 40)
        for name in sorted(priced)
        if not name.endswith("_tokens") and name != "requests"
    }
    for part in list(counts):
        whole = METERS[part].parent
        if whole in counts:
            counts[whole] += counts[part]
    return counts


def compare(
    book: PriceBook, noon: datetime, source: random.Random, model: Model
) -> Iterator[tuple[PriceCalculation, Rating, tuple[Charge, ...], dict[str, int]]]:
    for _ in range(MIXES):
        at = noon + timedelta(minutes=source.randrange(-400 * 1440, 60 * 1440))
        tier = source.choice(model.tiers)
        price = book.find(model.provider, model.name, at, tier)
        assert price is not None, (model, at, tier)
        counts = mixed(source, priced_meters(price))
        usage = Usage(**{THEIR_NAMES.get(name, name): count for name, count in counts.items()})
        theirs = model.priced(usage, at, tier)
        yield theirs, rate(counts, price), charges(counts, price), counts


def priced_meters(price: PriceValue) -> set[str]:
    return {item.meter for item in price.prices}


def assert_same_parts(theirs: PriceCalculation, ours: Rating, charged: int) -> None:
    allowed = HALF_A_UNIT * charged
    assert abs(ours.input_cost - theirs.input_price) <= allowed, theirs
    assert abs(ours.output_cost - theirs.output_price) <= allowed, theirs


@pytest.mark.parametrize("part", [0, 1])
def test_every_model_with_a_price_costs_what_genai_prices_computes(
    book: PriceBook, noon: datetime, part: int
) -> None:
    book.preload()
    source = random.Random(part)
    compared = rounded = 0
    for model in models(book, noon, part, 2):
        for theirs, ours, charged, counts in compare(book, noon, source, model):
            compared += 1
            place = (model.provider, model.name, counts)
            if place[:2] not in BILLED_FROM_TEN_SECONDS:
                assert_same_parts(theirs, ours, len(charged))
            if ours.cost == quantize(theirs.total_price):
                continue
            if place[:2] in BILLED_FROM_TEN_SECONDS and counts["audio_seconds"] < 10:
                continue
            rounded += 1
            allowed = HALF_A_UNIT * len(charged)
            assert abs(ours.cost - theirs.total_price) <= allowed, place
    assert compared > 300 * MIXES
    assert rounded < compared / 500


def test_the_price_found_is_the_one_genai_prices_finds_by_name(
    book: PriceBook, noon: datetime
) -> None:
    for model in models(book, noon, 3, 7):
        price = book.find(model.provider, model.name, noon)
        assert price is not None
        counts = {"input_tokens": 1_000_000, "output_tokens": 1_000}
        theirs = calc_price(
            Usage(**counts), model.name, provider_id=model.provider, genai_request_timestamp=noon
        )
        assert rate(counts, price).cost == quantize(theirs.total_price), model


@pytest.mark.parametrize("name", sorted(BILLED_FROM_TEN_SECONDS))
def test_whisper_at_groq_differs_only_below_ten_seconds(
    book: PriceBook, noon: datetime, name: tuple[str, str]
) -> None:
    price = book.find(*name, noon)
    assert price is not None
    for seconds in (9, 10, 3600):
        theirs = calc_price(
            Usage(audio_seconds=seconds), name[1], provider_id=name[0], genai_request_timestamp=noon
        )
        same = rate({"audio_seconds": seconds}, price).cost == quantize(theirs.total_price)
        assert same == (seconds >= 10)
