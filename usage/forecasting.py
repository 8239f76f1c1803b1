"""Forecasts of daily spend from its own past. Pure: no database, no clock, no float.

A day is expected to cost the weighted median of the same weekdays of the last eight weeks, of
which recent ones weigh more. What those weeks deviated from it, whole weeks drawn at random, gives
the band that four of five sums are expected to lie in.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import accumulate
from random import Random

WEEK = 7
WEEKS = 8
MIN_DAYS = 14
"""Days of history without which nothing is forecast."""
BACK_TESTS = 4
HISTORY_DAYS = WEEK * (WEEKS + BACK_TESTS)
"""How many days of history forecasts and their tests look at."""
_DRAWS = 1_000
_OUTSIDE = _DRAWS // 10
_SEED = 1


@dataclass(frozen=True, slots=True)
class Outlook:
    """What some days to come will cost together; `low` to `high` holds for four of five."""

    expected: Decimal
    low: Decimal
    high: Decimal


def expected_days(history: Sequence[Decimal], days: int) -> list[Decimal]:
    """What each of the `days` after `history` is expected to cost.

    `history` are the costs of consecutive days, oldest first, at least MIN_DAYS of them.
    """
    week = _profile(history)
    return [week[day % WEEK] for day in range(days)]


def outlook(history: Sequence[Decimal], days: int, *, skip: int = 0) -> Outlook:
    """What the `days` after `history` will cost together, but for the first `skip` of them.

    `history` is as in `expected_days`. No sum is below zero.
    """
    expected = sum(expected_days(history, days)[skip:], Decimal(0))
    weeks = _deviations(history)
    rng = Random(_SEED)  # noqa: S311 - not for secrets: equal histories give equal bands
    blocks = [
        _sums_within(weeks, max(skip - first, 0), min(days - first, WEEK))
        for first in range(0, days, WEEK)
        if first + WEEK > skip
    ]
    draws = sorted(sum((rng.choice(block) for block in blocks), Decimal(0)) for _ in range(_DRAWS))
    return Outlook(
        expected,
        max(expected + min(draws[_OUTSIDE], Decimal(0)), Decimal(0)),
        expected + max(draws[-_OUTSIDE - 1], Decimal(0)),
    )


def back_test_error(history: Sequence[Decimal]) -> Decimal | None:
    """By how many percent, on average, forecasts of the last weeks missed what a week then cost.

    Each of the last four weeks that cost anything is forecast from the days before it; None where
    there are too few days for any.
    """
    errors = []
    for back in range(1, BACK_TESTS + 1):
        start = len(history) - WEEK * back
        if start < MIN_DAYS:
            break
        actual = sum(history[start : start + WEEK], Decimal(0))
        if actual > 0:
            forecast = sum(expected_days(history[:start], WEEK), Decimal(0))
            errors.append(abs(forecast - actual) * 100 / actual)
    return sum(errors, Decimal(0)) / len(errors) if errors else None


def run_rate(spent: Decimal, days_gone: int) -> Decimal | None:
    """What a day costs on average, today being one of those gone; None when none is."""
    return spent / days_gone if days_gone > 0 else None


def projected_total(spent: Decimal, rate: Decimal, days_left: int) -> Decimal:
    """What is spent when each day left after today costs `rate`."""
    return spent + rate * days_left


def weighted_median(values: Sequence[Decimal], weights: Sequence[int]) -> Decimal:
    """The value with half of the weight below it; the mean of two that share the middle."""
    pairs = sorted(zip(values, weights, strict=True))
    reached = list(accumulate(weight for _, weight in pairs))
    whole = reached[-1]
    for position, upto in enumerate(reached):
        if 2 * upto == whole:
            return (pairs[position][0] + pairs[position + 1][0]) / 2
        if 2 * upto > whole:
            return pairs[position][0]
    raise ValueError("no weights")


def _profile(history: Sequence[Decimal]) -> list[Decimal]:
    """What the seven days after `history` are expected to cost."""
    if len(history) < MIN_DAYS:
        raise ValueError(f"a forecast needs {MIN_DAYS} days")
    return [_expected(_weekday(history, day)) for day in range(WEEK)]


def _weekday(history: Sequence[Decimal], day: int) -> list[Decimal]:
    """The costs of the weekday that is `day` days after the history's end, newest first."""
    return list(history[::-1][WEEK - 1 - day :: WEEK][:WEEKS])


def _expected(newest_first: list[Decimal]) -> Decimal:
    return weighted_median(newest_first, range(WEEKS, WEEKS - len(newest_first), -1))


def _deviations(history: Sequence[Decimal]) -> list[list[Decimal]]:
    """What each whole week of the history deviated from the profile, day by day."""
    week = _profile(history)
    count = min(len(history) // WEEK, WEEKS)
    weekdays = [_weekday(history, day) for day in range(WEEK)]
    return [[weekdays[day][back] - week[day] for day in range(WEEK)] for back in range(count)]


def _sums_within(weeks: list[list[Decimal]], first: int, end: int) -> list[Decimal]:
    return [sum(week[first:end], Decimal(0)) for week in weeks]
