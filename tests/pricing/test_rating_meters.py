from decimal import Decimal

import pytest

from pricing.rating import MeterPrice, charges, fallback_meters, rate, unpriced_meters
from tests.pricing.pricing_values import MILLION, price_of, token_price

GRADUATED = price_of(
    token_price("input_tokens", "4", (1000, "2"), (3000, "1"), graduated=True),
    token_price("output_tokens", "10"),
    token_price("cache_read_tokens", "0.5"),
)


@pytest.mark.parametrize(
    ("tokens", "cost"),
    [
        (1000, "0.004"),
        (1001, "0.004002"),
        (3000, "0.008"),
        (3001, "0.008001"),
        (5000, "0.01"),
    ],
)
def test_only_the_units_beyond_a_graduated_bound_cost_its_price(tokens: int, cost: str) -> None:
    assert rate({"input_tokens": tokens}, GRADUATED).cost == Decimal(cost)


def test_a_graduated_meter_has_a_charge_per_step_and_counts_what_its_parts_leave() -> None:
    counts = {"input_tokens": 2500, "cache_read_tokens": 1000, "output_tokens": 10}
    shown = [(c.meter, c.quantity, c.unit_price, c.amount) for c in charges(counts, GRADUATED)]
    assert shown == [
        ("cache_read_tokens", 1000, Decimal("0.5"), Decimal("0.0005")),
        ("input_tokens", 1000, Decimal(4), Decimal("0.004")),
        ("input_tokens", 500, Decimal(2), Decimal("0.001")),
        ("output_tokens", 10, Decimal(10), Decimal("0.0001")),
    ]
    assert rate(counts, GRADUATED).cost == Decimal("0.0056")


def test_cliffs_of_one_meter_leave_graduated_steps_of_another_alone() -> None:
    price = price_of(
        token_price("input_tokens", "4", (1000, "2"), graduated=True),
        token_price("output_tokens", "10", (1500, "20")),
    )
    costs = [
        rate({"input_tokens": tokens, "output_tokens": 100}, price).cost for tokens in (1500, 1501)
    ]
    assert costs == [Decimal("0.006"), Decimal("0.007002")]


def test_graduated_seconds_may_be_fractions() -> None:
    seconds = MeterPrice("audio_seconds", Decimal(36), 3600, ((60, Decimal(18)),), graduated=True)
    price = price_of(seconds)
    assert rate({"audio_seconds": Decimal("60.5")}, price).cost == Decimal("0.6025")


def test_a_meter_outside_the_registry_counts_in_the_cost_alone() -> None:
    price = price_of(
        token_price("input_tokens", "1"),
        MeterPrice("sandbox_minutes", Decimal("0.25"), 1),
    )
    counts: dict[str, int | Decimal] = {"input_tokens": MILLION, "sandbox_minutes": Decimal("2.5")}
    rating = rate(counts, price)
    assert rating.cost == Decimal("1.625")
    assert [rating.input_cost, rating.output_cost] == [1, 0]
    (_, minutes) = sorted(charges(counts, price), key=lambda charge: charge.meter)
    assert (minutes.side, minutes.per, minutes.amount) == ("other", 1, Decimal("0.625"))
    assert unpriced_meters({**counts, "gpu_minutes": 1}, price) == ("gpu_minutes",)


def test_meters_priced_as_text_are_named() -> None:
    price = price_of(
        token_price("input_tokens", "1"),
        token_price("output_tokens", "2"),
        token_price("cache_read_tokens", "0.1"),
        token_price("output_audio_tokens", "8"),
    )
    counts = {
        "input_tokens": 900,
        "output_tokens": 90,
        "cache_read_tokens": 100,
        "cache_write_tokens": 50,
        "cache_text_read_tokens": 100,
        "input_audio_tokens": 30,
        "input_text_tokens": 870,
        "input_image_tokens": 0,
        "output_audio_tokens": 9,
        "reasoning_tokens": 40,
        "web_searches": 3,
    }
    assert fallback_meters(counts, price) == ("cache_write_tokens", "input_audio_tokens")


def test_audio_from_the_cache_without_a_price_of_its_own_falls_back_on_the_cache() -> None:
    price = price_of(
        token_price("input_tokens", "1"),
        token_price("cache_read_tokens", "0.1"),
        token_price("input_audio_tokens", "8"),
    )
    counts = {"input_tokens": 9, "cache_read_tokens": 5, "cache_audio_read_tokens": 5}
    assert fallback_meters(counts, price) == ("cache_audio_read_tokens",)


def test_one_hour_writes_and_annotated_pages_fall_back_on_their_wholes() -> None:
    price = price_of(
        token_price("input_tokens", "1"),
        token_price("cache_write_tokens", "1.25"),
        MeterPrice("input_document_pages", Decimal(1), 1000),
    )
    counts = {"cache_write_1h_tokens": 1, "input_annotated_document_pages": 2}
    assert fallback_meters(counts, price) == tuple(counts)
