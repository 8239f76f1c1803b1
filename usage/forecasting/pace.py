"""What a period comes to at the pace so far: the simple comparison of every forecast. Exact."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

RATE_DAYS = 28
"""How many days a run rate looks back on for a period that has not begun."""


def run_rate(spent: Decimal, days_gone: int) -> Decimal | None:
    """What a day costs on average, today being one of those gone; None when none is."""
    return spent / days_gone if days_gone > 0 else None


def projected_total(spent: Decimal, rate: Decimal, days_left: int) -> Decimal:
    """What is spent when each day left after today costs `rate`."""
    return spent + rate * days_left


def at_daily_pace(
    spent: Decimal, start: date, end: date, today: date, history: Sequence[Decimal]
) -> Decimal:
    """What the days from `start` to before `end`, of which `spent` is spent, come to when those
    after today are like those gone; before they begin, like the last days of `history`."""
    if today >= end:
        return spent
    if start <= today:
        rate = run_rate(spent, (today - start).days + 1)
        return projected_total(spent, rate or Decimal(0), (end - today).days - 1)
    recent = history[-RATE_DAYS:]
    rate = run_rate(sum(recent, Decimal(0)), len(recent))
    return projected_total(Decimal(0), rate or Decimal(0), (end - start).days)
