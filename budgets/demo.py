"""Budgets of the demonstration data: some far from their limit, some near it, some over."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from budgets.matching import BudgetValue
from budgets.models import Budget
from budgets.selectors.most_used import count_most_used
from budgets.setting import Actor, save_budget
from usage.models import Organization, Project

_ACTOR = Actor(name="demo")


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What to limit, and about how many percent of the limit are used."""

    organization: str
    project: str | None
    period: str
    used: int
    more: dict[str, Any] = field(default_factory=dict)


_HARD = {"enforcement": Budget.Enforcement.HARD}
_EACH_PERSON = {"per": Budget.Per.SUBJECT, "name": "Each person"}
_TOKENS = {"measure": Budget.Measure.TOKENS}
_WANTED = (
    _Wanted("acme", None, Budget.Period.MONTH, 108),
    _Wanted("acme", "checkout", Budget.Period.MONTH, 92),
    _Wanted("acme", "storefront", Budget.Period.WEEK, 63),
    _Wanted("acme", None, Budget.Period.MONTH, 74, _EACH_PERSON),
    _Wanted("globex", None, Budget.Period.MONTH, 88),
    _Wanted("globex", "mobile-app", Budget.Period.QUARTER, 70, _HARD),
    _Wanted("initech", None, Budget.Period.MONTH, 46, _HARD),
    _Wanted("initech", None, Budget.Period.YEAR, 38, _TOKENS),
)


def set_demo_budgets(now: datetime) -> None:
    """Set limits that fit what the demonstration's organizations have used by `now`, an aware
    time. Does nothing where there is any budget already."""
    if Budget.objects.exists():
        return
    for wanted in _WANTED:
        budget = _planned(wanted)
        used = _used(budget, now)
        if used > 0:
            budget.limit = _round_limit(used * 100 / wanted.used)
            save_budget(budget, None, _ACTOR, now=now)


def _planned(wanted: _Wanted) -> Budget:
    organization = Organization.objects.get(slug=wanted.organization)
    project = None
    if wanted.project:
        project = Project.objects.get(organization=organization, slug=wanted.project)
    return Budget(organization=organization, project=project, period=wanted.period, **wanted.more)


def _used(budget: Budget, now: datetime) -> Decimal:
    """What is used of a budget, or by the member that uses most of it."""
    value = BudgetValue.from_budget(budget)
    _, counted, _ = count_most_used(value, value.span(now))
    return counted.used


def _round_limit(limit: Decimal) -> Decimal:
    """`limit` in two figures that a person would have chosen."""
    return limit.quantize(Decimal(1).scaleb(limit.adjusted() - 1), ROUND_HALF_UP)
