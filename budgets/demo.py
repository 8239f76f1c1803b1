"""Budgets of the demonstration data: some far from their limit, some near it, some over."""

from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

from budgets.models import Budget
from budgets.selectors.states import states_of
from usage.models import Organization, Project
from usage.selectors.access import EVERYTHING

_WANTED = (
    ("acme", None, Budget.Period.MONTH, 108),
    ("acme", "checkout", Budget.Period.MONTH, 92),
    ("acme", "storefront", Budget.Period.WEEK, 63),
    ("globex", None, Budget.Period.MONTH, 88),
    ("globex", "mobile-app", Budget.Period.QUARTER, 70),
    ("initech", None, Budget.Period.MONTH, 46),
)
"""Organization, project, period, and about how many percent of the limit are used."""


def set_demo_budgets(now: datetime) -> None:
    """Set limits that fit what the demonstration's organizations have spent by `now`, an aware
    time. Does nothing where there is any budget already."""
    if Budget.objects.exists():
        return
    for slug, project, period, used in _WANTED:
        budget = _planned(slug, project, period)
        spent = states_of(EVERYTHING, [budget], now)[0].spent
        if spent > 0:
            budget.limit = _round_limit(spent * 100 / used)
            budget.save()


def _planned(slug: str, project: str | None, period: str) -> Budget:
    organization = Organization.objects.get(slug=slug)
    part = project and Project.objects.get(organization=organization, slug=project)
    return Budget(organization=organization, project=part or None, period=period)


def _round_limit(limit: Decimal) -> Decimal:
    """`limit` in two figures that a person would have chosen."""
    return limit.quantize(Decimal(1).scaleb(limit.adjusted() - 1), ROUND_HALF_UP)
