"""Where budgets, decisions, reservations, alerts and channels are shown and changed, and the
events that budgets count."""

from datetime import date, timedelta
from urllib.parse import urlencode

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.urls import reverse

from budgets.models import Alert, Budget, Channel, Decision, Notice, Reservation
from budgets.selectors.scopes import usage_filters
from budgets.selectors.standings import BudgetState
from usage.models import Membership, Organization

_FIRST_DAY = date(2000, 1, 1)
"""Before it the list of events looks for nothing."""


def may_set_budgets(user: AbstractBaseUser | AnonymousUser, organization: str = "") -> bool:
    """Whether somebody may set budgets of the organization of this slug, or of any: site staff
    and its administrators may."""
    if user.pk is None:
        return False
    rows = Organization.objects.all()
    if not getattr(user, "is_superuser", False):
        administered = Membership.objects.filter(user_id=user.pk, role=Membership.Role.ADMIN)
        rows = rows.filter(pk__in=administered.values("organization_id"))
    if organization:
        rows = rows.filter(slug=organization)
    return rows.exists()


def budget_add_url(
    user: AbstractBaseUser | AnonymousUser, organization: str = "", project: str = ""
) -> str:
    """The form for a new budget, filled in for the organization and project of these slugs.

    "" for who may not set it: only site staff and the organization's administrators may.
    """
    if not may_set_budgets(user, organization):
        return ""
    given = {"organization": organization, "project": project}
    asked = urlencode({name: slug for name, slug in given.items() if slug})
    return reverse("admin:budgets_budget_add") + (f"?{asked}" if asked else "")


def budget_url(budget: Budget) -> str:
    """The page of a budget."""
    return reverse("admin:budgets_budget_page", args=[budget.pk])


def budget_change_url(budget: Budget) -> str:
    """The form of a budget."""
    return reverse("admin:budgets_budget_change", args=[budget.pk])


def decision_url(decision: Decision) -> str:
    """The page of a decision: why a call was warned about or blocked."""
    return reverse("admin:budgets_decision_change", args=[decision.pk])


def reservation_url(reservation: Reservation) -> str:
    """The page of a reservation."""
    return reverse("admin:budgets_reservation_change", args=[reservation.pk])


def alert_url(alert: Alert) -> str:
    """The page of an alert: what was seen, who was told, and what was done about it."""
    return reverse("admin:budgets_alert_change", args=[alert.pk])


def channel_url(channel: Channel) -> str:
    """The form of a channel."""
    return reverse("admin:budgets_channel_change", args=[channel.pk])


def notice_url(notice: Notice) -> str:
    """The page of a notice: what it says, and every try to deliver it."""
    return reverse("admin:budgets_notice_change", args=[notice.pk])


def events_url(state: BudgetState) -> str:
    """The list of the events that were counted against a budget in its period."""
    budget = state.budget
    # Where the budget names no organization, the member's name says more than a filter takes.
    is_alone = budget.organization is not None or budget.per == "organization"
    filters = usage_filters(budget, state.member_name if is_alone else "")
    asked = {name: values[0] for name, values in filters.items()}
    asked["from"] = max(state.start, _FIRST_DAY).isoformat()
    if state.end is not None:
        asked["through"] = (state.end - timedelta(days=1)).isoformat()
    if state.zone is not None:
        asked["tz"] = state.zone
    return f"{reverse('admin:usage_usageevent_changelist')}?{urlencode(asked)}"
