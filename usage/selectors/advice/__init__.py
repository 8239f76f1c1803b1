"""Advice: what to do about cost, computed from what was used, with the money it would have saved.

Each rule is a pure function of its own module; what they look at is read in `reading`.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import chain

from usage.selectors.access import Viewer
from usage.selectors.advice.caching import low_cache_rates
from usage.selectors.advice.failures import failed_calls, retried_runs
from usage.selectors.advice.models import cheaper_models
from usage.selectors.advice.reading import FILTERS, Period, check_filters, prices_at
from usage.selectors.advice.sessions import dear_sessions
from usage.selectors.advice.values import Advice
from usage.selectors.periods import bounds_of

__all__ = ["FILTERS", "Advice", "advise"]

MAX_ADVICE = 50


def advise(
    viewer: Viewer,
    *,
    start: date | datetime,
    end: date | datetime,
    time_zone: str,
    filters: Mapping[str, Collection[str]] | None = None,
) -> list[Advice]:
    """What would have saved money from `start` (inclusive) to `end` (exclusive), most first.

    Savings are in the ledger currency; they may overlap, so they do not add up. `filters` are
    those of FILTERS. Raises QuestionError for a question that makes no sense.
    """
    filters = filters or {}
    check_filters(filters)
    period = Period(viewer, bounds_of(start, end, time_zone), filters)
    uses = period.cache_uses()
    spend: dict[str, Decimal] = defaultdict(Decimal)
    for use in uses:
        spend[use.organization] += use.counts.cost
    price_of = prices_at(period.bounds.end - timedelta(microseconds=1))
    peers = period.cache_uses(of_peers=True) if filters else uses
    found = chain(
        dear_sessions(period.sessions(), spend),
        low_cache_rates(uses, peers, price_of, spend),
        cheaper_models(period.uses(), price_of, spend),
        retried_runs(period.failed_runs(), spend),
        failed_calls(period.failed_calls(), spend),
    )
    return sorted(found, key=lambda advice: (-advice.saving, advice.code, advice.title))[
        :MAX_ADVICE
    ]
