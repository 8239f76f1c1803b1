"""The whole demonstration: every organization's days up to now, growing all the while."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

from usage.demo.cast import COMPANIES
from usage.demo.days import Day, iterate_days
from usage.demo.offers import Market, Offer
from usage.ingest.values import EventValue

RUNAWAY_DAYS_AGO = 9
RUNAWAY_CALLS = 900
BROKEN_DAYS = 16
"""For how long the nightly release of the first organization has been breaking off."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to make: `days` days ending with `now` (aware), `scale` 1 = about 300,000 events a year.

    Equal seeds, ends and scales make equal events, whatever the time of the day.
    """

    seed: int
    now: datetime
    days: int
    scale: float

    @property
    def last_day(self) -> date:
        """The last day, in UTC."""
        return self.now.astimezone(UTC).date()

    @property
    def first_day(self) -> date:
        """The first day, in UTC."""
        return self.last_day - timedelta(days=self.days - 1)


def make_days(plan: Plan, offers: list[Offer]) -> Iterator[list[EventValue]]:
    """The events of each day, all organizations together, ascending; none is after `now`."""
    first, last = plan.first_day, plan.last_day
    runaway = _runaway_day(last)
    # A zone east of Greenwich is in tomorrow before UTC is.
    for day in iterate_days(first, last + timedelta(days=1)):
        market = Market(offers, day)
        events: list[EventValue] = []
        for company in COMPANIES:
            if day > plan.now.astimezone(ZoneInfo(company.time_zone)).date():
                continue
            rng = Random(f"{plan.seed}/{company.slug}/{day}")  # noqa: S311 - not for secrets
            volume = plan.scale * _growth((day - first).days / max(plan.days, 1), day, rng)
            is_first = company is COMPANIES[0]
            broken = is_first and (last - day).days < BROKEN_DAYS
            maker = Day(company, day, volume, market, rng, broken)
            if is_first and day == runaway:
                maker.runaway(max(5, round(RUNAWAY_CALLS * plan.scale)))
            events.extend(maker.events())
        yield sorted(
            (event for event in events if event.occurred_at <= plan.now),
            key=lambda event: event.occurred_at,
        )


def _runaway_day(last: date) -> date:
    day = last - timedelta(days=RUNAWAY_DAYS_AGO)
    while day.weekday() >= 5:
        day -= timedelta(days=1)
    return day


def _growth(progress: float, day: date, rng: Random) -> float:
    """How busy a day is: a year's growth, holidays, a quiet August and some chance."""
    grown = 0.4 + 0.95 * math.pow(progress, 1.3)
    if (day.month, day.day) >= (12, 23) or (day.month, day.day) <= (1, 2):
        grown *= 0.3
    elif day.month == 8:
        grown *= 0.85
    return grown * (0.88 + 0.24 * rng.random())
