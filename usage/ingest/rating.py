"""What a call costs: the one function by which ingest, quotes and re-rating price usage.

Pure but for the price book it is given. Costs are in the ledger currency, in whole units of 10^-10.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple, Protocol

from pricing.compiled import DECIMALS, EXACT, PriceValue, quantize
from pricing.meters import Quantity
from pricing.price_book import PriceBook
from pricing.rating import Units, rate_units, unpriced_meters
from usage.ingest.validate import MAX_COST

MAX_UNITS = int(MAX_COST.scaleb(DECIMALS))
"""The most that a call may cost, in whole units: a column of money holds no more."""

FREE = Units(0, 0, 0, 0, 0)
"""The rating of a call on a free tier: nothing, by no price version (0)."""


class Call(Protocol):
    """What rating reads of a call besides its counts; an `EventValue` is one.

    `occurred_at` is aware; `reported_cost` is in `currency`, None meaning the ledger's.
    """

    @property
    def provider(self) -> str: ...
    @property
    def model(self) -> str: ...
    @property
    def response_model(self) -> str: ...
    @property
    def occurred_at(self) -> datetime: ...
    @property
    def service_tier(self) -> str: ...
    @property
    def free_tier(self) -> bool: ...
    @property
    def reported_cost(self) -> Decimal | None: ...
    @property
    def currency(self) -> str | None: ...


class StoredCall(NamedTuple):
    """A `Call` put together from the columns of a stored event and its kind."""

    provider: str
    model: str
    response_model: str
    occurred_at: datetime
    service_tier: str
    free_tier: bool
    reported_cost: Decimal | None = None
    currency: str | None = None


class Outcome(NamedTuple):
    """The rating of a call, None while unpriced, and how it came about.

    `exchange_rate` is what turned another currency into the ledger's, None where none was needed.
    `price` is the price that was found, used or not: converted where a rate was found.
    """

    rating: Units | None
    exchange_rate: Decimal | None
    price: PriceValue | None


_UNKNOWN = Outcome(None, None, None)


def rate_call(
    call: Call,
    rate_card_id: int | None,
    counts: Mapping[str, Quantity],
    book: PriceBook,
    ledger: str,
) -> Outcome:
    """Rate a call by the price in force at `occurred_at`; free tiers cost zero.

    A price in another currency than `ledger` counts converted by the rate of the call's UTC day,
    and without such a rate not at all; nor does a price that says nothing about any of the meters
    used. Such a call is unpriced rather than costing nothing. Where the provider's reported cost
    counts (`Provider.reported_cost_counts`) and the call has one, that is its cost.
    """
    price = find_price(call, rate_card_id, book)
    if call.free_tier:
        return Outcome(FREE, None, price)
    if call.reported_cost is not None:
        named = call.provider or (price.provider if price else "")
        if book.trusts_reported_cost(named):
            return _by_reported_cost(call, counts, price, book, ledger)
    if price is None:
        return _UNKNOWN
    if price.currency != ledger:
        price = book.in_currency(price, ledger, call.occurred_at) or price
        if price.currency != ledger:
            return Outcome(None, None, price)
    rating = rate_units(counts, price)
    if not rating.cost and unpriced_meters(counts, price):
        return Outcome(None, None, price)
    return Outcome(rating, price.exchange_rate, price)


def find_price(call: Call, rate_card_id: int | None, book: PriceBook) -> PriceValue | None:
    """The price of the model that answered, else of the one that was asked; None without any."""
    at, tier = call.occurred_at, call.service_tier
    if call.response_model:
        price = book.find(call.provider, call.response_model, at, tier, rate_card_id)
        if price is not None:
            return price
    return book.find(call.provider, call.model, at, tier, rate_card_id)


def _by_reported_cost(
    call: Call,
    counts: Mapping[str, Quantity],
    price: PriceValue | None,
    book: PriceBook,
    ledger: str,
) -> Outcome:
    exchange_rate, cost = None, call.reported_cost
    if call.currency is not None and call.currency != ledger:
        exchange_rate = book.exchange_rate(call.currency, ledger, call.occurred_at)
        if exchange_rate is None:
            return Outcome(None, None, price)
    units = _units(cost or Decimal(0), exchange_rate or Decimal(1))
    rated = rate_units(counts, price) if price else FREE
    return Outcome(split_as_rated(units, rated), exchange_rate, price)


def _units(cost: Decimal, exchange_rate: Decimal) -> int:
    return int(quantize(EXACT.multiply(cost, exchange_rate)).scaleb(DECIMALS, EXACT))


def split_as_rated(cost: int, rated: Units) -> Units:
    """`cost` divided into input, output and cache as `rated` is; all zero where that is nothing.

    Each bound between two parts is rounded down, so that parts never exceed what they are parts
    of, and input and output make up the whole where nothing else was rated.
    """
    if not rated.cost:
        return Units(0, cost, 0, 0, 0)
    whole_input = cost * rated.input_cost // rated.cost
    both = cost * (rated.input_cost + rated.output_cost) // rated.cost
    cache = cost * rated.cache_cost // rated.cost
    return Units(0, cost, whole_input, both - whole_input, cache)
