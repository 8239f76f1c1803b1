"""How much a budget allows at a time, in the unit that its windows count in."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from django.conf import settings
from django.core.exceptions import ValidationError

from budgets.models import Budget, BudgetRaise
from budgets.models.budgets import LIMIT_DECIMALS, LIMIT_DIGITS
from pricing.compiled import EXACT, quantize
from pricing.price_book import current_book

_MOST = Decimal(10) ** (LIMIT_DIGITS - LIMIT_DECIMALS) - Decimal(1).scaleb(-LIMIT_DECIMALS)
"""What a window can tell at most, whatever a limit comes to in the ledger currency."""


class Allowed(NamedTuple):
    """A limit (None: none) in the ledger currency, tokens or requests, and the aware time at
    which another one begins to hold, if any is known."""

    limit: Decimal | None
    until: datetime | None


def allowed_at(
    budget: Budget, raises: Iterable[BudgetRaise], member: int, now: datetime, start: datetime
) -> Allowed:
    """What `member` of a budget may use at `now`, in the window that begins at `start`.

    The latest of `raises` that holds then precedes the budget's own limit, one for the member
    itself one for all. Raises ValidationError where no exchange rate is known.
    """
    own = [r for r in raises if r.member in (0, member) and r.since <= now]
    holding = max(
        (r for r in own if now < r.until), key=lambda r: (r.member, r.since, r.pk), default=None
    )
    ends = [r.until for r in own if now < r.until]
    begins = [r.since for r in raises if r.member in (0, member) and now < r.since]
    limit = holding.limit if holding else budget.limit
    return Allowed(in_ledger(budget, limit, start, now), min((*ends, *begins), default=None))


def in_ledger(
    budget: Budget, amount: Decimal | None, start: datetime, now: datetime
) -> Decimal | None:
    """An amount of a budget's currency in the ledger's, by the rate of the UTC day of `start`.

    Where none is known for that day, the one of `now` stands in. Amounts of tokens and requests
    stay as they are. Raises ValidationError where there is no rate at all.
    """
    if amount is None or _is_ledgers(budget):
        return amount
    return min(quantize(EXACT.multiply(amount, ledger_rate(budget, start, now))), _MOST)


def ledger_rate(budget: Budget, start: datetime, now: datetime) -> Decimal:
    """What one unit of a budget's currency is in the ledger's, as `in_ledger` takes it."""
    if _is_ledgers(budget):
        return Decimal(1)
    ledger = settings.TALLYMAN_CURRENCY
    book = current_book()
    rate = book.exchange_rate(budget.currency, ledger, start)
    rate = rate or book.exchange_rate(budget.currency, ledger, now)
    if rate is None:
        message = f"No exchange rate from {budget.currency} to {ledger} is known."
        raise ValidationError({"currency": message})
    return rate


def _is_ledgers(budget: Budget) -> bool:
    return budget.currency in ("", settings.TALLYMAN_CURRENCY)
