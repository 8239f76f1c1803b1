"""What a call priced by a contract would have cost by the list: unit prices by meter."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from pricing.compiled import EXACT, PriceValue
from pricing.meters import Quantity
from pricing.price_book import PriceBook
from usage.focus.columns import UNIT_PRICE_DECIMALS, rounded
from usage.ingest.rating import StoredCall, find_price

_MAX_CACHED = 10_000
_Key = tuple[int, Decimal | None, int, int, Decimal | None]


class ListPrice(NamedTuple):
    """A list price of as many units as the contracted one is for, with 12 decimals.

    `billed` is in the ledger currency, `priced` in the currency of the contracted price.
    """

    billed: Decimal
    priced: Decimal


class PricedCall(NamedTuple):
    """What finds the list price of a call; `occurred_at` is aware."""

    provider: str
    model: str
    response_model: str
    occurred_at: datetime
    service_tier: str


class ListPrices:
    """The price book without contracts: manual prices, else the catalogue's."""

    def __init__(self, book: PriceBook, ledger: str) -> None:
        """`ledger` is the currency of stored costs."""
        self._book = book
        self._ledger = ledger
        self._known: dict[_Key, Mapping[str, ListPrice]] = {}

    def of(
        self, call: PricedCall, counts: Mapping[str, Quantity], contracted: PriceValue
    ) -> Mapping[str, ListPrice]:
        """List prices at the time of the call, by meter of the contracted price.

        Meters without a list price are left out; so are all where there is no rate to the ledger
        currency.
        """
        found = find_price(StoredCall(*call, False), None, self._book)
        if found is None:
            return {}
        price = self._book.in_currency(found, self._ledger, call.occurred_at)
        if price is None:
            return {}
        step = _step(price, counts.get("input_tokens", 0))
        key = (
            price.price_version_id, price.exchange_rate, step,
            contracted.price_version_id, contracted.exchange_rate,
        )  # fmt: skip
        known = self._known.get(key)
        if known is None:
            if len(self._known) > _MAX_CACHED:
                self._known.clear()
            known = self._known[key] = _list_prices(price, step, contracted)
        return known


def _step(price: PriceValue, input_tokens: Quantity) -> int:
    """Which of the plans of a price holds for so many input tokens; -1 is the plain one."""
    for position, (above, _) in enumerate(price.steps):
        if input_tokens > above:
            return position
    return -1


def _list_prices(price: PriceValue, step: int, contracted: PriceValue) -> dict[str, ListPrice]:
    plan = price.plan if step < 0 else price.steps[step][1]
    listed = {line.meter: line for line in plan}
    rate = price.exchange_rate or Decimal(1)
    back = contracted.exchange_rate or Decimal(1)
    same_currency = price.price_currency == contracted.price_currency
    prices = {}
    for own in contracted.plan:
        line = listed.get(own.meter)
        if line is not None:
            native = EXACT.divide(EXACT.multiply(line.unit_price, Decimal(own.per)), line.per)
            billed = EXACT.multiply(native, rate)
            priced = native if same_currency else EXACT.divide(billed, back)
            prices[own.meter] = ListPrice(
                rounded(billed, UNIT_PRICE_DECIMALS), rounded(priced, UNIT_PRICE_DECIMALS)
            )
    return prices
