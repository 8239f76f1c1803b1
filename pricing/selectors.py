"""Reads of price versions: for the price book, for syncing and for price lists."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, time
from decimal import Decimal
from itertools import groupby

from django.conf import settings
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
    """The catalogue's or the manual rate card, made with its usual settings when missing."""
    defaults = {"kind": RateCard.Kind.LIST, "currency": "USD"}
    if name == MANUAL:
        defaults = {"kind": RateCard.Kind.MANUAL, "currency": settings.TALLYMAN_CURRENCY}
    return RateCard.objects.get_or_create(name=name, defaults=defaults)[0]


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
        "rate_card__currency",
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
        "prices__tiers__above",
        "prices__tiers__unit_price",
    )
    return [
        StoredVersion(tuple(_prices(row[11:] for row in group)), *head)
        for head, group in groupby(rows.iterator(chunk_size=5000), key=lambda row: row[:11])
    ]


def _prices(
    rows: Iterable[tuple[str | None, Decimal, int, int | None, Decimal]],
) -> Iterator[MeterPrice]:
    for (meter, unit_price, per), group in groupby(rows, key=lambda row: row[:3]):
        if meter is not None:
            tiers = tuple((above, price) for *_, above, price in group if above is not None)
            yield MeterPrice(meter, unit_price, per, tiers)


def price_list(
    at: datetime, *, provider: str = "", model: str = "", rate_card: str = ""
) -> list[StoredVersion]:
    """Versions in force at `at` (any time of day), by provider, model and service tier.

    `provider` is a slug, `model` a part of a model's name, `rate_card` a card's name; empty means
    any.
    """
    versions = live_versions().filter(
        Q(effective_to__isnull=True) | Q(effective_to__gt=at), effective_from__lte=at
    )
    if provider:
        versions = versions.filter(model__provider__slug=provider.lower())
    if model:
        versions = versions.filter(model__name__icontains=model)
    if rate_card:
        versions = versions.filter(rate_card__name=rate_card)
    return sorted(
        stored_versions(versions),
        key=lambda version: (version.provider, version.model, version.service_tier),
    )
