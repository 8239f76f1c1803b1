"""Lists of the prices in force at one time."""

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, TypeAlias

from django.db.models import Q, QuerySet

from pricing.models import PriceVersion, RateCard
from pricing.rating import MeterPrice
from pricing.selectors.filters import PriceFilters
from pricing.selectors.versions import StoredVersion, live_versions, stored_versions

Place: TypeAlias = tuple[str, str, str, int, int]
"""Provider, model, service tier, version id and which of its prices: where a row stands."""


class CardFacts(NamedTuple):
    """What a list tells of a version besides its prices."""

    rate_card: str
    kind: str
    origin: str
    source_version: str
    reason: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ListedPrice:
    """One meter's price with the version it belongs to."""

    place: Place
    version: StoredVersion
    price: MeterPrice
    facts: CardFacts


@dataclass(frozen=True, slots=True)
class PriceQuestion:
    """Which prices to list: in force at `at` (any time of day), on `cards`.

    `filters` are those of `PriceFilters` by name, empty ones left aside. A page starts after
    `after` or ends before `before`.
    """

    at: datetime
    cards: QuerySet[RateCard]
    filters: Mapping[str, str] = field(default_factory=dict)
    limit: int = 10_000
    after: Place | None = None
    before: Place | None = None


@dataclass(frozen=True, slots=True)
class PricePage:
    """Rows of a list by place; `following` and `preceding` continue it, None at its ends."""

    rows: Sequence[ListedPrice]
    following: Place | None
    preceding: Place | None


def list_prices(question: PriceQuestion) -> PricePage:
    """A page of the list: by provider, model, service tier, and version."""
    rows = list(_rows(question))
    places = [place for place, *_ in rows]
    first, last = 0, len(rows)
    if question.before is not None:
        last = bisect_left(places, question.before)
        first = max(last - question.limit, 0)
    else:
        if question.after is not None:
            first = bisect_right(places, question.after)
        last = min(first + question.limit, len(rows))
    page = rows[first:last]
    # Read after the versions themselves, of which others may have been made meanwhile.
    facts = _facts({version.id for _, version, _ in page})
    return PricePage(
        rows=[ListedPrice(*row, facts[row[1].id]) for row in page],
        following=page[-1][0] if page and last < len(rows) else None,
        preceding=page[0][0] if page and first > 0 else None,
    )


def _rows(question: PriceQuestion) -> Iterator[tuple[Place, StoredVersion, MeterPrice]]:
    for version in _sorted(stored_versions(_in_force(question))):
        for number, price in enumerate(version.prices):
            place = (version.provider, version.model, version.service_tier, version.id, number)
            yield place, version, price


def _facts(version_ids: Collection[int]) -> dict[int, CardFacts]:
    rows = PriceVersion.objects.filter(pk__in=version_ids).values_list(
        "id", "rate_card__name", "rate_card__kind", "origin", "source_version", "reason",
        "created_at",
    )  # fmt: skip
    return {row[0]: CardFacts(*row[1:]) for row in rows}


def _in_force(question: PriceQuestion) -> QuerySet[PriceVersion]:
    versions = live_versions().filter(
        Q(effective_to__isnull=True) | Q(effective_to__gt=question.at),
        effective_from__lte=question.at,
        rate_card__in=question.cards,
    )
    passing: QuerySet[PriceVersion] = PriceFilters(question.filters, versions).qs
    return passing


def _sorted(versions: list[StoredVersion]) -> list[StoredVersion]:
    return sorted(versions, key=lambda v: (v.provider, v.model, v.service_tier, v.id))
