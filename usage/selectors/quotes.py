"""What a call would cost and why, and how the cost of a stored event came about."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from pricing.compiled import PriceValue, converted
from pricing.meters import Quantity
from pricing.models import PriceVersion
from pricing.price_book import PriceBook, compile_version
from pricing.rating import Charge, charges, fallback_meters, unpriced_meters
from pricing.selectors import stored_versions
from usage.ingest.prepare import Prepared
from usage.ingest.rating import Outcome, rate_call
from usage.ingest.validate import counts_by_meter, counts_of
from usage.ingest.values import EventValue
from usage.models import UsageEvent

REPORTED = "reported_cost"
"""The name of the one charge of a call whose reported cost counts."""


class Basis(StrEnum):
    """What a cost rests on."""

    PRICE = "price"
    REPORTED_COST = REPORTED
    FREE_TIER = "free_tier"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a call is unpriced: `code` for programs, `message` for people."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """The charges of a cost, whose amounts add up to it, in the ledger currency.

    Their unit prices are in `price_currency`; `exchange_rate` is None where both are the same.
    `fallback_meters` are priced as their whole for want of a price of their own, `unpriced_meters`
    not at all. `basis` is None and `charges` empty where there is no cost.
    """

    basis: Basis | None
    charges: tuple[Charge, ...] = ()
    price_currency: str = ""
    exchange_rate: Decimal | None = None
    fallback_meters: tuple[str, ...] = ()
    unpriced_meters: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Quote:
    """What a call costs in the ledger currency; without a `cost` there is a `reason`."""

    event: EventValue
    cost: Decimal | None
    explanation: Explanation
    version: PriceVersion | None
    reason: Reason | None


def quote_call(prepared: Prepared, book: PriceBook, ledger: str) -> Quote:
    """The cost of a call as storing it now would rate it. Stores nothing."""
    event = prepared.event
    counts = counts_of(event)
    outcome = rate_call(event, prepared.tenant.rate_card_id, counts, book, ledger)
    rating, exchange_rate, price = outcome
    if rating is None:
        missing = unpriced_meters(counts, price) if price else tuple(n for n in counts if counts[n])
        reason = _reason(event, outcome, missing, book, ledger)
        return Quote(event, None, Explanation(None, unpriced_meters=missing), None, reason)
    cost = rating.in_currency().cost
    if event.free_tier:
        return Quote(event, cost, Explanation(Basis.FREE_TIER), None, None)
    if price is None or not rating.price_version_id:
        currency = event.currency or ledger
        reported = _reported(cost, event.reported_cost, currency, exchange_rate)
        return Quote(event, cost, reported, None, None)
    versions = PriceVersion.objects.select_related("rate_card", "model__provider")
    version = versions.get(pk=rating.price_version_id)
    return Quote(event, cost, _explain(counts, price), version, None)


def explain_event(event: UsageEvent, ledger: str) -> Explanation:
    """How the cost of a stored event came about, by the price version that rated it."""
    if event.cost is None or event.state == UsageEvent.State.ADJUSTMENT:
        return Explanation(None)
    if event.price_version_id is None:
        if event.kind.free_tier or event.reported_cost is None:
            return Explanation(Basis.FREE_TIER if event.kind.free_tier else None)
        currency = event.reported_currency or ledger
        return _reported(event.cost, event.reported_cost, currency, event.exchange_rate)
    price = _price_of(event, event.price_version_id, ledger)
    return _explain(stored_counts(event), price) if price else Explanation(None)


def _explain(counts: Mapping[str, Quantity], price: PriceValue) -> Explanation:
    return Explanation(
        Basis.PRICE,
        charges(counts, price),
        price.price_currency,
        price.exchange_rate,
        fallback_meters(counts, price),
        unpriced_meters(counts, price),
    )


def _reported(
    cost: Decimal, reported: Decimal | None, currency: str, exchange_rate: Decimal | None
) -> Explanation:
    charge = Charge(REPORTED, "other", 1, cost if reported is None else reported, 1, cost)
    return Explanation(Basis.REPORTED_COST, (charge,), currency, exchange_rate)


def _reason(
    event: EventValue, outcome: Outcome, missing: tuple[str, ...], book: PriceBook, ledger: str
) -> Reason:
    price = outcome.price
    day = f"{event.occurred_at:%Y-%m-%d}"
    named = event.provider or (price.provider if price else "")
    if event.reported_cost is not None and book.trusts_reported_cost(named):
        return _no_rate(event.currency or ledger, ledger, day)
    if price is None:
        asked = f"{event.provider}/{event.model}" if event.provider else event.model
        return Reason("no_price", f"No price of {asked} is known for {day}.")
    if price.currency != ledger:
        return _no_rate(price.currency, ledger, day)
    return Reason(
        "no_meter_price", f"The price of {price.model} says nothing about {', '.join(missing)}."
    )


def _no_rate(currency: str, ledger: str, day: str) -> Reason:
    message = f"No exchange rate from {currency} to {ledger} is known for {day}."
    return Reason("no_exchange_rate", message)


def _price_of(event: UsageEvent, version_id: int, ledger: str) -> PriceValue | None:
    found = stored_versions(PriceVersion.objects.filter(pk=version_id))
    if not found:
        return None
    price = compile_version(found[0])
    if event.exchange_rate is None:
        return price
    return converted(price, ledger, event.exchange_rate)


def stored_counts(event: UsageEvent) -> dict[str, Quantity]:
    """What a stored event counted, by meter."""
    meters = {name: Decimal(str(value)) for name, value in (event.meters or {}).items()}
    return counts_by_meter(
        event.input_tokens,
        event.output_tokens,
        event.cache_read_tokens,
        event.cache_write_tokens,
        event.cache_write_1h_tokens,
        event.reasoning_tokens,
        meters=meters,
    )
