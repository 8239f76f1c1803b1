"""What a token costs by our prices on a day: as it was charged, else as it is listed."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal

from pricing.compiled import EXACT, PriceValue
from pricing.meters import meter_named
from pricing.price_book import current_book
from usage.reconciling.classing import PARTS
from usage.reconciling.ledger import Recorded

CACHE_PARTS = ("cache_read_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens")
_NOON = time(12, tzinfo=UTC)


class OurRates:
    """Rates of one organization in the ledger currency, per token."""

    def __init__(self, rate_card_id: int | None, ledger: str) -> None:
        """`rate_card_id` is the organization's contract, which precedes other prices."""
        self._book = current_book()
        self._card = rate_card_id
        self._ledger = ledger
        self._listed: dict[tuple[str, str, date], dict[str, Decimal]] = {}

    def of(
        self, provider: str, model: str, day: date, recorded: Recorded | None
    ) -> dict[str, Decimal]:
        """The rate of each part of PARTS that has any.

        A part that was recorded costs what it cost on average, whatever tiers and discounts
        there were; another one, and all where some calls are unpriced, the list price of noon.
        """
        key = (provider, model, day)
        if key not in self._listed:
            self._listed[key] = self._list_prices(*key)
        listed = self._listed[key]
        if recorded is None or recorded.unpriced_events:
            return listed
        input_cost = recorded.input_cost - recorded.cache_cost
        return {
            **listed,
            **_charged(recorded, listed, ("uncached_tokens",), input_cost),
            **_charged(recorded, listed, CACHE_PARTS, recorded.cache_cost),
            **_charged(recorded, listed, ("output_tokens",), recorded.output_cost),
        }

    def _list_prices(self, provider: str, model: str, day: date) -> dict[str, Decimal]:
        noon = datetime.combine(day, _NOON)
        price = self._book.find(provider, model, noon, rate_card_id=self._card)
        if price is not None:
            price = self._book.in_currency(price, self._ledger, noon)
        return {} if price is None else _per_token(price)


def _per_token(price: PriceValue) -> dict[str, Decimal]:
    units = {item.meter: EXACT.divide(item.unit_price, item.per) for item in price.prices}
    if price.exchange_rate is not None:
        units = {name: EXACT.multiply(unit, price.exchange_rate) for name, unit in units.items()}
    found = {}
    for part in PARTS:
        meter: str | None = "input_tokens" if part == "uncached_tokens" else part
        while meter is not None and meter not in units:
            meter = meter_named(meter).parent
        if meter is not None:
            found[part] = units[meter]
    return found


def _charged(
    recorded: Recorded, listed: Mapping[str, Decimal], parts: tuple[str, ...], amount: Decimal
) -> dict[str, Decimal]:
    """What a token of each of `parts` cost, together `amount`: in the proportion of the list."""
    tokens = {part: recorded.tokens[part] for part in parts if recorded.tokens.get(part)}
    weights = {part: listed.get(part, Decimal(0)) for part in tokens}
    if not all(weights.values()):
        weights = dict.fromkeys(tokens, Decimal(1))
    whole = sum((EXACT.multiply(weights[part], tokens[part]) for part in tokens), Decimal(0))
    return {part: EXACT.divide(EXACT.multiply(weights[part], amount), whole) for part in tokens}
