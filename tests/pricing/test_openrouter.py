import json
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from pricing.catalogue import load_catalogue, sync_prices
from pricing.catalogue.openrouter import read_models
from pricing.models import AIModel, ModelAlias, PriceSync, PriceVersion, RateCard
from pricing.price_book import current_book
from pricing.publishing import Provenance
from pricing.rating import MeterPrice, rate
from pricing.selectors import MANUAL, named_card
from tests.pricing.price_server import PriceServer
from tests.published import publish_price

SAMPLE = Path(__file__).parent.parent / "samples" / "openrouter_models.json"
BODY = json.loads(SAMPLE.read_text())["body"]
MILLION, THOUSAND = 1_000_000, 1_000


def per_million(meter: str, price: str, above: int = 0, price_above: str = "") -> MeterPrice:
    tiers = ((above, Decimal(price_above)),) if above else ()
    return MeterPrice(meter, Decimal(price), MILLION, tiers)


def windows(**pricing: Any) -> list[tuple[time | None, time | None, tuple[MeterPrice, ...]]]:
    basic = {"prompt": "0.000001", "completion": "0.000002"}
    models, skipped = read_models({"data": [{"id": "a/b", "pricing": basic | pricing}]})
    assert not skipped
    return [(one.utc_from, one.utc_until, one.prices) for one in models[0].periods]


def skipped(**pricing: Any) -> dict[str, int]:
    basic = {"prompt": "0.000001", "completion": "0.000002"}
    models, reasons = read_models({"data": [{"id": "a/b", "pricing": basic | pricing}]})
    assert not models
    return dict(reasons)


def day_and_night(dawn: time, dusk: time, day: str, night: str) -> list[Any]:
    output = per_million("output_tokens", "2")
    return [
        (dawn, dusk, (per_million("input_tokens", day), output)),
        (dusk, dawn, (per_million("input_tokens", night), output)),
    ]


def test_the_sample_gives_exactly_these_prices() -> None:
    models, reasons = read_models(BODY)
    assert {model.name: [one.prices for one in model.periods] for model in models} == {
        "anthropic/claude-opus-4.8": [
            (
                per_million("cache_read_tokens", "0.5"),
                per_million("cache_write_1h_tokens", "10"),
                per_million("cache_write_tokens", "6.25"),
                per_million("input_tokens", "5"),
                per_million("output_tokens", "25"),
                MeterPrice("requests", Decimal(0), THOUSAND),
                MeterPrice("web_searches", Decimal(10), THOUSAND),
            )
        ],
        "openai/gpt-6-sol": [
            (
                per_million("cache_read_tokens", "0.2", 272_000, "0.4"),
                per_million("cache_write_tokens", "2.5", 272_000, "5"),
                per_million("input_tokens", "2", 272_000, "4"),
                per_million("output_tokens", "10", 272_000, "15"),
            )
        ],
        "deepseek/deepseek-chat": [
            (per_million("input_tokens", "0.27"), per_million("output_tokens", "1.1")),
            (per_million("input_tokens", "0.135"), per_million("output_tokens", "0.55")),
        ],
    }
    assert [(one.utc_from, one.utc_until) for one in models[2].periods] == [
        (time(0, 30), time(16, 30)),
        (time(16, 30), time(0, 30)),
    ]
    assert models[0].rules == (
        ("exact", "anthropic/claude-opus-4.8"),
        ("exact", "anthropic/claude-4.8-opus-20260601"),
    )
    assert models[1].rules == (("exact", "openai/gpt-6-sol"),)
    assert reasons == {"priced by the request": 1}


def test_every_price_of_the_list_has_its_meter_and_unit() -> None:
    keys = {
        "request": ("requests", "0.01", "10", THOUSAND),
        "image_token": ("input_image_tokens", "0.000003", "3", MILLION),
        "image_output": ("output_image_tokens", "0.00003", "30", MILLION),
        "audio": ("input_audio_tokens", "0.000032", "32", MILLION),
        "audio_output": ("output_audio_tokens", "0.000064", "64", MILLION),
        "input_audio_cache": ("cache_audio_read_tokens", "0.0000004", "0.4", MILLION),
        "internal_reasoning": ("reasoning_tokens", "0.000003", "3", MILLION),
    }
    for key, (meter, given, unit_price, per) in keys.items():
        ((_, _, prices),) = windows(**{key: given})
        assert MeterPrice(meter, Decimal(unit_price), per) in prices
        assert len(prices) == 3
        ((_, _, without),) = windows(**{key: "0"})
        assert (meter in [price.meter for price in without]) == (key == "request")


def test_the_last_override_wins_price_by_price() -> None:
    overrides = [
        {"min_prompt_tokens": 1000, "prompt": "0.000003", "completion": "0.000009"},
        {"min_prompt_tokens": 500, "completion": "0.000004"},
    ]
    assert windows(overrides=overrides) == [
        (
            None,
            None,
            (
                per_million("input_tokens", "1", 1000, "3"),
                per_million("output_tokens", "2", 500, "4"),
            ),
        )
    ]


def test_a_part_priced_only_above_a_bound_costs_what_its_whole_does_below() -> None:
    overrides = [{"min_prompt_tokens": 1000, "input_cache_read": "0.0000005"}]
    ((_, _, prices),) = windows(overrides=overrides)
    assert prices[0] == per_million("cache_read_tokens", "1", 1000, "0.5")


def test_a_time_of_day_may_hold_above_a_bound_only() -> None:
    override = {"utc_start": 600, "utc_end": 1800, "min_prompt_tokens": 1000, "prompt": "0.000003"}
    (morning, evening), output = (time(6), time(18)), per_million("output_tokens", "2")
    assert windows(overrides=[override]) == [
        (morning, evening, (per_million("input_tokens", "1", 1000, "3"), output)),
        (evening, morning, (per_million("input_tokens", "1"), output)),
    ]


def test_times_of_day_may_wrap_begin_at_midnight_or_end_there() -> None:
    for start, end, expected in (
        (1630, 30, day_and_night(time(0, 30), time(16, 30), "1", "3")),
        (None, 800, day_and_night(time(0), time(8), "3", "1")),
        (0, 800, day_and_night(time(0), time(8), "3", "1")),
        (800, 2400, day_and_night(time(0), time(8), "1", "3")),
        (800, None, day_and_night(time(0), time(8), "1", "3")),
        (800, 0, day_and_night(time(0), time(8), "1", "3")),
    ):
        override = {"utc_start": start, "utc_end": end, "prompt": "0.000003"}
        assert windows(overrides=[override]) == expected, (start, end)


@pytest.mark.parametrize(
    ("pricing", "reason"),
    [
        ({"prompt": "-1"}, "priced by the request"),
        ({"image_token": "-1"}, "priced by the request"),
        ({"overrides": [{"utc_days": ["sat"], "prompt": "0"}]}, "priced by the day of the week"),
        ({"prompt": "dear"}, "unreadable"),
        ({"completion": None}, "unreadable"),
        ({"prompt": "NaN"}, "unreadable"),
        ({"overrides": {}}, None),
        ({"overrides": "none"}, "unreadable"),
        ({"overrides": [{"utc_start": 1670}]}, "unreadable"),
        ({"overrides": [{"utc_start": 800, "utc_end": 800}]}, "unreadable"),
        ({"overrides": [{"min_prompt_tokens": "many"}]}, "unreadable"),
    ],
)
def test_what_cannot_be_expressed_is_skipped_and_counted(
    pricing: dict[str, Any], reason: str | None
) -> None:
    if reason is None:
        assert len(windows(**pricing)) == 1
    else:
        assert skipped(**pricing) == {reason: 1}


def test_a_variant_does_not_take_the_name_of_the_plain_model() -> None:
    plain, free = ({"prompt": price, "completion": price} for price in ("0.000001", "0"))
    entries = [
        {"id": "a/b:free", "canonical_slug": "a/b-0528", "pricing": free},
        {"id": "a/b", "canonical_slug": "a/b-0528", "pricing": plain},
    ]
    models, _ = read_models({"data": [*entries, {"id": 5}, "x"]})
    assert [model.rules for model in models] == [
        (("exact", "a/b:free"),),
        (("exact", "a/b"), ("exact", "a/b-0528")),
    ]


def cost(model: str, at: datetime | None = None, **counts: int) -> Decimal | None:
    price = current_book().find("openrouter", model, at or timezone.now())
    return None if price is None else rate(counts, price).cost


@pytest.mark.usefixtures("no_prices")
def test_prices_hold_from_when_they_were_first_seen(price_server: PriceServer) -> None:
    price_server.say(BODY)
    before = timezone.now()
    row = sync_prices("openrouter")
    assert (row.status, row.added, row.refused) == (PriceSync.Status.CHANGED, 4, 0)
    assert row.error == "skipped: 1 priced by the request"
    name = "anthropic/claude-opus-4.8"
    assert cost(name, before, input_tokens=1000) is None
    assert cost(name, input_tokens=1000, output_tokens=100) == Decimal("0.0075")
    assert cost("anthropic/claude-4.8-opus-20260601", input_tokens=1000) == Decimal("0.005")
    assert cost("openai/gpt-6-sol", input_tokens=272_000) == Decimal("0.544")
    assert cost("openai/gpt-6-sol", input_tokens=272_001) == Decimal("1.088004")
    tomorrow = datetime.combine(timezone.now().date() + timedelta(days=1), time(), tzinfo=UTC)
    at = {hour: tomorrow + timedelta(hours=hour) for hour in (0.25, 0.5, 16.25, 16.5)}
    costs = [cost("deepseek/deepseek-chat", moment, input_tokens=MILLION) for moment in at.values()]
    assert costs == [Decimal(price) for price in ("0.135", "0.27", "0.27", "0.135")]
    assert sync_prices("openrouter").status == PriceSync.Status.UNCHANGED


@pytest.mark.usefixtures("no_prices")
def test_a_changed_price_holds_from_now_and_a_vanished_model_keeps_its_own(
    price_server: PriceServer,
) -> None:
    price_server.say(BODY)
    sync_prices("openrouter")
    entries = [dict(entry) for entry in BODY["data"][:3]]
    entries[0]["pricing"] = entries[0]["pricing"] | {"prompt": "0.000006"}
    price_server.say({"data": entries[:2]})
    row = sync_prices("openrouter")
    assert (row.added, row.closed, row.refused) == (1, 1, 0)
    assert cost("anthropic/claude-opus-4.8", input_tokens=MILLION) == 6
    assert cost("deepseek/deepseek-chat", input_tokens=MILLION) is not None
    assert PriceVersion.objects.count() == 5


@pytest.mark.usefixtures("no_prices", "small_catalogue")
def test_the_catalogue_and_prices_set_by_hand_precede_the_list(price_server: PriceServer) -> None:
    name = "openai/gpt-4o"
    entry = {"id": name, "pricing": {"prompt": "0.0001", "completion": "0.0001"}}
    new = {"id": "new/model", "pricing": {"prompt": "0.000001", "completion": "0.000001"}}
    load_catalogue()
    price_server.say({"data": [entry, new]})
    assert sync_prices("openrouter").added == 2
    assert cost(name, input_tokens=MILLION) == 4
    assert cost("new/model", input_tokens=MILLION) == 1
    assert RateCard.objects.get(name="openrouter").kind == RateCard.Kind.LIST
    publish_price(
        rate_card=named_card(MANUAL),
        provider="openrouter",
        model="new/model",
        prices=[MeterPrice("input_tokens", Decimal(7), MILLION)],
        effective_from=timezone.now(),
        source=Provenance("manual"),
    )
    assert sync_prices("openrouter").status == PriceSync.Status.UNCHANGED
    assert cost("new/model", input_tokens=MILLION) == 7


@pytest.mark.usefixtures("no_prices", "small_catalogue")
def test_the_two_sources_leave_each_others_names_and_prices_alone(
    price_server: PriceServer,
) -> None:
    entry = {"id": "openai/gpt-4o", "pricing": {"prompt": "0.000001", "completion": "0.000001"}}
    price_server.say({"data": [entry]})
    sync_prices("openrouter")
    load_catalogue()
    versions, models = PriceVersion.objects.count(), AIModel.objects.count()
    aliases = ModelAlias.objects.filter(origin="openrouter").count()
    assert aliases == 1
    assert sync_prices("openrouter").status == PriceSync.Status.UNCHANGED
    assert load_catalogue().changed is False
    assert [PriceVersion.objects.count(), AIModel.objects.count()] == [versions, models]
    assert ModelAlias.objects.filter(origin="openrouter").count() == aliases
