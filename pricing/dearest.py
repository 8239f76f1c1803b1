"""What usage of unknown price would cost at most, as far as prices are known."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from pricing.compiled import DECIMALS
from pricing.meters import Quantity
from pricing.models import AIModel
from pricing.price_book import PriceBook
from pricing.rating import rate_units


def dearest_cost(
    book: PriceBook,
    provider: str,
    counts: Mapping[str, Quantity],
    at: datetime,
    currency: str,
    rate_card_id: int | None = None,
) -> Decimal | None:
    """What `counts` (meter → quantity) would cost at the dearest price that any model of a
    provider has at `at` (aware), in `currency`. None where the provider has no price then."""
    names = AIModel.objects.filter(provider__slug=provider.strip().lower())
    costs = []
    for name in names.values_list("name", flat=True):
        price = book.find(provider, name, at, rate_card_id=rate_card_id)
        converted = price and book.in_currency(price, currency, at)
        if converted:
            costs.append(rate_units(counts, converted).cost)
    return Decimal(max(costs)).scaleb(-DECIMALS) if costs else None
