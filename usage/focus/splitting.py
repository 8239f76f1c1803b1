"""Splitting stored calls into charges by meter, as they were rated.

The amounts of a call's charges add up to its stored cost, to the last digit.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

import msgspec

from pricing.compiled import EXACT, MeterPrice, PriceValue, compile_price, converted
from pricing.meters import CORE_METERS, Quantity, meter_named
from pricing.models import PriceVersion, RateCard
from pricing.price_book import PriceBook, compile_version
from pricing.rating import charges
from pricing.selectors import stored_versions
from usage.focus.listing import ListPrice, ListPrices, PricedCall
from usage.ingest.validate import counts_by_meter
from usage.models import CallKind, UsageEvent

MAX_CACHED = 10_000
"""How many prices, and how many kinds of calls, are remembered."""

_ADJUSTMENT = UsageEvent.State.ADJUSTMENT.value
_NOTHING = Decimal(0)
_NO_LIST: Mapping[str, ListPrice] = {}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_read_meters = msgspec.json.Decoder(dict[str, Decimal], float_hook=Decimal).decode
_read_tags = msgspec.json.Decoder(dict[str, str]).decode


class Basis(StrEnum):
    """What the amount of a charge rests on."""

    PRICE = "price"
    FREE_TIER = "free_tier"
    REPORTED = "reported_cost"
    OTHER = "other"
    ADJUSTMENT = "adjustment"


class EventRow(NamedTuple):
    """The columns that a stored event is read by.

    `day` is one of the organization's zone; it occurred `occurred_us` microseconds after 1970.
    """

    day: date
    state: int
    project_id: int | None
    team_id: int | None
    kind_id: int
    version_id: int | None
    exchange_rate: Decimal | None
    cost: Decimal
    occurred_us: int
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    cache_write_1h_tokens: int
    reasoning_tokens: int
    meters: str | None
    tags: str | None
    reported_cost: Decimal | None
    reported_currency: str | None


class Words(NamedTuple):
    """The words of a call's kind that charges are told apart by."""

    provider: str
    model: str
    service_tier: str
    billing_scope: str


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """What a charge is for, besides whose call it was.

    `unit_price` is that of `per` units in `currency`; `list_price` is None where that is the same.
    For an adjustment `meter` is the month adjusted.
    """

    basis: Basis
    version_id: int | None
    exchange_rate: Decimal | None
    meter: str
    unit_price: Decimal
    per: int
    currency: str
    list_price: ListPrice | None

    def as_key(self) -> tuple[object, ...]:
        """What equals that of another part that says the same."""
        return (
            self.basis, self.version_id, self.exchange_rate, self.meter, self.unit_price, self.per,
            self.currency, self.list_price,
        )  # fmt: skip


class Split(NamedTuple):
    """One charge of a call; `amount` is in the ledger currency."""

    part: Part
    quantity: Quantity
    amount: Decimal


@dataclass(slots=True)
class _Known:
    """A price version at an exchange rate; the parts of its charges that have come up."""

    price: PriceValue
    contracted: bool
    parts: dict[tuple[str, Decimal, ListPrice | None], Part] = field(default_factory=dict)


class _Kind(NamedTuple):
    words: Words
    response_model: str
    free_tier: bool


class Splitter:
    """Splits events; remembers price versions and words. Holds for one revision of prices."""

    def __init__(self, book: PriceBook, ledger: str) -> None:
        """`ledger` is the currency of stored costs."""
        self._ledger = ledger
        self._lists = ListPrices(book, ledger)
        self._kinds: dict[int, _Kind] = {}
        self._versions: dict[int, tuple[PriceValue, bool]] = {}
        self._known: dict[tuple[int, Decimal | None], _Known] = {}
        self._free: dict[tuple[str, ...], PriceValue] = {}
        self._parts: dict[tuple[object, ...], Part] = {}
        contracted = RateCard.objects.filter(kind=RateCard.Kind.CONTRACTED)
        self._contracts = frozenset(contracted.values_list("pk", flat=True))

    def learn(self, rows: Sequence[EventRow]) -> None:
        """Read the kinds and price versions of `rows` that are new; call it before `split`."""
        self._forget_too_many()
        kinds = {row.kind_id for row in rows}.difference(self._kinds)
        for kind in CallKind.objects.filter(pk__in=kinds) if kinds else ():
            words = Words(kind.provider, kind.model, kind.service_tier, kind.billing_scope)
            self._kinds[kind.pk] = _Kind(words, kind.response_model, kind.free_tier)
        versions = {row.version_id for row in rows if row.version_id}.difference(self._versions)
        if versions:
            for version in stored_versions(PriceVersion.objects.filter(pk__in=versions)):
                contracted = version.rate_card_id in self._contracts
                self._versions[version.id] = compile_version(version), contracted

    def words_of(self, row: EventRow) -> Words:
        """The words of the event's kind, which `learn` has read."""
        return self._kinds[row.kind_id].words

    def split(self, row: EventRow) -> list[Split]:
        """The charges of an event that has a cost; `learn` knows it."""
        if row.state == _ADJUSTMENT:
            month = _read_tags(row.tags or "{}").get("adjusts", "")
            part = self._part(Basis.ADJUSTMENT, month, currency=self._ledger)
            return [Split(part, 0, row.cost)]
        splits = self._rated(row)
        left = row.cost
        for split in splits:
            left = EXACT.subtract(left, split.amount)
        if left:
            part = self._part(Basis.OTHER, "", unit_price=Decimal(1), currency=self._ledger)
            splits.append(Split(part, left, left))
        return splits

    def _rated(self, row: EventRow) -> list[Split]:
        kind = self._kinds[row.kind_id]
        if row.version_id is not None:
            known = self._version(row.version_id, row.exchange_rate)
            return self._by_price(row, kind, known) if known else []
        if kind.free_tier:
            return self._for_free(row)
        return [] if row.reported_cost is None else [self._by_report(row, row.reported_cost)]

    def _by_price(self, row: EventRow, kind: _Kind, known: _Known) -> list[Split]:
        counts = _counts(row)
        listed = self._listed(row, kind, counts, known.price) if known.contracted else _NO_LIST
        splits = []
        for meter, _, quantity, unit_price, per, amount in charges(counts, known.price):
            list_price = listed.get(meter)
            part = known.parts.get((meter, unit_price, list_price))
            if part is None:
                part = known.parts[meter, unit_price, list_price] = Part(
                    Basis.PRICE,
                    known.price.price_version_id,
                    row.exchange_rate,
                    meter,
                    unit_price,
                    per,
                    known.price.price_currency,
                    list_price,
                )
            splits.append(Split(part, quantity, amount))
        return splits

    def _listed(
        self, row: EventRow, kind: _Kind, counts: Mapping[str, Quantity], contracted: PriceValue
    ) -> Mapping[str, ListPrice]:
        words = kind.words
        call = PricedCall(
            words.provider,
            words.model,
            kind.response_model,
            _EPOCH + timedelta(microseconds=row.occurred_us),
            words.service_tier,
        )
        return self._lists.of(call, counts, contracted)

    def _for_free(self, row: EventRow) -> list[Split]:
        counts = _counts(row)
        extra = tuple(sorted(set(counts).difference(CORE_METERS)))
        price = self._free.get(extra)
        if price is None:
            price = self._free[extra] = _zero_price(extra, self._ledger)
        return [
            Split(
                self._part(Basis.FREE_TIER, charge.meter, currency=self._ledger, per=charge.per),
                charge.quantity,
                _NOTHING,
            )
            for charge in charges(counts, price)
        ]

    def _by_report(self, row: EventRow, reported: Decimal) -> Split:
        part = self._part(
            Basis.REPORTED,
            "",
            unit_price=Decimal(1),
            currency=row.reported_currency or self._ledger,
            exchange_rate=row.exchange_rate,
        )
        return Split(part, reported, row.cost)

    def _part(
        self,
        basis: Basis,
        meter: str,
        *,
        unit_price: Decimal = _NOTHING,
        currency: str = "",
        per: int = 1,
        exchange_rate: Decimal | None = None,
    ) -> Part:
        key = (basis, meter, unit_price, currency, per, exchange_rate)
        part = self._parts.get(key)
        if part is None:
            part = Part(basis, None, exchange_rate, meter, unit_price, per, currency, None)
            self._parts[key] = part
        return part

    def _version(self, version_id: int, exchange_rate: Decimal | None) -> _Known | None:
        known = self._known.get((version_id, exchange_rate))
        if known is None and version_id in self._versions:
            price, contracted = self._versions[version_id]
            if exchange_rate is not None:
                price = converted(price, self._ledger, exchange_rate)
            known = self._known[version_id, exchange_rate] = _Known(price, contracted)
        return known

    def _forget_too_many(self) -> None:
        for cache in (self._kinds, self._versions, self._known, self._free, self._parts):
            if len(cache) > MAX_CACHED:
                cache.clear()


def _counts(row: EventRow) -> dict[str, Quantity]:
    meters = _read_meters(row.meters) if row.meters else None
    return counts_by_meter(*row[9:15], meters=meters)


def _zero_price(extra: Sequence[str], currency: str) -> PriceValue:
    meters = [name for name in (*CORE_METERS, *extra) if name != "reasoning_tokens"]
    return compile_price(
        price_version_id=0,
        provider="",
        model="",
        service_tier="",
        currency=currency,
        prices=[MeterPrice(name, _NOTHING, meter_named(name).per) for name in meters],
    )
