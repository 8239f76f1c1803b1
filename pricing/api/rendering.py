"""Listed prices as JSON: amounts are decimal strings, always per 1,000,000 units."""

from collections.abc import Iterator
from decimal import MAX_EMAX, MIN_EMIN, ROUND_HALF_UP, Context, Decimal
from fractions import Fraction
from typing import Any

from pricing.models.rates import BEGINNING
from pricing.rating import DECIMALS, MeterPrice
from pricing.selectors import ListedPrice, PricePage

MILLION = 1_000_000
_EXACT = Context(prec=100, Emax=MAX_EMAX, Emin=MIN_EMIN, rounding=ROUND_HALF_UP)
_LAST_PLACE = Decimal(1).scaleb(-DECIMALS)


def per_million(unit_price: Decimal, per: int) -> Decimal:
    """The price of 1,000,000 units: exact, or to 10 decimals (half up) where it does not end."""
    exact = Fraction(unit_price) * MILLION / per
    rest = exact.denominator
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    amount = _EXACT.divide(Decimal(exact.numerator), Decimal(exact.denominator))
    if rest != 1:
        amount = amount.quantize(_LAST_PLACE, context=_EXACT)
    return amount


def page_as_json(page: PricePage) -> Iterator[dict[str, Any]]:
    """The rows of a page."""
    return (price_as_json(row) for row in page.rows)


def price_as_json(row: ListedPrice) -> dict[str, Any]:
    """One price; `stated` is what somebody wrote down, where that is not per 1,000,000."""
    version, price, facts = row.version, row.price, row.facts
    return {
        "provider": version.provider,
        "model": version.model,
        "meter": price.meter,
        "unit_price": _text(per_million(price.unit_price, price.per)),
        "per": MILLION,
        "currency": version.currency,
        "service_tier": version.service_tier,
        "rate_card": facts.rate_card,
        "rate_card_kind": facts.kind,
        "effective_from": None if version.effective_from == BEGINNING else version.effective_from,
        "effective_to": version.effective_to,
        "utc_from": version.utc_from,
        "utc_until": version.utc_until,
        "tiers": [
            {"above": above, "unit_price": _text(per_million(unit_price, price.per))}
            for above, unit_price in price.tiers
        ],
        "graduated": price.graduated,
        "stated": _stated(price),
        "origin": facts.origin,
        "source_version": facts.source_version or None,
        "reason": facts.reason or None,
        "version": version.id,
        "created_at": facts.created_at,
    }


def _stated(price: MeterPrice) -> dict[str, Any] | None:
    if price.per == MILLION:
        return None
    return {"unit_price": _text(price.unit_price), "per": price.per}


def _text(amount: Decimal) -> str:
    return f"{amount.normalize(_EXACT):f}"
