"""Prices that nobody should store unseen: far off the last one, or in the wrong unit. Pure."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from pricing.catalogue.listing import ListedPeriod
from pricing.meters import METERS
from pricing.models import PriceReview
from pricing.models.rates import BEGINNING
from pricing.rating import MeterPrice
from pricing.selectors import StoredVersion

FAR = 10
"""A price may become this many times the last one, or this part of it, without a review."""

UNIT_SLIP = 500
"""A factor from which on the unit is doubted: prices are told per token, per 1,000, per million."""

PLAUSIBLE: Mapping[str, tuple[Decimal, Decimal]] = {
    "input": (Decimal("0.0001"), Decimal(750)),
    "output": (Decimal("0.001"), Decimal(3000)),
}
"""Bounds of a token price by side, in USD per million, inclusive; zero is plausible too.

The catalogue of genai-prices 0.2.3 lists 0.0011 to 150 for input and 0.01 to 600 for output: the
bounds leave a factor of ten below and of five above.
"""

_MOST = Decimal(10) ** 10
"""Unit prices from here on do not fit their column."""

_SHOWN_MOST = Decimal(10) ** 20 - 1
_ENDLESS = Decimal("Infinity")


class Doubt(NamedTuple):
    """Why prices are refused: the worst of their faults; `known_price` is per `per` too.

    `known_price` is None where nothing was stored, `effective_from` where no date is listed.
    """

    fault: PriceReview.Fault
    meter: str
    known_price: Decimal | None
    listed_price: Decimal
    per: int
    effective_from: datetime | None


def doubt(
    stored: Sequence[StoredVersion], additions: Iterable[ListedPeriod], now: datetime
) -> Doubt | None:
    """The worst fault of what a source adds to the stored prices of a model and tier.

    `additions` are compared with the prices in force at `now`, else with the latest, window by
    window and at every bound of a context tier.
    """
    known = _last(stored, now)
    found = [fault for period in additions for fault in _doubts(period, known)]
    if not found:
        return None
    worst = max(found, key=lambda item: item[0])[1]
    undated = worst.effective_from in (BEGINNING, now)
    return worst._replace(effective_from=None) if undated else worst


def digest(periods: Iterable[ListedPeriod]) -> str:
    """A name for exactly these prices of a model and tier: 64 hexadecimal digits."""
    lines = sorted(
        f"{period.effective_from:%Y-%m-%d %H:%M}|{period.utc_from}|{period.utc_until}"
        f"|{price.meter}|{price.unit_price:f}|{price.per}"
        + "".join(f"|{above}:{unit_price:f}" for above, unit_price in price.tiers)
        for period in periods
        for price in period.prices
    )
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _last(stored: Sequence[StoredVersion], now: datetime) -> list[StoredVersion]:
    holding = [
        version
        for version in stored
        if version.effective_from <= now
        and (version.effective_to is None or now < version.effective_to)
    ]
    newest = max((version.effective_from for version in stored), default=None)
    return holding or [version for version in stored if version.effective_from == newest]


def _doubts(
    period: ListedPeriod, known: Sequence[StoredVersion]
) -> Iterator[tuple[Decimal, Doubt]]:
    window = period.utc_from, period.utc_until
    same = [version for version in known if (version.utc_from, version.utc_until) == window]
    for price in period.prices:
        rivals = [
            rival
            for version in same or known
            for rival in version.prices
            if rival.meter == price.meter
        ]
        for bound in _bounds(price, rivals):
            fault = _fault(price, _unit_price(price, bound), rivals, bound)
            if fault is not None:
                factor, kind, last = fault
                listed = min(_unit_price(price, bound), _SHOWN_MOST)
                start = period.effective_from
                yield factor, Doubt(kind, price.meter, last, listed, price.per, start)


def _fault(
    price: MeterPrice, listed: Decimal, rivals: Sequence[MeterPrice], bound: int
) -> tuple[Decimal, PriceReview.Fault, Decimal | None] | None:
    known = [_unit_price(rival, bound) * price.per / rival.per for rival in rivals]
    last = min(known, key=lambda one: _factor(one, listed), default=None)
    factor = Decimal(1) if last is None else _factor(last, listed)
    if not _is_plausible(price.meter, listed):
        return _ENDLESS, PriceReview.Fault.WRONG_UNIT, last
    if factor <= FAR:
        return None
    slipped = UNIT_SLIP <= factor < _ENDLESS
    return factor, PriceReview.Fault.WRONG_UNIT if slipped else PriceReview.Fault.TOO_FAR, last


def _factor(known: Decimal, listed: Decimal) -> Decimal:
    """How many times the one is the other, at least 1; endless to and from zero."""
    if known == listed:
        return Decimal(1)
    low, high = sorted((known, listed))
    return high / low if low else _ENDLESS


def _is_plausible(meter: str, listed: Decimal) -> bool:
    if listed >= _MOST:
        return False
    low, high = PLAUSIBLE.get(METERS[meter].side, (Decimal(0), _MOST))
    return not meter.endswith("_tokens") or listed == 0 or low <= listed <= high


def _bounds(price: MeterPrice, rivals: Iterable[MeterPrice]) -> list[int]:
    return sorted({0, *(above for one in (price, *rivals) for above, _ in one.tiers)})


def _unit_price(price: MeterPrice, bound: int) -> Decimal:
    """What a unit costs just beyond `bound` input tokens."""
    reached = [unit_price for above, unit_price in price.tiers if above <= bound]
    return reached[-1] if bound and reached else price.unit_price
