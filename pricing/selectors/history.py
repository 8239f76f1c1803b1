"""What a model cost along time, and how each version differs from the one before it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import QuerySet

from pricing.models import AIModel, PriceVersion, RateCard
from pricing.rating import MeterPrice
from pricing.selectors.comparing import change_text, rise
from pricing.selectors.records import price_text
from pricing.selectors.versions import StoredVersion, stored_versions


@dataclass(frozen=True, slots=True)
class MeterStep:
    """A meter's price in a version; `percent` is its rise since the version before, if known."""

    price: MeterPrice
    currency: str
    percent: Decimal | None
    is_new: bool

    @property
    def text(self) -> str:
        """The price of a million units with its currency and tiers."""
        return price_text(self.price, self.currency)

    @property
    def change(self) -> str:
        """Such as +12.5 %; empty where nothing changed."""
        return change_text(self.percent) if self.percent else ""


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """A version with the facts around it; a withdrawn one never held."""

    version: PriceVersion
    steps: tuple[MeterStep, ...]
    dropped: tuple[str, ...]
    is_withdrawn: bool
    is_over: bool


def price_history(model: AIModel, cards: QuerySet[RateCard], now: datetime) -> list[HistoryRow]:
    """Every version of the model on `cards`, newest start first.

    The version before is the last one that held earlier on the same card, for the same service
    tier and time of day.
    """
    rows = PriceVersion.objects.filter(model=model, rate_card__in=cards)
    facts = rows.select_related("rate_card", "created_by", "change", "ended_by")
    versions = list(facts.order_by("effective_from", "id"))
    # Read last, so that none is missing which somebody has made meanwhile.
    stored = {version.id: version for version in stored_versions(rows)}
    before: dict[object, StoredVersion] = {}
    history = []
    for version in versions:
        line = (version.rate_card_id, version.service_tier, version.utc_from, version.utc_until)
        withdrawn = version.effective_to == version.effective_from
        earlier = before.get(line)
        history.append(_row(version, stored[version.pk], earlier, now, is_withdrawn=withdrawn))
        if not withdrawn:
            before[line] = stored[version.pk]
    return history[::-1]


def _row(
    version: PriceVersion,
    stored: StoredVersion,
    earlier: StoredVersion | None,
    now: datetime,
    *,
    is_withdrawn: bool,
) -> HistoryRow:
    old = {price.meter: price for price in earlier.prices} if earlier else {}
    comparable = earlier is not None and earlier.currency == stored.currency
    meters = {price.meter for price in stored.prices}
    return HistoryRow(
        version=version,
        steps=tuple(
            MeterStep(
                price=price,
                currency=stored.currency,
                percent=rise(old.get(price.meter), price) if comparable else None,
                is_new=earlier is not None and price.meter not in old,
            )
            for price in _in_order(stored.prices)
        ),
        dropped=tuple(sorted(old.keys() - meters)),
        is_withdrawn=is_withdrawn,
        is_over=version.effective_to is not None and version.effective_to <= now,
    )


def _in_order(prices: Sequence[MeterPrice]) -> list[MeterPrice]:
    first = {"input_tokens": 0, "output_tokens": 1}
    return sorted(prices, key=lambda price: (first.get(price.meter, 2), price.meter))
