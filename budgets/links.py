"""Where budgets are set, shown and changed, and the events that they count."""

from datetime import timedelta
from urllib.parse import urlencode

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.urls import reverse

from budgets.models import Budget
from budgets.selectors.standings import BudgetState
from usage.models import Membership, Organization


def budget_add_url(
    user: AbstractBaseUser | AnonymousUser, organization: str = "", project: str = ""
) -> str:
    """The form for a new budget, filled in for the organization and project of these slugs.

    "" for who may not set it: only site staff and the organization's administrators may.
    """
    if user.pk is None:
        return ""
    rows = Organization.objects.all()
    if not getattr(user, "is_superuser", False):
        administered = Membership.objects.filter(user_id=user.pk, role=Membership.Role.ADMIN)
        rows = rows.filter(pk__in=administered.values("organization_id"))
    if organization:
        rows = rows.filter(slug=organization)
    if not rows.exists():
        return ""
    given = {"organization": organization, "project": project}
    asked = urlencode({name: slug for name, slug in given.items() if slug})
    return reverse("admin:budgets_budget_add") + (f"?{asked}" if asked else "")


def budget_url(budget: Budget) -> str:
    """The page of a budget."""
    return reverse("admin:budgets_budget_change", args=[budget.pk])


def events_url(state: BudgetState) -> str:
    """The list of the events that were counted against a budget in its period."""
    budget = state.budget
    asked = {
        "organization": budget.organization.slug,
        "from": state.start.isoformat(),
        "through": (state.end - timedelta(days=1)).isoformat(),
        "tz": budget.organization.time_zone,
    }
    if budget.project is not None:
        asked["project"] = budget.project.slug
    return f"{reverse('admin:usage_usageevent_changelist')}?{urlencode(asked)}"
