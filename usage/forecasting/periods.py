"""What a period comes to in the end: what is spent, what the rest of today has, and the days
that follow. Exact but for the estimates it starts from."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from statistics import NormalDist

from usage.forecasting.outlooks import Outlook

_WITHIN = 0.9
"""How probable it is that a sum is not above the band."""
_SPREADS = NormalDist().inv_cdf(_WITHIN)


@dataclass(frozen=True, slots=True)
class Ending:
    """What a period will have come to; `low` to `high` holds for four of five."""

    expected: Decimal
    low: Decimal
    high: Decimal


def in_the_end(spent: Decimal, current: Decimal, ahead: Outlook) -> Ending:
    """What a period comes to of which `spent` is spent, `current` of it today, with the outlook
    from today on, or from its first day where that is yet to come.

    Today counts as what it is expected to have, or as what it has where that is more.
    """
    base = spent - current + _beyond(current, ahead)
    low, high = base + ahead.low, base + ahead.high
    return Ending(base + ahead.expected, max(low, spent), high)


def day_above(
    limit: Decimal, spent: Decimal, current: Decimal, ahead: Outlook, today: date
) -> date | None:
    """The day on which the expected sums of the days from `today` on pass a limit; None where
    they do not, or where it has been passed."""
    if spent > limit:
        return None
    total = float(spent - current + _beyond(current, ahead))
    for day, expected in enumerate(ahead.days):
        total += expected
        if total > float(limit):
            return today + timedelta(days=day)
    return None


def chance_above(limit: Decimal, ending: Ending) -> Decimal:
    """How probable it is, in percent, that a period ends above a limit: as if sums lay about what
    is expected the way of a bell, as wide to each side as the band is."""
    over = float(limit - ending.expected)
    side = ending.high - ending.expected if over > 0 else ending.expected - ending.low
    if side <= 0:
        return Decimal(0 if over >= 0 else 100)
    chance = NormalDist().cdf(-over / (float(side) / _SPREADS))
    return Decimal(f"{100 * chance:.2f}")


def _beyond(current: Decimal, ahead: Outlook) -> Decimal:
    """By how much today is above what it was expected to have."""
    if not ahead.days or not current:
        return Decimal(0)
    return max(current - Decimal(f"{ahead.days[0]:.12g}"), Decimal(0))
