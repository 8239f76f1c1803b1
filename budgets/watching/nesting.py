"""Unusual spend of several series that is the same money: told once, with what caused it."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from statistics import median

import numpy as np

from budgets.alerts.keeping import fitted_key
from budgets.watching.unusual import PAST_DAYS, Hours, Stretch
from usage.selectors.spend_series import Spender, SpentHour

SAME = Decimal("0.7")
"""So much of an excess explains it."""
MOST_CAUSES = 4

_HOURS = 24
_WEEK = timedelta(days=7)
_BREADTHS = ("organization", "project", "model", "person")


@dataclass(frozen=True, slots=True)
class Excess:
    """What a series spent in the hours of a day that are unusual most, and what is usual there."""

    spender: Spender
    day: date
    stretch: Stretch
    spent: Decimal
    usual: Decimal

    @property
    def key(self) -> str:
        """What names its series and day."""
        dimension, organization = dimension_of(self.spender), self.spender.organization_id
        member = self.spender.project_id or self.spender.subject_id or self.spender.model or ""
        return fitted_key(f"{self.day}:{organization}:{dimension}:{member}")


@dataclass(slots=True)
class Ledger:
    """What one organization and the spenders watched in it spent in each hour since a day."""

    first_day: date
    spenders: dict[Spender, dict[tuple[date, int], Decimal]] = field(default_factory=dict)
    cells: dict[date, list[SpentHour]] = field(default_factory=lambda: defaultdict(list))

    def watch(self, spender: Spender) -> None:
        """Count for a spender what is added from now on."""
        self.spenders[spender] = defaultdict(Decimal)

    def add(self, spent: SpentHour) -> None:
        """Count an hour for everybody whose it is."""
        self.cells[spent.day].append(spent)
        for spender in _owners(spent):
            if spender in self.spenders:
                self.spenders[spender][spent.day, spent.hour] += spent.cost

    def matrix(self, spender: Spender, days: int) -> Hours:
        """A spender's hours as numbers to reckon with, no money to show."""
        hours = np.zeros((days, _HOURS))
        for (day, hour), cost in self.spenders[spender].items():
            hours[(day - self.first_day).days, hour] = float(cost)
        return hours

    def excess(self, spender: Spender, day: date, stretch: Stretch) -> Excess:
        """What a spender spent in a stretch of a day, and usually spends in it."""
        begun = min(self.spenders[spender])[0]
        weeks = [day - n * _WEEK for n in range(1, 1 + PAST_DAYS // _WEEK.days)]
        usual = median(self._sum(spender, past, stretch) for past in weeks if past >= begun)
        return Excess(spender, day, stretch, self._sum(spender, day, stretch), usual)

    def shared(self, one: Spender, other: Spender, day: date) -> Decimal:
        """What was spent on a day by both of two spenders."""
        both = (spent for spent in self.cells[day] if {one, other} <= set(_owners(spent)))
        return sum((spent.cost for spent in both), Decimal(0))

    def _sum(self, spender: Spender, day: date, stretch: Stretch) -> Decimal:
        hours = self.spenders[spender]
        return sum((hours.get((day, hour), Decimal(0)) for hour in range(*stretch)), Decimal(0))


def dimension_of(spender: Spender) -> str:
    """Whether it is an organization, or a project, model or person of it."""
    if spender.project_id:
        return "project"
    if spender.subject_id:
        return "person"
    return "organization" if spender.model is None else "model"


def told_apart(
    excesses: Iterable[Excess], ledgers: Mapping[int, Ledger], told: Collection[str]
) -> Iterator[tuple[Excess, list[tuple[Spender, Decimal]]]]:
    """What is to be told, each with its causes and what these spent of it on that day.

    Of several that are the same money for the most part the first counts: what has been told
    (their keys) before, then an organization before its parts.
    """
    kept: list[Excess] = []
    for excess in sorted(
        excesses,
        key=lambda each: (each.key not in told, _breadth(each.spender), each.usual - each.spent),
    ):
        ledger = ledgers[excess.spender.organization_id]
        if not any(_is_same(excess, other, ledger) for other in kept):
            kept.append(excess)
            yield excess, _causes(excess, ledger)


def _breadth(spender: Spender) -> int:
    return _BREADTHS.index(dimension_of(spender))


def _is_same(excess: Excess, other: Excess, ledger: Ledger) -> bool:
    if excess.day != other.day or excess.spender.organization_id != other.spender.organization_id:
        return False
    shared = ledger.shared(excess.spender, other.spender, excess.day)
    return shared >= SAME * (excess.spent - excess.usual)


def _causes(excess: Excess, ledger: Ledger) -> list[tuple[Spender, Decimal]]:
    """Who of each other dimension accounts for most of an excess, the largest first."""
    dimension = dimension_of(excess.spender)
    parts = [
        (spender, ledger.shared(spender, excess.spender, excess.day))
        for spender in ledger.spenders
        if dimension_of(spender) not in ("organization", dimension)
    ]
    least = (1 - SAME) * (excess.spent - excess.usual)
    large = [part for part in parts if part[1] >= least]
    return sorted(large, key=lambda part: (-part[1], _breadth(part[0])))[:MOST_CAUSES]


def _owners(spent: SpentHour) -> list[Spender]:
    pk = spent.organization_id
    return [
        Spender(pk),
        *([Spender(pk, project_id=spent.project_id)] if spent.project_id else ()),
        *([Spender(pk, subject_id=spent.subject_id)] if spent.subject_id else ()),
        *([Spender(pk, model=spent.model)] if spent.model is not None else ()),
    ]
