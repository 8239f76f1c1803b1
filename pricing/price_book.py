"""The price book: which prices hold for an event, cached per process."""

from datetime import UTC, date, datetime, time
from decimal import Decimal
from threading import RLock
from typing import NamedTuple, TypeAlias

from pricing.directory import ModelDirectory
from pricing.exchange_rates import rates_of
from pricing.models import AIModel, PriceVersion, Provider, RateCard
from pricing.rating import PriceValue, compile_price, converted
from pricing.revision import current_revision
from pricing.selectors import StoredVersion, live_versions, stored_versions

MAX_CACHED_NAMES = 8192
"""How many different names are remembered, of those found and of those not found."""
MAX_CACHED_CONVERSIONS = 8192
"""How many prices, each converted at the rate of one day, are remembered."""

_STANDARD = PriceVersion.ServiceTier.STANDARD.value
_TIERS = frozenset(PriceVersion.ServiceTier.values)
_END_OF_TIME = datetime.max.replace(tzinfo=UTC)


class _Window(NamedTuple):
    """A daily stretch of time in UTC, `until` exclusive and possibly past midnight."""

    since: time
    until: time

    def contains(self, at: datetime) -> bool:
        now = at.astimezone(UTC).time()
        if self.until < self.since:
            return now >= self.since or now < self.until
        return self.since <= now < self.until


class _Holding(NamedTuple):
    """A price and when it holds; `end` is exclusive."""

    start: datetime
    end: datetime
    window: _Window | None
    price: PriceValue


_Holdings: TypeAlias = tuple[_Holding, ...]
_Key: TypeAlias = tuple[str, str, str, int | None]
_Conversion: TypeAlias = tuple[int, str, date]


class PriceBook:
    """The prices of one revision. Thread-safe; reads the database only for what is new to it."""

    def __init__(self, revision: int) -> None:
        """Make an empty book; `revision` is the one its caller has just read."""
        self.revision = revision
        self._lock = RLock()
        self._directory: ModelDirectory | None = None
        self._cards: tuple[int, ...] = ()
        self._found: dict[_Key, _Holdings] = {}
        self._missing: dict[_Key, _Holdings] = {}
        self._by_model: dict[tuple[int, int], list[StoredVersion]] = {}
        self._compiled: dict[int, _Holding] = {}
        self._rates = rates_of(revision)
        self._converted: dict[_Conversion, PriceValue | None] = {}
        self._trusted: frozenset[str] | None = None

    def find(
        self,
        provider: str,
        model: str,
        at: datetime,
        service_tier: str = "standard",
        rate_card_id: int | None = None,
    ) -> PriceValue | None:
        """The price in force at `at` (aware), or None when nobody has set one.

        The card `rate_card_id` precedes the manual card, that one the catalogue; a card without
        prices for `service_tier` answers with its standard ones. An empty `provider` is found from
        the model's name.
        """
        key = (provider, model, service_tier, rate_card_id)
        holdings = self._found.get(key)
        if holdings is None:
            holdings = self._missing.get(key)
            if holdings is None:
                holdings = self._look_up(key)
        for start, end, window, price in holdings:
            if start <= at < end and (window is None or window.contains(at)):
                return price
        return None

    def in_currency(self, price: PriceValue, currency: str, at: datetime) -> PriceValue | None:
        """`price`, which this book found, with amounts in `currency`.

        In another currency than its own it is converted at the exchange rate of the UTC day of
        `at` (aware), which it names; None when no rate is known for that day or an earlier one.
        """
        if price.currency == currency:
            return price
        key = (price.price_version_id, currency, at.astimezone(UTC).date())
        try:
            return self._converted[key]
        except KeyError:
            return self._convert(price, key)

    def exchange_rate(self, base: str, quote: str, at: datetime) -> Decimal | None:
        """What one `base` buys of `quote` on the UTC day of `at` (aware), None if unknown."""
        return self._rates.on(base, quote, at.astimezone(UTC).date())

    def trusts_reported_cost(self, provider: str) -> bool:
        """Whether the cost that calls of `provider`, as reported, state is what they cost."""
        with self._lock:
            if self._trusted is None:
                trusting = Provider.objects.filter(reported_cost_counts=True)
                self._trusted = frozenset(trusting.values_list("slug", flat=True))
            if not self._trusted:
                return False
            return self._open().provider(provider.strip().lower()) in self._trusted

    def cached_names(self) -> int:
        """How many names, found or not, the book remembers."""
        return len(self._found) + len(self._missing)

    def preload(self) -> None:
        """Read all shared cards at once: worth it before rating with very many models."""
        with self._lock:
            self._open()
            for model_id in AIModel.objects.values_list("id", flat=True):
                self._by_model |= {(model_id, card): [] for card in self._cards}
            for version in stored_versions(live_versions().filter(rate_card__in=self._cards)):
                self._by_model[version.model_id, version.rate_card_id].append(version)

    def _convert(self, price: PriceValue, key: _Conversion) -> PriceValue | None:
        _, currency, day = key
        with self._lock:
            rate = self._rates.on(price.currency, currency, day)
            answer = None if rate is None else converted(price, currency, rate)
            if len(self._converted) >= MAX_CACHED_CONVERSIONS:
                del self._converted[next(iter(self._converted))]
            self._converted[key] = answer
            return answer

    def _look_up(self, key: _Key) -> _Holdings:
        with self._lock:
            holdings = self._holdings(*key)
            cache = self._found if holdings else self._missing
            if len(cache) >= MAX_CACHED_NAMES:
                del cache[next(iter(cache))]
            cache[key] = holdings
            return holdings

    def _holdings(self, provider: str, model: str, tier: str, card_id: int | None) -> _Holdings:
        directory = self._open()
        shared = directory.models(provider, model)
        meant = dict.fromkeys(self._cards, shared)
        if card_id is not None:
            own = (*directory.contracted(provider, model), *shared)
            meant = {card_id: tuple(dict.fromkeys(own))} | meant
        return tuple(
            self._holding(version)
            for card, models in meant.items()
            for model_id, resold in models
            for wanted in _tiers(tier, resold=resold)
            for version in self._versions(model_id, card)
            if version.service_tier == wanted
        )

    def _open(self) -> ModelDirectory:
        if self._directory is None:
            self._cards = _shared_cards()
            self._directory = ModelDirectory()
        return self._directory

    def _versions(self, model_id: int, card_id: int) -> list[StoredVersion]:
        if (model_id, card_id) not in self._by_model:
            cards = self._cards if card_id in self._cards else (card_id,)
            versions = stored_versions(live_versions().filter(model=model_id, rate_card__in=cards))
            for card in cards:
                self._by_model[model_id, card] = [
                    version for version in versions if version.rate_card_id == card
                ]
        return self._by_model[model_id, card_id]

    def _holding(self, version: StoredVersion) -> _Holding:
        known = self._compiled.get(version.id)
        if known is None:
            known = self._compiled[version.id] = _compile(version)
        return known


def _tiers(tier: str, *, resold: bool) -> tuple[str, ...]:
    # The prices of a service tier are what the model's own vendor charges, not a reseller.
    if tier == _STANDARD or tier not in _TIERS or resold:
        return (_STANDARD,)
    return (tier, _STANDARD)


def _shared_cards() -> tuple[int, ...]:
    """Ids of the cards that hold for everybody, manual ones first."""
    shared = RateCard.objects.exclude(kind=RateCard.Kind.CONTRACTED).values_list("id", "kind")
    return tuple(pk for pk, kind in sorted(shared, key=_precedence))


def _precedence(card: tuple[int, str]) -> tuple[bool, int]:
    pk, kind = card
    return kind != RateCard.Kind.MANUAL, pk


def compile_version(version: StoredVersion) -> PriceValue:
    """The rating form of a stored version, in its own currency."""
    return compile_price(
        price_version_id=version.id,
        provider=version.provider,
        model=version.model,
        service_tier=version.service_tier,
        currency=version.currency,
        prices=version.prices,
    )


def _compile(version: StoredVersion) -> _Holding:
    window = None
    if version.utc_from is not None and version.utc_until is not None:
        window = _Window(version.utc_from, version.utc_until)
    start, end = version.effective_from, version.effective_to or _END_OF_TIME
    price = compile_version(version)
    return _Holding(start.astimezone(UTC), end.astimezone(UTC), window, price)


class _Shelf:
    """Where the process keeps its one book."""

    lock = RLock()
    book: PriceBook | None = None


def current_book(revision: int | None = None) -> PriceBook:
    """The process's book of the database's present revision: one small query, or none for who
    has just read it.

    Ask once per request or batch and use the answer throughout it.
    """
    if revision is None:
        revision = current_revision()
    with _Shelf.lock:
        if _Shelf.book is None or _Shelf.book.revision != revision:
            _Shelf.book = PriceBook(revision)
        return _Shelf.book
