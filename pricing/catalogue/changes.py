"""What a newer catalogue changes in the prices already stored for one model and tier. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from pricing.catalogue.snapshot import BEGINNING, ListedPeriod
from pricing.selectors import StoredVersion


class Changes(NamedTuple):
    """Versions to end (id → time, exclusive) and periods to append."""

    ends: dict[int, datetime]
    additions: list[ListedPeriod]


def changes(
    stored: Sequence[StoredVersion], listed: Sequence[ListedPeriod], now: datetime
) -> Changes:
    """Turn the stored prices of a model and tier into the listed ones.

    From the first moment at which they differ the listed ones replace the stored ones. A price
    without a start date that reads differently today changed at some unknown time: the new one
    holds from `now`, and what was rated before stays as it was.
    """
    if not stored:
        return Changes({}, list(listed))
    items: list[StoredVersion | ListedPeriod] = [*stored, *listed]
    starts = {item.effective_from for item in items}
    ends = {item.effective_to for item in items if item.effective_to is not None}
    cut = next(
        (at for at in sorted(starts | ends) if _holding(stored, at) != _holding(listed, at)), None
    )
    if cut is None:
        return Changes({}, [])
    if cut == BEGINNING:
        cut = now
    return Changes(
        ends={
            version.id: max(version.effective_from, cut)
            for version in stored
            if version.effective_to is None or version.effective_to > cut
        },
        additions=[
            replace(period, effective_from=max(period.effective_from, cut))
            for period in listed
            if period.effective_to is None or period.effective_to > cut
        ],
    )


def _holding(items: Iterable[StoredVersion | ListedPeriod], at: datetime) -> set[object]:
    return {
        (item.utc_from, item.utc_until, item.prices)
        for item in items
        if item.effective_from <= at and (item.effective_to is None or at < item.effective_to)
    }
