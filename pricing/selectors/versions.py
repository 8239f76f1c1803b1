"""Stored price versions with all their prices, in one query however many they are."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, time
from decimal import Decimal
from itertools import groupby

from django.db.models import F, Q, QuerySet

from pricing.models import PriceVersion, RateCard
from pricing.rating import MeterPrice

CATALOGUE = "catalogue"
MANUAL = "manual"


@dataclass(frozen=True, slots=True)
class StoredVersion:
    """A price version with its prices; `effective_to` is exclusive, None while open."""

    prices: tuple[MeterPrice, ...]
    id: int
    rate_card_id: int
    currency: str
    model_id: int
    provider: str
    model: str
    service_tier: str
    utc_from: time | None
    utc_until: time | None
    effective_from: datetime
    effective_to: datetime | None


def named_card(name: str) -> RateCard:
    """The catalogue's or the manual rate card, made when missing."""
    kind = RateCard.Kind.MANUAL if name == MANUAL else RateCard.Kind.LIST
    return RateCard.objects.get_or_create(name=name, defaults={"kind": kind})[0]


def live_versions() -> QuerySet[PriceVersion]:
    """Versions that hold, held or will hold at some time: all but withdrawn ones."""
    return PriceVersion.objects.filter(
        Q(effective_to__isnull=True) | Q(effective_to__gt=F("effective_from"))
    )


def stored_versions(versions: QuerySet[PriceVersion]) -> list[StoredVersion]:
    """`versions` with all their prices, newest start first, in one query."""
    rows = versions.order_by(
        "-effective_from", "-id", "prices__id", "prices__tiers__above"
    ).values_list(
        "id",
        "rate_card_id",
        "currency",
        "model_id",
        "model__provider__slug",
        "model__name",
        "service_tier",
        "utc_from",
        "utc_until",
        "effective_from",
        "effective_to",
        "prices__meter",
        "prices__unit_price",
        "prices__per",
        "prices__graduated",
        "prices__tiers__above",
        "prices__tiers__unit_price",
    )
    return [
        StoredVersion(tuple(_prices(row[11:] for row in group)), *head)
        for head, group in groupby(rows.iterator(chunk_size=5000), key=lambda row: row[:11])
    ]


def _prices(
    rows: Iterable[tuple[str | None, Decimal, int, bool, int | None, Decimal]],
) -> Iterator[MeterPrice]:
    for (meter, unit_price, per, graduated), group in groupby(rows, key=lambda row: row[:4]):
        if meter is not None:
            tiers = tuple((above, price) for *_, above, price in group if above is not None)
            yield MeterPrice(meter, unit_price, per, tiers, graduated)
