"""How the budgets that somebody may see stand now."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import groupby

from budgets.models import Budget
from budgets.selectors.standings import BudgetState, Level
from budgets.windows import window_of
from usage.selectors.access import Viewer
from usage.selectors.overview import visible
from usage.selectors.periods import find_zone, midnight
from usage.selectors.questions import UsageQuery
from usage.selectors.usage import query_usage

__all__ = ["BudgetState", "Level", "read_states", "states_of"]

_Key = tuple[str, str | None]


@dataclass(slots=True)
class _Sum:
    cost: Decimal = Decimal(0)
    unpriced_events: int = 0


def read_states(
    viewer: Viewer,
    now: datetime,
    *,
    organization: str | None = None,
    project: str | None = None,
) -> list[BudgetState]:
    """The enabled budgets that a viewer may see at `now`, an aware time, most used first.

    `organization` keeps those of that organization and of its projects, `project` those of
    projects called so. One question about usage for each zone and period among them.
    """
    rows = visible(Budget.objects.filter(enabled=True), viewer)
    if organization is not None:
        rows = rows.filter(organization__slug=organization)
    if project is not None:
        rows = rows.filter(project__slug=project)
    found = states_of(viewer, rows.select_related("organization", "project"), now)
    return sorted(found, key=_least_used_last)


def states_of(viewer: Viewer, budgets: Iterable[Budget], now: datetime) -> list[BudgetState]:
    """How each of `budgets` stands at `now`, in any order, as far as `viewer` sees its usage.

    They come with their organization and project.
    """
    states = []
    for (zone, period), group in groupby(sorted(budgets, key=_counted_in), key=_counted_in):
        states += _states_in(viewer, list(group), now, zone, period)
    return states


def _counted_in(budget: Budget) -> tuple[str, str]:
    return budget.organization.time_zone, budget.period


def _states_in(
    viewer: Viewer, budgets: Sequence[Budget], now: datetime, zone_name: str, period: str
) -> list[BudgetState]:
    zone = find_zone(zone_name)
    start, end = window_of(now.astimezone(zone).date(), period)
    sums = _sums(viewer, budgets, start, end, zone_name)
    left = midnight(end, zone) - now
    return [
        BudgetState(budget, start, end, found.cost, found.unpriced_events, left)
        for budget in budgets
        for found in (sums.get(_key(budget), _Sum()),)
    ]


def _key(budget: Budget) -> _Key:
    return budget.organization.slug, budget.project.slug if budget.project else None


def _sums(
    viewer: Viewer, budgets: Sequence[Budget], start: date, end: date, zone_name: str
) -> dict[_Key, _Sum]:
    """The sums of organizations, under None, and of their projects."""
    by_project = any(budget.project for budget in budgets)
    answer = query_usage(
        UsageQuery(
            viewer=viewer,
            start=start,
            end=end,
            time_zone=zone_name,
            group_by=("organization", "project") if by_project else ("organization",),
            filters={"organization": sorted({budget.organization.slug for budget in budgets})},
        )
    )
    sums: dict[_Key, _Sum] = {}
    for row in answer.rows:
        owner = row.group["organization"] or ""
        for part in {None, row.group.get("project")}:
            found = sums.setdefault((owner, part), _Sum())
            found.cost += row.sums.cost
            found.unpriced_events += row.sums.unpriced_events
    return sums


def _least_used_last(state: BudgetState) -> tuple[Decimal, str]:
    used = Decimal(-1) if state.percent is None else state.percent
    return -used, str(state.budget)
