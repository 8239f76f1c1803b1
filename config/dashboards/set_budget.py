"""The small form for the monthly budget of what a page is about."""

from dataclasses import dataclass

from budgets.selectors.own import own_budget
from usage.models import Organization, Project
from usage.selectors.currency import ledger_currency


@dataclass(frozen=True, slots=True)
class MonthlyBudget:
    """What the form is filled in with: `limit` "" where there is no budget, or no limit."""

    organization: str
    project: str
    limit: str
    is_hard: bool
    currency: str


def monthly_budget(organization: Organization, project: Project | None = None) -> MonthlyBudget:
    """The monthly budget of all that an organization or project uses, as it is now."""
    budget = own_budget(organization, project)
    limit = budget.limit if budget else None
    return MonthlyBudget(
        organization.slug,
        project.slug if project else "",
        "" if limit is None else f"{limit.normalize():f}",
        budget.is_hard if budget else False,
        (budget.currency if budget else "") or ledger_currency(),
    )
