"""Reads of exchange rates, cached per process and revision of the price tables.

A rate holds from its day (UTC) until the next day that has one; of several rates recorded for one
day the last holds.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from threading import RLock
from typing import NamedTuple, TypeAlias

from django.db.models import QuerySet

from pricing.compiled import EXACT
from pricing.models import ExchangeRate
from pricing.models.exchange import RATE_DECIMALS
from pricing.revision import current_revision

PREFERRED = "EUR"
"""The currency that two others are converted across when both have a rate to it."""

_ONE = Decimal(1)
_LAST_PLACE = Decimal(1).scaleb(-RATE_DECIMALS)
_Leg: TypeAlias = tuple[Decimal, Decimal]


class _History(NamedTuple):
    """The rates of one pair as recorded, by day, ascending."""

    days: list[date]
    rates: list[Decimal]

    def on(self, day: date) -> Decimal | None:
        position = bisect_right(self.days, day)
        return self.rates[position - 1] if position else None


class ExchangeRates:
    """The exchange rates of one revision. Thread-safe; reads a pair's rates when first asked."""

    def __init__(self) -> None:
        self._lock = RLock()
        self._partners: dict[str, set[str]] | None = None
        self._recorded: set[tuple[str, str]] = set()
        self._histories: dict[tuple[str, str], _History] = {}

    def on(self, base: str, quote: str, day: date) -> Decimal | None:
        """What one `base` buys of `quote` on `day`, with 12 decimals, rounded half up once.

        The latest rate recorded for that day or an earlier one: of the pair, else the inverse of
        the reversed pair, else across a currency that both have rates to. None without any.
        """
        if base == quote:
            return _ONE
        for legs in self._routes(base, quote):
            found = [self._leg(*leg, day) for leg in legs]
            known = [leg for leg in found if leg is not None]
            if len(known) == len(found):
                return _product(known)
        return None

    def first_day(self, base: str, quote: str) -> date | None:
        """The first day on which one converts to the other, None when they never do.

        The same currency converts on every day, which `date.min` stands for.
        """
        if base == quote:
            return date.min
        starts = []
        for legs in self._routes(base, quote):
            firsts = [self._leg_start(*leg) for leg in legs]
            known = [first for first in firsts if first is not None]
            if len(known) == len(firsts):
                starts.append(max(known))
        return min(starts, default=None)

    def currencies(self, base: str) -> list[str]:
        """The currencies that `base` converts to on some day, ascending, without itself."""
        partners = self._pairs()
        near = partners.get(base, set())
        far = {other for currency in near for other in partners[currency]}
        return sorted((near | far) - {base})

    def _routes(self, base: str, quote: str) -> Iterator[tuple[tuple[str, str], ...]]:
        partners = self._pairs()
        ours, theirs = partners.get(base, set()), partners.get(quote, set())
        if quote in ours:
            yield ((base, quote),)
        for across in sorted(ours & theirs, key=lambda name: (name != PREFERRED, name)):
            yield (base, across), (across, quote)

    def _leg(self, base: str, quote: str, day: date) -> _Leg | None:
        """The rate as a numerator and a denominator."""
        rate = self._history(base, quote).on(day)
        if rate is not None:
            return rate, _ONE
        rate = self._history(quote, base).on(day)
        return None if rate is None else (_ONE, rate)

    def _leg_start(self, base: str, quote: str) -> date | None:
        both = (self._history(base, quote), self._history(quote, base))
        return min((history.days[0] for history in both if history.days), default=None)

    def _pairs(self) -> dict[str, set[str]]:
        with self._lock:
            if self._partners is None:
                self._partners = defaultdict(set)
                pairs = ExchangeRate.objects.order_by().values_list("base", "quote").distinct()
                for base, quote in pairs:
                    self._recorded.add((base, quote))
                    self._partners[base].add(quote)
                    self._partners[quote].add(base)
            return self._partners

    def _history(self, base: str, quote: str) -> _History:
        with self._lock:
            self._pairs()
            if (base, quote) not in self._recorded:
                return _History([], [])
            known = self._histories.get((base, quote))
            if known is None:
                rows = ExchangeRate.objects.filter(base=base, quote=quote).order_by("day", "id")
                by_day = dict(rows.values_list("day", "rate"))
                known = _History(list(by_day), list(by_day.values()))
                self._histories[base, quote] = known
            return known


def _product(legs: list[_Leg]) -> Decimal | None:
    numerator = denominator = _ONE
    for above, below in legs:
        numerator = EXACT.multiply(numerator, above)
        denominator = EXACT.multiply(denominator, below)
    rate = EXACT.divide(numerator, denominator).quantize(_LAST_PLACE, context=EXACT)
    return rate or None


class _Shelf:
    """Where the process keeps the rates of the revision it saw last."""

    lock = RLock()
    revision = -1
    rates = ExchangeRates()


def rates_of(revision: int) -> ExchangeRates:
    """The process's exchange rates of `revision`, which its caller has just read."""
    with _Shelf.lock:
        if _Shelf.revision != revision:
            _Shelf.revision, _Shelf.rates = revision, ExchangeRates()
        return _Shelf.rates


def current_rates() -> ExchangeRates:
    """The exchange rates of the database's present revision: one small query."""
    return rates_of(current_revision())


def exchange_rate(base: str, quote: str, day: date) -> Decimal | None:
    """What one `base` buys of `quote` on `day` (UTC), or None; see `ExchangeRates.on`."""
    return current_rates().on(base, quote, day)


def recorded_rates(*, base: str = "", quote: str = "") -> QuerySet[ExchangeRate]:
    """The rates as recorded, the latest day and for one day the holding one first.

    `base` and `quote` are ISO 4217 codes; empty means any.
    """
    rates = ExchangeRate.objects.order_by("-day", "base", "quote", "-id")
    if base:
        rates = rates.filter(base=base)
    return rates.filter(quote=quote) if quote else rates
