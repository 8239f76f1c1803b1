"""Prices for rating, made without a database."""

from decimal import Decimal

from pricing.rating import MeterPrice, PriceValue, compile_price

MILLION = 1_000_000


def price_of(*prices: MeterPrice) -> PriceValue:
    return compile_price(
        price_version_id=7,
        provider="p",
        model="m",
        service_tier="standard",
        currency="USD",
        prices=prices,
    )


def token_price(
    meter: str, unit_price: str, *tiers: tuple[int, str], graduated: bool = False
) -> MeterPrice:
    steps = tuple((above, Decimal(unit)) for above, unit in tiers)
    return MeterPrice(meter, Decimal(unit_price), MILLION, steps, graduated)
