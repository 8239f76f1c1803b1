"""The prices of one model and service tier on one card along time, and how they differ. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from pricing.rating import MeterPrice
from pricing.selectors import StoredVersion, is_far, rise


@dataclass(slots=True)
class Stretch:
    """Prices from `start` until before `end`; `version_id` is None until they are stored."""

    start: datetime
    end: datetime | None
    currency: str
    prices: tuple[MeterPrice, ...]
    version_id: int | None = None


class MeterDiff(NamedTuple):
    """A meter's price before and after, None where it had or has none."""

    meter: str
    old: MeterPrice | None
    new: MeterPrice | None
    old_currency: str
    currency: str

    @property
    def percent(self) -> Decimal | None:
        """By how much the price rises; None where nothing can be compared."""
        if self.new is None or self.old_currency != self.currency:
            return None
        return rise(self.old, self.new)

    @property
    def is_far(self) -> bool:
        """Whether the price is more than ten times off, or begins or ceases to be free."""
        if self.old is None or self.new is None or self.old_currency != self.currency:
            return False
        if not self.old.unit_price:
            return bool(self.new.unit_price)
        return is_far(rise(self.old, self.new))

    @property
    def as_text(self) -> str:
        """Such as "from 3 to 4 per 1,000,000"."""
        return f"from {_plain(self.old)} to {_plain(self.new)}"


class Timeline:
    """What holds on one card when; new stretches end the ones they begin in."""

    def __init__(self) -> None:
        self._stretches: list[Stretch] = []
        self.ends: dict[int, datetime] = {}

    def add_stored(self, version: StoredVersion) -> None:
        """Put a stored version on the line."""
        start, end = version.effective_from, version.effective_to
        self._stretches.append(Stretch(start, end, version.currency, version.prices, version.id))

    def running(self, at: datetime) -> Stretch | None:
        """What holds at `at`."""
        return next(
            (s for s in self._stretches if s.start <= at and (s.end is None or at < s.end)), None
        )

    def insert(self, at: datetime, currency: str, prices: tuple[MeterPrice, ...]) -> Stretch:
        """Let `prices` hold from `at` until the next planned stretch, which stays."""
        running = self.running(at)
        if running is not None:
            running.end = at
            if running.version_id is not None:
                self.ends[running.version_id] = at
        later = (stretch.start for stretch in self._stretches if stretch.start > at)
        stretch = Stretch(at, min(later, default=None), currency, prices)
        self._stretches.append(stretch)
        return stretch


def differences(
    before: Stretch | None, currency: str, prices: Iterable[MeterPrice]
) -> tuple[MeterDiff, ...]:
    """The meters whose price is another one than `before`, by name."""
    old = {price.meter: price for price in before.prices} if before else {}
    new = {price.meter: price for price in prices}
    old_currency = before.currency if before else currency
    return tuple(
        MeterDiff(meter, old.get(meter), new.get(meter), old_currency, currency)
        for meter in sorted(old.keys() | new.keys())
        if old_currency != currency or not _same(old.get(meter), new.get(meter))
    )


def same_prices(some: Iterable[MeterPrice], others: Iterable[MeterPrice]) -> bool:
    """Whether both say the same, however many units they state it for."""
    return {_meaning(price) for price in some} == {_meaning(price) for price in others}


def _same(old: MeterPrice | None, new: MeterPrice | None) -> bool:
    return old is not None and new is not None and _meaning(old) == _meaning(new)


def _meaning(price: MeterPrice) -> object:
    tiers = tuple((above, Fraction(unit) / price.per) for above, unit in price.tiers)
    return price.meter, Fraction(price.unit_price) / price.per, tiers, price.graduated


def _plain(price: MeterPrice | None) -> str:
    return "nothing" if price is None else f"{price.unit_price.normalize():f} per {price.per:,}"
