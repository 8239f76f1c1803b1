"""Rows of price versions and of the record of changes, as every stage writes them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any

from django.db import connection

from pricing.models import Price, PriceChange, PriceTier, PriceVersion, RateCard
from pricing.rating import MeterPrice, quantize

BATCH = 2000


@dataclass(frozen=True, slots=True)
class Period:
    """Prices of a model and service tier from `effective_from` until before `effective_to`."""

    model_id: int
    service_tier: str
    currency: str
    utc_from: time | None
    utc_until: time | None
    effective_from: datetime
    effective_to: datetime | None
    prices: tuple[MeterPrice, ...]


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where prices come from and who made them: kept with every version and in the record.

    `actor` is the API key, command or task where no user did it.
    """

    origin: str
    source_version: str = ""
    reason: str = ""
    created_by_id: int | None = None
    actor: str = ""


def record_change(
    action: PriceChange.Action,
    source: Provenance,
    count: int,
    holds_from: datetime | None = None,
    details: Mapping[str, Any] | None = None,
) -> PriceChange:
    """Enter a change in the record, in the transaction that makes it.

    Call after `begin_price_change`, so that numbers rise in the order of commits. `holds_from` is
    the earliest time for which a price is another one now.
    """
    return PriceChange.objects.create(
        action=action,
        made_by_id=source.created_by_id,
        actor=source.actor,
        origin=source.origin,
        source_version=source.source_version,
        reason=source.reason,
        count=count,
        holds_from=holds_from,
        details=dict(details or {}),
    )


def append_versions(
    card: RateCard, periods: Sequence[Period], source: Provenance, change: PriceChange
) -> None:
    """Store `periods` as new versions of `card`; the caller has ended those they replace.

    Call within a transaction, after `begin_price_change`. Raises IntegrityError when a period
    starts where another one does, or its prices are negative.
    """
    versions = PriceVersion.objects.bulk_create(
        (
            PriceVersion(
                rate_card=card,
                model_id=period.model_id,
                service_tier=period.service_tier,
                currency=period.currency,
                change=change,
                utc_from=period.utc_from,
                utc_until=period.utc_until,
                effective_from=period.effective_from,
                effective_to=period.effective_to,
                origin=source.origin,
                source_version=source.source_version,
                reason=source.reason,
                created_by_id=source.created_by_id,
            )
            for period in periods
        ),
        batch_size=BATCH,
    )
    wanted = [
        (version, price)
        for version, period in zip(versions, periods, strict=True)
        for price in period.prices
    ]
    stored = Price.objects.bulk_create(
        (
            Price(
                version=version,
                meter=price.meter,
                unit_price=quantize(price.unit_price),
                per=price.per,
                graduated=price.graduated,
            )
            for version, price in wanted
        ),
        batch_size=BATCH,
    )
    PriceTier.objects.bulk_create(
        (
            PriceTier(price=row, above=above, unit_price=quantize(unit_price))
            for row, (_, price) in zip(stored, wanted, strict=True)
            for above, unit_price in price.tiers
        ),
        batch_size=BATCH,
    )


def end_versions(ends: Mapping[int, datetime], change: PriceChange) -> None:
    """End versions (by id) at the given times, exclusive; at its own start one is withdrawn.

    Raises IntegrityError for an end later than the present one or earlier than the start.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE pricing_priceversion AS version SET effective_to = ending.at, ended_by_id = %s"
            " FROM unnest(%s::bigint[], %s::timestamptz[]) AS ending (id, at)"
            " WHERE version.id = ending.id",
            [change.pk, list(ends), list(ends.values())],
        )


def refresh_statistics() -> None:
    """Tell the query planner how full the price tables are, after a bulk change of them."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE pricing_priceversion, pricing_price, pricing_pricetier")
