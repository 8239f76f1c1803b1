from decimal import Decimal

import pytest

from pricing.rating import MeterPrice, charges, converted, rate
from tests.pricing.pricing_values import MILLION, price_of, token_price

DOLLARS = price_of(
    token_price("input_tokens", "3", (200_000, "6")),
    token_price("output_tokens", "15"),
)


@pytest.mark.parametrize(
    ("rate_of_day", "cost"),
    [
        ("1", "8.03"),
        ("0.920810313076", "7.3941068140"),
        ("0.925925925926", "7.4351851852"),
        ("0.000000000001", "0"),
    ],
)
def test_an_amount_is_the_product_with_the_rate_rounded_once(rate_of_day: str, cost: str) -> None:
    price = price_of(token_price("output_tokens", "8.03"))
    euros = converted(price, "EUR", Decimal(rate_of_day))
    assert rate({"output_tokens": MILLION}, euros).cost == Decimal(cost)


def test_each_charge_is_converted_and_they_sum_to_the_cost() -> None:
    euros = converted(DOLLARS, "EUR", Decimal("0.920810313076"))
    counts = {"input_tokens": 620, "output_tokens": 230}
    items = charges(counts, euros)
    # 0.00186 and 0.00345 dollars; the sum of the rounded charges, not the rounded sum.
    assert [item.amount for item in items] == [Decimal("0.0017127072"), Decimal("0.0031767956")]
    rating = rate(counts, euros)
    assert rating.cost == Decimal("0.0048895028")
    assert (rating.input_cost, rating.output_cost) == tuple(item.amount for item in items)


def test_a_converted_price_names_its_rate_and_keeps_unit_prices_in_their_own_currency() -> None:
    euros = converted(DOLLARS, "EUR", Decimal("0.5"))
    assert (euros.currency, euros.price_currency) == ("EUR", "USD")
    assert euros.exchange_rate == Decimal("0.5")
    assert (DOLLARS.currency, DOLLARS.price_currency, DOLLARS.exchange_rate) == ("USD", "USD", None)
    (charge,) = charges({"output_tokens": MILLION}, euros)
    assert (charge.unit_price, charge.per, charge.amount) == (Decimal(15), MILLION, Decimal("7.5"))


def test_every_tier_of_a_price_is_converted() -> None:
    euros = converted(DOLLARS, "EUR", Decimal("0.5"))
    assert rate({"input_tokens": 200_000}, euros).cost == Decimal("0.3")
    assert rate({"input_tokens": 200_001}, euros).cost == Decimal("0.600003")
    graduated = price_of(token_price("input_tokens", "4", (1000, "2"), graduated=True))
    halves = converted(graduated, "EUR", Decimal("0.5"))
    assert rate({"input_tokens": 1500}, halves).cost == Decimal("0.0025")


def test_fractions_of_a_unit_convert_with_one_rounding() -> None:
    price = price_of(MeterPrice("audio_seconds", Decimal("0.0000000001"), 1))
    euros = converted(price, "EUR", Decimal("0.4"))
    assert rate({"audio_seconds": Decimal("1.2")}, euros).cost == 0
    assert rate({"audio_seconds": Decimal("1.25")}, euros).cost == Decimal("1E-10")


@pytest.mark.parametrize("bad", ["0", "-1"])
def test_a_rate_is_positive(bad: str) -> None:
    with pytest.raises(ValueError, match="positive"):
        converted(DOLLARS, "EUR", Decimal(bad))


def test_a_price_is_converted_once() -> None:
    euros = converted(DOLLARS, "EUR", Decimal("0.5"))
    with pytest.raises(ValueError, match="once"):
        converted(euros, "GBP", Decimal("0.8"))
