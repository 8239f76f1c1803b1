"""The budget of exactly one scope, for those who set it without naming it."""

from typing import Any, TypeAlias

from budgets.models import Budget
from budgets.models.budgets import RELATIONS, WORDS
from usage.models import Organization, Project, Subject, Team

Part: TypeAlias = Project | Team | Subject
"""What an organization consists of."""


def part_name(part: Part) -> str:
    """The part of a scope that it is."""
    return part._meta.model_name or ""


def own_budget(
    organization: Organization | None,
    part: Part | None = None,
    *,
    period: str = Budget.Period.MONTH,
    measure: str = Budget.Measure.COST,
    name: str | None = None,
) -> Budget | None:
    """The enabled budget of all that an organization, or a part of it, uses.

    No `organization` means the site as a whole. Without a `name` the one that has none, else the
    first by name.
    """
    exact: dict[str, Any] = dict.fromkeys(RELATIONS)
    exact |= {"organization": organization, **dict.fromkeys((*WORDS, "per"), "")}
    if part is not None:
        exact[part_name(part)] = part
    if name is not None:
        exact["name"] = name
    rows = Budget.objects.filter(**exact, period=period, measure=measure, enabled=True)
    return rows.select_related(*RELATIONS).order_by("name", "pk").first()
