from collections.abc import Sequence
from decimal import Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing.meters import METERS, parts_larger_than_whole
from pricing.rating import MeterPrice, PriceValue, charges, rate, unpriced_meters
from tests.pricing.pricing_values import MILLION, price_of, token_price


def two_prices(unit_in: str, unit_out: str) -> PriceValue:
    return price_of(token_price("input_tokens", unit_in), token_price("output_tokens", unit_out))


@pytest.mark.parametrize(
    ("unit_in", "unit_out", "tokens_in", "tokens_out", "cost"),
    [
        ("15", "75", 1_000_000, 1_000_000, "90"),
        ("3", "15", 1_000_000, 1_000_000, "18"),
        ("0.80", "4", 1_000_000, 1_000_000, "4.80"),
        ("3", "15", 620_000, 230_000, "5.31"),
    ],
    ids=["opus-4", "sonnet-4", "haiku-4", "golden session"],
)
def test_cost_is_input_times_price_plus_output_times_price(
    unit_in: str, unit_out: str, tokens_in: int, tokens_out: int, cost: str
) -> None:
    counts = {"input_tokens": tokens_in, "output_tokens": tokens_out}
    assert rate(counts, two_prices(unit_in, unit_out)).cost == Decimal(cost)


def test_golden_session_splits_into_input_and_output_cost() -> None:
    counts = {"input_tokens": 620_000, "output_tokens": 230_000}
    rating = rate(counts, two_prices("3", "15"))
    assert rating.price_version_id == 7
    assert (rating.input_cost, rating.output_cost) == (Decimal("1.86"), Decimal("3.45"))
    assert rating.cache_cost == 0


CACHING = price_of(
    token_price("input_tokens", "5"),
    token_price("output_tokens", "25"),
    token_price("cache_read_tokens", "0.5"),
    token_price("cache_write_tokens", "6.25"),
    token_price("cache_write_1h_tokens", "10"),
    MeterPrice("web_searches", Decimal(10), 1000),
)


def test_cached_tokens_are_taken_off_the_input_before_it_is_priced() -> None:
    counts = {
        "input_tokens": 2406,
        "output_tokens": 393,
        "cache_read_tokens": 1800,
        "cache_write_tokens": 556,
        "cache_write_1h_tokens": 100,
    }
    quantities = {charge.meter: charge.quantity for charge in charges(counts, CACHING)}
    assert quantities == {
        "input_tokens": 50,
        "output_tokens": 393,
        "cache_read_tokens": 1800,
        "cache_write_tokens": 456,
        "cache_write_1h_tokens": 100,
    }
    rating = rate(counts, CACHING)
    assert rating.cost == Decimal("0.014825")
    assert rating.input_cost == Decimal("0.005")
    assert rating.cache_cost == Decimal("0.00475")


def test_a_part_without_its_own_price_costs_what_its_whole_costs() -> None:
    counts = {"input_tokens": 100, "output_tokens": 50, "cache_read_tokens": 80}
    counts["reasoning_tokens"] = 40
    assert rate(counts, two_prices("3", "15")).cost == Decimal("0.00105")


def test_one_hour_writes_without_their_own_price_cost_what_writes_cost() -> None:
    price = price_of(token_price("input_tokens", "4"), token_price("cache_write_tokens", "5"))
    counts = {"input_tokens": 10, "cache_write_tokens": 10, "cache_write_1h_tokens": 6}
    assert rate(counts, price).cost == Decimal("0.00005")


def test_searches_count_in_the_cost_but_on_neither_side() -> None:
    rating = rate({"input_tokens": 0, "output_tokens": 0, "web_searches": 2}, CACHING)
    assert rating.cost == Decimal("0.02")
    assert rating.input_cost == rating.output_cost == 0


TIERED = price_of(
    token_price("input_tokens", "3", (200_000, "6")),
    token_price("output_tokens", "15", (200_000, "22.5")),
)


def test_at_the_tier_boundary_the_lower_price_still_holds() -> None:
    counts = {"input_tokens": 200_000, "output_tokens": 1000}
    assert rate(counts, TIERED).cost == Decimal("0.615")


def test_one_token_above_the_boundary_every_token_costs_the_higher_price() -> None:
    counts = {"input_tokens": 200_001, "output_tokens": 1000}
    assert rate(counts, TIERED).cost == Decimal("1.222506")


def test_each_meter_follows_its_own_tiers() -> None:
    price = price_of(
        token_price("input_tokens", "1", (100, "2"), (200, "3")),
        token_price("output_tokens", "10", (150, "20")),
    )
    costs = {}
    for total in (100, 101, 151, 201):
        rating = rate({"input_tokens": total, "output_tokens": MILLION}, price)
        costs[total] = (rating.input_cost * MILLION / total, rating.output_cost)
    assert costs == {
        total: (Decimal(unit_in), Decimal(unit_out))
        for total, unit_in, unit_out in ((100, 1, 10), (101, 2, 10), (151, 2, 20), (201, 3, 20))
    }


def test_audio_read_from_the_cache_is_charged_once() -> None:
    price = price_of(
        token_price("input_tokens", "1"),
        token_price("cache_read_tokens", "0.1"),
        token_price("input_audio_tokens", "8"),
    )
    counts = {
        "input_tokens": 1000,
        "cache_read_tokens": 600,
        "input_audio_tokens": 500,
        "cache_audio_read_tokens": 300,
    }
    quantities = {charge.meter: charge.quantity for charge in charges(counts, price)}
    assert quantities == {
        "cache_audio_read_tokens": 300,
        "cache_read_tokens": 300,
        "input_audio_tokens": 200,
        "input_tokens": 200,
    }


def test_half_a_unit_of_the_tenth_decimal_rounds_up() -> None:
    assert rate({"input_tokens": 1}, two_prices("0.00005", "1")).cost == Decimal("1E-10")
    assert rate({"input_tokens": 1}, two_prices("0.0000499999", "1")).cost == 0


def test_a_narrow_decimal_context_of_the_caller_changes_nothing() -> None:
    counts = {"input_tokens": 123_456_789, "output_tokens": 987_654_321}
    with localcontext(prec=3):
        narrow = rate(counts, two_prices("3.1234567891", "15.9876543219"))
    assert narrow == rate(counts, two_prices("3.1234567891", "15.9876543219"))


def test_fractional_seconds_are_charged_exactly() -> None:
    price = price_of(MeterPrice("input_audio_seconds", Decimal("0.36"), 3600))
    assert rate({"input_audio_seconds": Decimal("2.5")}, price).cost == Decimal("0.00025")


def test_a_price_per_request_counts_one_request_unless_nothing_was_counted() -> None:
    price = price_of(token_price("input_tokens", "1"), MeterPrice("requests", Decimal(5), 1000))
    assert rate({"input_tokens": 1_000_000}, price).cost == Decimal("1.005")
    assert rate({"input_tokens": 0}, price).cost == 0
    assert rate({"input_tokens": 0, "requests": 3}, price).cost == Decimal("0.015")


def test_meters_priced_nowhere_are_named() -> None:
    price = price_of(token_price("input_tokens", "1"))
    counts = {"input_tokens": 5, "cache_read_tokens": 2, "output_tokens": 4, "web_searches": 0}
    assert unpriced_meters(counts, price) == ("output_tokens",)


def test_a_zero_cost_has_ten_decimals_too() -> None:
    assert str(rate({}, CACHING).cost) == "0E-10"


unit_prices = st.decimals(min_value=0, max_value=1000, places=10)
tokens = st.integers(min_value=0, max_value=10**9)


@st.composite
def priced_usage(draw: st.DrawFn) -> tuple[dict[str, int | Decimal], Sequence[MeterPrice]]:
    read, short, long, plain = (draw(tokens) for _ in range(4))
    reasoning, answer = draw(tokens), draw(tokens)
    counts: dict[str, int | Decimal] = {
        "input_tokens": read + short + long + plain,
        "cache_read_tokens": read,
        "cache_write_tokens": short + long,
        "cache_write_1h_tokens": long,
        "output_tokens": reasoning + answer,
        "reasoning_tokens": reasoning,
    }
    priced = draw(st.sets(st.sampled_from(sorted(counts)))) | {"input_tokens", "output_tokens"}
    return counts, [MeterPrice(meter, draw(unit_prices), MILLION) for meter in sorted(priced)]


@given(priced_usage())
def test_charges_add_up_to_the_cost_and_its_split(
    usage: tuple[dict[str, int | Decimal], Sequence[MeterPrice]],
) -> None:
    counts, prices = usage
    price = price_of(*prices)
    rating, items = rate(counts, price), charges(counts, price)
    assert rating.cost == sum(item.amount for item in items)
    assert rating.input_cost == sum(item.amount for item in items if item.side == "input")
    assert rating.output_cost == sum(item.amount for item in items if item.side == "output")
    assert rating.cache_cost == sum(item.amount for item in items if "cache" in item.meter)


@given(priced_usage())
def test_charged_quantities_add_up_to_the_wholes(
    usage: tuple[dict[str, int | Decimal], Sequence[MeterPrice]],
) -> None:
    counts, prices = usage
    assert parts_larger_than_whole(counts) is None
    items = charges(counts, price_of(*prices))
    for side, whole in (("input", "input_tokens"), ("output", "output_tokens")):
        assert sum(item.quantity for item in items if item.side == side) == counts[whole]


@given(priced_usage())
def test_every_amount_is_the_exact_product_rounded_half_up(
    usage: tuple[dict[str, int | Decimal], Sequence[MeterPrice]],
) -> None:
    counts, prices = usage
    for item in charges(counts, price_of(*prices)):
        exact = Fraction(item.unit_price) * Fraction(item.quantity) / item.per * 10**10
        assert Fraction(item.amount) * 10**10 == (exact + Fraction(1, 2)) // 1
        assert item.amount.as_tuple().exponent == -10


@given(priced_usage(), unit_prices)
def test_a_higher_price_never_makes_usage_cheaper(
    usage: tuple[dict[str, int | Decimal], Sequence[MeterPrice]], rise: Decimal
) -> None:
    counts, prices = usage
    before = rate(counts, price_of(*prices)).cost
    for index, item in enumerate(prices):
        dearer = list(prices)
        dearer[index] = item._replace(unit_price=item.unit_price + rise)
        assert rate(counts, price_of(*dearer)).cost >= before


def test_every_meter_is_part_of_its_parent() -> None:
    for meter in METERS.values():
        assert meter.parent is None or meter.parent in meter.wholes
