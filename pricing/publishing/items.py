"""Prices as somebody states them, and the rules they must keep."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from pricing.directory import GATEWAY
from pricing.models import PriceVersion
from pricing.rating import DECIMALS

MAX_TIERS = 20
_MILLION = 1_000_000
_LARGEST_PER = 2**31 - 1
_LARGEST_BOUND = 2**63 - 1
_LARGEST_PRICE = Decimal(10) ** 10
_METER = re.compile(r"[a-z][a-z0-9_]{0,59}")
_CURRENCY = re.compile(r"[A-Z]{3}")
_NAMES = (("provider", 100), ("model", 200))
_LONGEST_REASON = 2000
_TIERS = frozenset(PriceVersion.ServiceTier.values)
_FIRST_YEAR, _LAST_YEAR = 1970, 2199


@dataclass(frozen=True, slots=True)
class PriceItem:
    """What `per` units of a meter of a model cost from `effective_from`, inclusive.

    `effective_from` is aware; None means now, or always for the first price of a model. `tiers`
    are `(above, unit_price)`, ascending: cliffs on the total input, or steps of the meter itself
    when `graduated`. An empty `reason` leaves that of the whole change.
    """

    provider: str
    model: str
    meter: str
    unit_price: Decimal
    currency: str
    per: int = _MILLION
    service_tier: str = "standard"
    effective_from: datetime | None = None
    tiers: tuple[tuple[int, Decimal], ...] = ()
    graduated: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True)
class PriceFault:
    """What is wrong with a field: `code` for programs, `message` for people."""

    field: str
    code: str
    message: str
    index: int | None = None


class PriceError(ValueError):
    """Prices or names that cannot be set; nothing was stored."""

    def __init__(self, *faults: PriceFault) -> None:
        """Keep all `faults`; the first one is what `str` says."""
        first = faults[0]
        place = "" if first.index is None else f"prices[{first.index}]."
        super().__init__(f"{place}{first.field}: {first.message}")
        self.faults = faults


def check_items(items: Sequence[PriceItem]) -> None:
    """Raise PriceError naming every item and rule broken."""
    faults = [
        replace(fault, index=index) for index, item in enumerate(items) for fault in _faults(item)
    ]
    if not items:
        faults = [PriceFault("prices", "empty", "Name at least one price.")]
    if faults:
        raise PriceError(*faults)


def _faults(item: PriceItem) -> Iterator[PriceFault]:
    for name, most in _NAMES:
        text = getattr(item, name).strip()
        if not 0 < len(text) <= most or not text.isprintable():
            yield PriceFault(name, "invalid", f"A {name} has 1 to {most} printable characters.")
    if item.provider.strip().lower() == GATEWAY:
        message = f"{GATEWAY} passes calls on; name the provider that bills for them."
        yield PriceFault("provider", "gateway", message)
    if not _METER.fullmatch(item.meter):
        message = "A meter is named in a-z, 0-9 and _, up to 60 of them, a letter first."
        yield PriceFault("meter", "invalid", message)
    if not _CURRENCY.fullmatch(item.currency):
        yield PriceFault("currency", "invalid", "A currency is three capitals, as in USD.")
    if item.service_tier not in _TIERS:
        message = f"{item.service_tier!r} is none of {', '.join(PriceVersion.ServiceTier.values)}."
        yield PriceFault("service_tier", "unknown", message)
    if not 0 < item.per <= _LARGEST_PER:
        yield PriceFault("per", "out_of_range", f"per is a number from 1 to {_LARGEST_PER}.")
    if len(item.reason) > _LONGEST_REASON or not "".join(item.reason.split()).isprintable():
        message = f"A reason has up to {_LONGEST_REASON} printable characters."
        yield PriceFault("reason", "invalid", message)
    yield from _amount_faults("unit_price", item.unit_price)
    yield from _tier_faults(item)
    yield from _time_faults(item.effective_from)


def _amount_faults(field: str, amount: Decimal) -> Iterator[PriceFault]:
    if not amount.is_finite():
        yield PriceFault(field, "invalid", "A price is a finite number.")
    elif amount < 0:
        yield PriceFault(field, "negative", "A price is not negative.")
    elif amount >= _LARGEST_PRICE:
        yield PriceFault(field, "out_of_range", f"A price is below {_LARGEST_PRICE}.")
    elif _decimals(amount) > DECIMALS:
        message = f"A price has at most {DECIMALS} decimals; state it for more units with per."
        yield PriceFault(field, "too_precise", message)


def _decimals(amount: Decimal) -> int:
    _, digits, exponent = amount.as_tuple()
    written = len(digits) - len("".join(map(str, digits)).rstrip("0"))
    return 0 if amount == 0 else -int(exponent) - written


def _tier_faults(item: PriceItem) -> Iterator[PriceFault]:
    bounds = [above for above, _ in item.tiers]
    if bounds != sorted(set(bounds)) or any(not 0 < bound <= _LARGEST_BOUND for bound in bounds):
        yield PriceFault("tiers", "not_ascending", "Tiers start above 0 and ascend.")
    if len(bounds) > MAX_TIERS:
        yield PriceFault("tiers", "too_many", f"A price has at most {MAX_TIERS} tiers.")
    if item.graduated and not bounds:
        yield PriceFault("graduated", "no_tiers", "Only a price with tiers is graduated.")
    for _, amount in item.tiers:
        yield from _amount_faults("tiers", amount)


def _time_faults(at: datetime | None) -> Iterator[PriceFault]:
    if at is None:
        return
    if at.utcoffset() is None:
        message = "A time needs an offset, as in 2026-11-01T00:00:00+01:00."
        yield PriceFault("effective_from", "naive", message)
    elif not _FIRST_YEAR <= at.year <= _LAST_YEAR:
        message = f"The year lies between {_FIRST_YEAR} and {_LAST_YEAR}."
        yield PriceFault("effective_from", "out_of_range", message)
