"""What a newer catalogue changes in the prices already stored for one model and tier. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import NamedTuple

from pricing.catalogue.listing import ListedPeriod
from pricing.models.rates import BEGINNING
from pricing.selectors import StoredVersion

_NEVER = datetime.max.replace(tzinfo=UTC)


class Changes(NamedTuple):
    """Versions to end (id → time, exclusive) and periods to append."""

    ends: dict[int, datetime]
    additions: list[ListedPeriod]

    def __bool__(self) -> bool:
        return bool(self.ends or self.additions)


def changes(
    stored: Sequence[StoredVersion], listed: Sequence[ListedPeriod], now: datetime
) -> Changes:
    """Turn the stored prices of a model and tier into the listed ones.

    A listed price with a start date holds from that date on, even when it is past. One without a
    date that reads differently changed at some unknown time: it holds from `now`, and what was
    rated before stays as it was. From the first moment at which they differ the listed prices
    replace the stored ones.
    """
    dated = min((one.effective_from for one in listed if _is_dated(one)), default=_NEVER)
    binding = min(now, dated)
    items: list[StoredVersion | ListedPeriod] = [*stored, *listed]
    moments = {item.effective_from for item in items}
    moments |= {item.effective_to for item in items if item.effective_to is not None}
    moments.add(binding)
    cut = next(
        (
            at
            for at in sorted(moments)
            if at >= binding and _holding(stored, at) != _holding(listed, at)
        ),
        None,
    )
    if cut is None:
        return Changes({}, [])
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


def _is_dated(period: ListedPeriod) -> bool:
    return period.effective_from > BEGINNING


def _holding(items: Iterable[StoredVersion | ListedPeriod], at: datetime) -> set[object]:
    return {
        (item.utc_from, item.utc_until, item.prices)
        for item in items
        if item.effective_from <= at and (item.effective_to is None or at < item.effective_to)
    }
