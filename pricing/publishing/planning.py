"""What setting prices would change: reads only, so that pages can show it before it is done."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q
from django.utils import timezone

from pricing.directory import ModelDirectory
from pricing.models import PriceVersion, RateCard
from pricing.models.rates import BEGINNING
from pricing.price_book import PriceBook
from pricing.publishing.items import PriceError, PriceFault, PriceItem, check_items
from pricing.publishing.names import ModelName, known_models
from pricing.publishing.timelines import MeterDiff, Stretch, Timeline, differences, same_prices
from pricing.rating import MeterPrice
from pricing.revision import current_revision
from pricing.selectors import live_versions, stored_versions

_PRELOAD_FROM = 200
_GroupKey = tuple[str, str, str, datetime]


@dataclass(frozen=True, slots=True)
class PlannedVersion:
    """A version to append, and how it differs from what is in force where it starts.

    `effective_to` is exclusive, None while open. `model_id` is None for a model yet to be made.
    `count` is how many prices change on the card; `differences` also looks at those beneath it.
    """

    provider: str
    model: str
    model_id: int | None
    service_tier: str
    currency: str
    effective_from: datetime
    effective_to: datetime | None
    prices: tuple[MeterPrice, ...]
    differences: tuple[MeterDiff, ...]
    count: int
    reason: str


@dataclass(frozen=True, slots=True)
class PricePlan:
    """Versions to append by start, and when stored ones end (id → time, exclusive)."""

    versions: tuple[PlannedVersion, ...]
    ends: Mapping[int, datetime]

    @property
    def count(self) -> int:
        """How many prices change."""
        return sum(version.count for version in self.versions)

    @property
    def holds_from(self) -> datetime | None:
        """The earliest time for which a price is another one; None when nothing changes."""
        return min((version.effective_from for version in self.versions), default=None)

    @property
    def warnings(self) -> tuple[str, ...]:
        """Prices more than ten times off what is in force: perhaps a slip, perhaps meant."""
        return tuple(
            f"{version.provider}/{version.model} {change.meter} goes {change.as_text}"
            f" {version.currency}, more than ten times off"
            for version in self.versions
            for change in version.differences
            if change.is_far
        )


@dataclass(frozen=True, slots=True)
class _Draft:
    """A stretch put on a timeline, with what it differs from."""

    name: ModelName
    service_tier: str
    stretch: Stretch
    differences: tuple[MeterDiff, ...]
    count: int
    reason: str


def plan_prices(
    card: RateCard, items: Sequence[PriceItem], *, whole: bool = False, now: datetime | None = None
) -> PricePlan:
    """What `set_prices` with the same arguments would do. Raises PriceError as it does."""
    check_items(items)
    if card.kind == RateCard.Kind.LIST:
        message = f"The prices of {card.name} are synced; set them on another rate card."
        raise PriceError(PriceFault("rate_card", "synced", message))
    return _Planner(card, items, whole=whole, now=now or timezone.now()).plan()


class _Planner:
    """One planning; faults of all items are collected before any is told."""

    def __init__(
        self, card: RateCard, items: Sequence[PriceItem], *, whole: bool, now: datetime
    ) -> None:
        self._whole = whole
        self._items = items
        self._names = known_models({(i.provider, i.model) for i in items}, ModelDirectory())
        self._book = PriceBook(current_revision())
        self._timelines = self._stored_timelines(card)
        self._groups = self._grouped(card, now)
        self._kept_from: dict[int, int] = {}
        self._faults: list[PriceFault] = []

    def plan(self) -> PricePlan:
        drafts = [
            draft
            for key in sorted(self._groups, key=lambda key: key[3])
            if (draft := self._draft(key, self._groups[key])) is not None
        ]
        self._refuse_times_of_day()
        if self._faults:
            raise PriceError(*sorted(self._faults, key=lambda fault: fault.index or 0))
        ends: dict[int, datetime] = {}
        for timeline in self._timelines.values():
            ends |= timeline.ends
        return PricePlan(tuple(_planned(draft) for draft in drafts), ends)

    def _grouped(self, card: RateCard, now: datetime) -> dict[_GroupKey, list[int]]:
        if len(self._names) >= _PRELOAD_FROM:
            self._book.preload()
        priced = self._priced(card, now)
        groups: dict[_GroupKey, list[int]] = defaultdict(list)
        for index, item in enumerate(self._items):
            name = self._names[item.provider, item.model]
            at = item.effective_from or (now if name in priced else BEGINNING)
            groups[name.provider, name.model.lower(), item.service_tier, at].append(index)
        return groups

    def _priced(self, card: RateCard, now: datetime) -> set[ModelName]:
        """Names with a price at any time; the first price of others falsifies no known figure."""
        rows = [name.row for name in self._names.values() if name.row is not None]
        cards = RateCard.objects.exclude(kind=RateCard.Kind.CONTRACTED).values("pk")
        versions = live_versions().filter(Q(rate_card=card) | Q(rate_card__in=cards))
        known = set(versions.filter(model__in=rows).values_list("model_id", flat=True))
        return {
            name
            for name in self._names.values()
            if (name.row is not None and name.row.pk in known)
            or self._book.find(name.provider, name.model, now) is not None
        }

    def _stored_timelines(self, card: RateCard) -> dict[tuple[str, str, str], Timeline]:
        rows = [name.row for name in self._names.values() if name.row is not None]
        timelines: dict[tuple[str, str, str], Timeline] = defaultdict(Timeline)
        for version in stored_versions(live_versions().filter(rate_card=card, model__in=rows)):
            key = (version.provider, version.model.lower(), version.service_tier)
            timelines[key].add_stored(version)
        return timelines

    def _draft(self, key: _GroupKey, indexes: list[int]) -> _Draft | None:
        provider, model, tier, at = key
        first = self._items[indexes[0]]
        name = self._names[first.provider, first.model]
        named = self._named(indexes)
        timeline = self._timelines[provider, model, tier]
        running = timeline.running(at)
        before = running or self._beneath(name, tier, at)
        kept: tuple[MeterPrice, ...] = ()
        if before is not None and not self._whole:
            kept = tuple(price for price in before.prices if price.meter not in named)
        if before is not None and kept and before.currency != first.currency:
            self._refuse_currency(indexes[0], before.currency, kept)
            return None
        if before is not None and kept and running is None and before.version_id is not None:
            self._kept_from[indexes[0]] = before.version_id
        prices = (*named.values(), *kept)
        if running and running.currency == first.currency and same_prices(running.prices, prices):
            return None
        reasons = dict.fromkeys(self._items[index].reason.strip() for index in indexes)
        return _Draft(
            name=name,
            service_tier=tier,
            stretch=timeline.insert(at, first.currency, prices),
            differences=differences(before, first.currency, prices),
            count=len(differences(running, first.currency, prices)) if running else len(named),
            reason="; ".join(reason for reason in reasons if reason),
        )

    def _named(self, indexes: Iterable[int]) -> dict[str, MeterPrice]:
        named: dict[str, MeterPrice] = {}
        currency = ""
        for index in indexes:
            item = self._items[index]
            currency = currency or item.currency
            if item.currency != currency:
                message = f"The prices of one version share a currency, here {currency}."
                self._faults.append(PriceFault("currency", "currency_mismatch", message, index))
            if item.meter in named:
                message = f"{item.meter} has a price for this time already."
                self._faults.append(PriceFault("meter", "repeated", message, index))
            named[item.meter] = MeterPrice(
                item.meter, item.unit_price, item.per, item.tiers, item.graduated
            )
        return named

    def _beneath(self, name: ModelName, tier: str, at: datetime) -> Stretch | None:
        found = self._book.find(name.provider, name.model, at, tier)
        if found is None:
            return None
        return Stretch(at, None, found.currency, found.prices, found.price_version_id)

    def _refuse_currency(self, index: int, currency: str, kept: Sequence[MeterPrice]) -> None:
        meters = ", ".join(price.meter for price in kept)
        message = (
            f"{meters} would keep a price in {currency}; name all meters to change the currency."
        )
        self._faults.append(PriceFault("currency", "currency_mismatch", message, index))

    def _refuse_times_of_day(self) -> None:
        daily = set(
            PriceVersion.objects.filter(
                pk__in=self._kept_from.values(), utc_from__isnull=False
            ).values_list("pk", flat=True)
        )
        for index, version in self._kept_from.items():
            if version in daily:
                message = "Prices of this model change with the time of day; name all its meters."
                self._faults.append(PriceFault("meter", "time_of_day", message, index))


def _planned(draft: _Draft) -> PlannedVersion:
    return PlannedVersion(
        provider=draft.name.provider,
        model=draft.name.model,
        model_id=draft.name.row.pk if draft.name.row else None,
        service_tier=draft.service_tier,
        currency=draft.stretch.currency,
        effective_from=draft.stretch.start,
        effective_to=draft.stretch.end,
        prices=draft.stretch.prices,
        differences=draft.differences,
        count=draft.count,
        reason=draft.reason,
    )
