"""Setting all prices of a model at once, as tests say them."""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Q

from pricing.directory import ModelDirectory
from pricing.models import PriceVersion, RateCard
from pricing.publishing import PriceItem, Provenance, set_prices
from pricing.publishing.names import known_models
from pricing.rating import MeterPrice
from pricing.selectors import live_versions


def publish_price(
    *,
    rate_card: RateCard,
    provider: str,
    model: str,
    prices: Iterable[MeterPrice],
    effective_from: datetime,
    source: Provenance,
    currency: str = "USD",
    service_tier: str = PriceVersion.ServiceTier.STANDARD,
) -> PriceVersion:
    items = [
        PriceItem(
            provider=provider,
            model=model,
            meter=price.meter,
            unit_price=price.unit_price,
            currency=currency,
            per=price.per,
            service_tier=service_tier,
            effective_from=effective_from,
            tiers=price.tiers,
            graduated=price.graduated,
        )
        for price in prices
    ]
    set_prices(rate_card, items, source, whole=True)
    name = (provider, model)
    return live_versions().get(
        Q(effective_to__isnull=True) | Q(effective_to__gt=effective_from),
        rate_card=rate_card,
        model=known_models([name], ModelDirectory())[name].row,
        service_tier=service_tier,
        effective_from__lte=effective_from,
    )
