"""Reads of the record of price changes: what a change did, price by price."""

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, time
from decimal import Decimal
from typing import TypeAlias

from django.db.models import Exists, OuterRef, Q, QuerySet

from pricing.models import PriceChange, PriceVersion
from pricing.rating import MeterPrice
from pricing.selectors.comparing import rise
from pricing.selectors.versions import StoredVersion, stored_versions

SHOWN_VERSIONS = 200
_MILLION = 1_000_000
_Prices: TypeAlias = dict[str, MeterPrice | None]


@dataclass(frozen=True, slots=True)
class PriceDifference:
    """One meter of one model before and after a change, None where it had or has no price.

    Prices are in `currency`, with their tiers, and for a million units unless they say otherwise;
    `percent` is how much higher or lower the price below all tiers is, None where there is nothing
    to compare with. `effective_from` is when the version `version_id`, made or ended by the
    change, begins to hold.
    """

    provider: str
    model: str
    service_tier: str
    meter: str
    currency: str
    before: str | None
    after: str | None
    percent: Decimal | None
    effective_from: datetime
    version_id: int


def price_differences(change: PriceChange) -> list[PriceDifference]:
    """What `change` did to prices, by provider, model and service tier, in four queries.

    Of a change of very many versions, SHOWN_VERSIONS that it made are shown, and as many that it
    ended. A version that is the first on its card takes over what it does not change.
    """
    made = _stored(PriceVersion.objects.filter(change=change))
    models = [version.model_id for version in made]
    ends = PriceVersion.objects.filter(ended_by=change)
    replaced = _stored(ends.filter(model__in=models), limit=2 * SHOWN_VERSIONS)
    before = {_place(version): version for version in reversed(replaced)}
    told = _told(change)
    found: list[PriceDifference] = []
    for new in made:
        old, after = before.pop(_place(new), None), _by_meter(new)
        known = _by_meter(old)
        if old is None and told:
            known = told.get((f"{new.provider}/{new.model}", new.service_tier), {})
            after = {meter: price for meter, price in after.items() if meter in known}
        found += _between(new, known, after, old.currency if old else new.currency)
    others = _stored(ends.exclude(model__in=models))
    found += [
        item
        for old in (*before.values(), *others)
        for item in _between(old, _by_meter(old), {}, old.currency)
    ]
    return sorted(found, key=lambda item: (item.provider, item.model, item.service_tier))


def without_cards(changes: QuerySet[PriceChange], names: Collection[str]) -> QuerySet[PriceChange]:
    """`changes` without those that made or ended prices on rate cards of these names."""
    versions = PriceVersion.objects.filter(rate_card__name__in=names)
    touched = versions.filter(Q(change=OuterRef("pk")) | Q(ended_by=OuterRef("pk")))
    return changes.exclude(Exists(touched)).exclude(details__rate_card__in=list(names))


def price_text(price: MeterPrice, currency: str = "") -> str:
    """A price with its tiers, and for how many units if not a million: 3 USD, 6 above 200,000."""
    units = "" if price.per == _MILLION else f" per {price.per:,}"
    tiers = [f"{amount.normalize():,f} above {above:,}" for above, amount in price.tiers]
    first = f"{price.unit_price.normalize():,f} {currency}".rstrip()
    return ", ".join([f"{first}{units}", *tiers])


def _told(change: PriceChange) -> dict[tuple[str, str], _Prices]:
    """The prices before by model and tier, as the record tells them; empty if it does in part."""
    told: dict[tuple[str, str], _Prices] = defaultdict(dict)
    if not change.details.get("more"):
        for item in change.details.get("prices", ()):
            meter = item["meter"]
            told[item["model"], item["service_tier"]][meter] = _read(meter, item["old"])
    return told


def _read(meter: str, text: str | None) -> MeterPrice | None:
    if text is None:
        return None
    amount, _, units = text.partition(" per ")
    return MeterPrice(meter, Decimal(amount), int(units.replace(",", "") or _MILLION))


def _stored(versions: QuerySet[PriceVersion], limit: int = SHOWN_VERSIONS) -> list[StoredVersion]:
    ids = list(versions.order_by("id").values_list("id", flat=True)[:limit])
    return stored_versions(PriceVersion.objects.filter(pk__in=ids)) if ids else []


def _place(version: StoredVersion) -> tuple[int, int, str, time | None, time | None]:
    return (
        version.rate_card_id,
        version.model_id,
        version.service_tier,
        version.utc_from,
        version.utc_until,
    )


def _by_meter(version: StoredVersion | None) -> _Prices:
    return {price.meter: price for price in version.prices} if version else {}


def _between(
    version: StoredVersion, before: _Prices, after: _Prices, old_currency: str
) -> Iterator[PriceDifference]:
    comparable = old_currency == version.currency
    for meter in dict.fromkeys((*after, *before)):
        first, last = before.get(meter), after.get(meter)
        texts = [None if price is None else price_text(price) for price in (first, last)]
        if texts[0] == texts[1] and comparable:
            continue
        yield PriceDifference(
            version.provider,
            version.model,
            version.service_tier,
            meter,
            version.currency,
            texts[0],
            texts[1],
            rise(first, last) if last and comparable else None,
            version.effective_from,
            version.id,
        )
