"""Setting exchange rates: rows are appended, the record says who did it and from where."""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import NamedTuple, TypeAlias

from django.db import connection, transaction

from pricing.exchange_rates import exchange_rate
from pricing.models import PriceChange
from pricing.models.exchange import RATE_DECIMALS
from pricing.publishing import Provenance, record_change
from pricing.revision import begin_price_change

__all__ = ["DatedRate", "check_rate", "exchange_rate", "is_currency", "set_rates"]

FIRST_DAY = date(1970, 1, 1)
_BATCH = 50_000
_CODE = re.compile(r"[A-Z]{3}\Z")
_LIMIT = Decimal(10) ** 12
_Key: TypeAlias = tuple[str, str, date]

_KNOWN = """
SELECT DISTINCT ON (base, quote, day) base, quote, day, rate
FROM pricing_exchangerate WHERE day BETWEEN %s AND %s
ORDER BY base, quote, day, id DESC
"""
_APPEND = """
INSERT INTO pricing_exchangerate (base, quote, day, rate, origin, change_id)
SELECT base, quote, day, rate, %s, %s
FROM unnest(%s::text[], %s::text[], %s::date[], %s::numeric[]) AS given (base, quote, day, rate)
"""


class DatedRate(NamedTuple):
    """One `base` buys `rate` of `quote` from `day` (UTC) until the next day that has a rate."""

    base: str
    quote: str
    day: date
    rate: Decimal


def is_currency(text: str) -> bool:
    """Whether `text` has the form of an ISO 4217 code."""
    return _CODE.match(text) is not None


def check_rate(rate: DatedRate) -> DatedRate:
    """`rate` itself. Raises ValueError with the rule that it breaks."""
    for code in (rate.base, rate.quote):
        if not is_currency(code):
            raise ValueError(f"{code[:20]!r} is not a currency of three capital letters")
    if rate.base == rate.quote:
        raise ValueError(f"{rate.base} has no rate to itself")
    if rate.day < FIRST_DAY:
        raise ValueError(f"rates begin on {FIRST_DAY}")
    if not (rate.rate.is_finite() and 0 < rate.rate < _LIMIT):
        raise ValueError("a rate is more than 0 and less than 10^12")
    exponent = rate.rate.normalize().as_tuple().exponent
    if isinstance(exponent, int) and -exponent > RATE_DECIMALS:
        raise ValueError(f"a rate has at most {RATE_DECIMALS} decimals")
    return rate


@transaction.atomic
def set_rates(rates: Iterable[DatedRate], source: Provenance) -> PriceChange:
    """Append those of `rates` that differ from what holds for their very day.

    The change's `count` says how many did; of several for one day the last counts. Raises
    ValueError, and stores nothing, for one that `check_rate` refuses.
    """
    given: dict[_Key, Decimal] = {}
    for rate in rates:
        base, quote, day, amount = check_rate(rate)
        given[base, quote, day] = amount
    begin_price_change()
    known = _known(given)
    new = [(key, amount) for key, amount in given.items() if known.get(key) != amount]
    days = [day for (_, _, day), _ in new]
    change = record_change(
        PriceChange.Action.EXCHANGE,
        source,
        len(new),
        datetime.combine(min(days), time(), UTC) if days else None,
        _details(new),
    )
    for first in range(0, len(new), _BATCH):
        _append(new[first : first + _BATCH], source.origin, change)
    return change


def _known(given: dict[_Key, Decimal]) -> dict[_Key, Decimal]:
    if not given:
        return {}
    days = [day for _, _, day in given]
    with connection.cursor() as cursor:
        cursor.execute(_KNOWN, [min(days), max(days)])
        return {(base, quote, day): rate for base, quote, day, rate in cursor.fetchall()}


def _details(new: Sequence[tuple[_Key, Decimal]]) -> dict[str, object]:
    if not new:
        return {}
    days = [day for (_, _, day), _ in new]
    return {
        "currencies": sorted({code for key, _ in new for code in key[:2]}),
        "first_day": min(days).isoformat(),
        "last_day": max(days).isoformat(),
    }


def _append(batch: Sequence[tuple[_Key, Decimal]], origin: str, change: PriceChange) -> None:
    keys = [key for key, _ in batch]
    columns = [list(column) for column in zip(*keys, strict=True)]
    with connection.cursor() as cursor:
        cursor.execute(_APPEND, [origin, change.pk, *columns, [amount for _, amount in batch]])
