"""Publishing prices: new versions are appended, the ones they replace end."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time

from django.db import connection, transaction

from pricing.models import AIModel, ModelAlias, Price, PriceTier, PriceVersion, Provider, RateCard
from pricing.rating import MeterPrice, quantize
from pricing.revision import begin_price_change
from pricing.selectors import live_versions

BATCH = 2000


@dataclass(frozen=True, slots=True)
class Period:
    """Prices of a model and service tier from `effective_from` until before `effective_to`."""

    model_id: int
    service_tier: str
    utc_from: time | None
    utc_until: time | None
    effective_from: datetime
    effective_to: datetime | None
    prices: tuple[MeterPrice, ...]


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where prices come from, as kept with every version."""

    origin: str
    source_version: str = ""
    reason: str = ""
    created_by_id: int | None = None


def append_versions(card: RateCard, periods: Sequence[Period], source: Provenance) -> None:
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
            Price(version=version, meter=meter, unit_price=quantize(unit_price), per=per)
            for version, (meter, unit_price, per, _) in wanted
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


def end_versions(ends: Mapping[int, datetime]) -> None:
    """End versions (by id) at the given times, exclusive; at its own start one is withdrawn.

    Raises IntegrityError for an end later than the present one or earlier than the start.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE pricing_priceversion AS version SET effective_to = ending.at"
            " FROM unnest(%s::bigint[], %s::timestamptz[]) AS ending (id, at)"
            " WHERE version.id = ending.id",
            [list(ends), list(ends.values())],
        )


def refresh_statistics() -> None:
    """Tell the query planner how full the price tables are, after a bulk change of them."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE pricing_priceversion, pricing_price, pricing_pricetier")


@transaction.atomic
def publish_price(
    *,
    rate_card: RateCard,
    provider: str,
    model: str,
    prices: Iterable[MeterPrice],
    effective_from: datetime,
    source: Provenance,
    service_tier: str = PriceVersion.ServiceTier.STANDARD,
) -> PriceVersion:
    """Append one version with all prices of a model (made if unknown) and return it.

    It holds from `effective_from`, inclusive, until the next version already planned on the card.
    Raises IntegrityError for a negative price.
    """
    begin_price_change()
    row = ensure_model(provider, model)
    rivals = live_versions().filter(rate_card=rate_card, model=row, service_tier=service_tier)
    running = rivals.filter(effective_from__lte=effective_from).exclude(
        effective_to__lte=effective_from
    )
    end_versions({version.pk: effective_from for version in running})
    following = rivals.filter(effective_from__gt=effective_from).order_by("effective_from").first()
    period = Period(
        model_id=row.pk,
        service_tier=service_tier,
        utc_from=None,
        utc_until=None,
        effective_from=effective_from,
        effective_to=following.effective_from if following else None,
        prices=tuple(prices),
    )
    append_versions(rate_card, [period], source)
    return live_versions().get(
        rate_card=rate_card, model=row, service_tier=service_tier, effective_from=effective_from
    )


def ensure_model(provider: str, model: str) -> AIModel:
    """The model of that exact name, made (with its provider) when missing."""
    vendor, _ = Provider.objects.get_or_create(
        slug=provider.strip().lower(), defaults={"name": provider.strip()}
    )
    row = AIModel.objects.filter(provider=vendor, name__iexact=model).first()
    if row is None:
        row = AIModel.objects.create(provider=vendor, name=model)
        ModelAlias.objects.create(
            model=row, kind=ModelAlias.Kind.EXACT, text=model.lower(), origin="manual"
        )
    return row
