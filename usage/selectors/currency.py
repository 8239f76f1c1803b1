"""Costs in another currency than the ledger's: those of each day by the rate of that day.

A day is one of the question's time zone, and its rate the latest recorded for its date or an
earlier one. Days are what sums of every granularity are converted by, so that they always agree.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.conf import settings

from pricing.exchange_rates import ExchangeRates, current_rates
from usage.selectors.periods import Bounds
from usage.selectors.questions import QuestionError

NO_RATE = "no_exchange_rate"
"""The code of a question that asks for a currency without a rate."""


@dataclass(frozen=True, slots=True)
class DayRates:
    """What one unit of the ledger currency buys on each of these days.

    `since` is the first day of all that has a rate; none before it is among `days`.
    """

    since: date
    days: Sequence[date]
    rates: Sequence[Decimal]


def ledger_currency() -> str:
    """The ISO 4217 code of the currency that costs are kept in."""
    return str(settings.TALLYMAN_CURRENCY)


def shown_currencies() -> list[str]:
    """The currencies that costs can be shown in: the ledger's, then others, ascending."""
    ledger = ledger_currency()
    return [ledger, *current_rates().currencies(ledger)]


def day_rates(bounds: Bounds, currency: str) -> DayRates | None:
    """The rates of the days within bounds, None for the ledger currency, which needs none.

    Raises QuestionError for a currency without any rate.
    """
    ledger = ledger_currency()
    if currency in ("", ledger):
        return None
    known = current_rates()
    since = known.first_day(ledger, currency)
    if since is None:
        raise _no_rate(f"no rate to {currency[:20]!r} is known")
    rates = _rates(known, currency, max(since, bounds.first_day), bounds.last_day)
    return DayRates(since, [day for day, _ in rates], [rate for _, rate in rates])


def unrated_day(currency: str, day: date) -> QuestionError:
    """The refusal of a question with usage on a day before all rates."""
    return _no_rate(f"{day} has usage, but no rate to {currency} is known for it or an earlier day")


def _rates(
    known: ExchangeRates, currency: str, first: date, last: date
) -> list[tuple[date, Decimal]]:
    ledger, found = ledger_currency(), []
    day = first
    while day <= last:
        rate = known.on(ledger, currency, day)
        if rate is not None:
            found.append((day, rate))
        day += timedelta(days=1)
    return found


def _no_rate(reason: str) -> QuestionError:
    message = f"Costs are kept in {ledger_currency()}; {reason}."
    return QuestionError("currency", NO_RATE, message)
