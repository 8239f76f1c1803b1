"""Paths under /api/v1/ of budgets and alerts, and of what tells limits, each with and without its
trailing slash."""

from django.urls import re_path

from budgets.api.alerts import AcknowledgeView, AlertListView, AlertView, ResolveView
from budgets.api.budgets import BudgetListView, BudgetView
from budgets.api.channels import (
    ChannelListView,
    ChannelView,
    RotateSecretView,
    TestChannelView,
)
from budgets.api.checks import CheckView
from budgets.api.decisions import (
    BudgetDecisionsView,
    DecisionCountsView,
    DecisionListView,
    DecisionView,
)
from budgets.api.policies import (
    GroupPolicyView,
    OrganizationPolicyView,
    PolicyListView,
    ProjectBudgetView,
    ProjectPolicyView,
    QuotasView,
    UserPolicyView,
)
from budgets.api.raises import RaiseListView, RaiseView
from budgets.api.reservations import (
    ExtendView,
    ReleaseView,
    ReservationListView,
    ReservationView,
    SettleView,
)
from budgets.api.views import (
    LimitedForecastView,
    LimitedOrganizationView,
    LimitedProjectView,
    LimitedSessionView,
    LimitedSubjectView,
    LimitedSummaryView,
)
from budgets.api.what_if import WhatIfView
from budgets.api.windows import WindowsView

_ALERT = r"^alerts/(?P<alert_id>[^/]+)"
_CHANNEL = r"^channels/(?P<channel_id>[^/]+)"
_BUDGET = r"^budgets/(?P<budget_id>[^/]+)"
_RESERVATION = r"^reservations/(?P<reservation_id>[^/]+)"

urlpatterns = [
    re_path(r"^alerts/?\Z", AlertListView.as_view(), name="alerts"),
    re_path(rf"{_ALERT}/?\Z", AlertView.as_view(), name="alert"),
    re_path(rf"{_ALERT}/acknowledge/?\Z", AcknowledgeView.as_view(), name="alert_acknowledge"),
    re_path(rf"{_ALERT}/resolve/?\Z", ResolveView.as_view(), name="alert_resolve"),
    re_path(r"^channels/?\Z", ChannelListView.as_view(), name="channels"),
    re_path(rf"{_CHANNEL}/?\Z", ChannelView.as_view(), name="channel"),
    re_path(
        rf"{_CHANNEL}/rotate-secret/?\Z", RotateSecretView.as_view(), name="channel_rotate_secret"
    ),
    re_path(rf"{_CHANNEL}/test/?\Z", TestChannelView.as_view(), name="channel_test"),
    re_path(r"^budgets/?\Z", BudgetListView.as_view(), name="budgets"),
    re_path(r"^budgets/check/?\Z", CheckView.as_view(), name="budget_check"),
    re_path(r"^budgets/what-if/?\Z", WhatIfView.as_view(), name="budget_what_if"),
    re_path(rf"{_BUDGET}/?\Z", BudgetView.as_view(), name="budget"),
    re_path(rf"{_BUDGET}/windows/?\Z", WindowsView.as_view(), name="budget_windows"),
    re_path(rf"{_BUDGET}/decisions/?\Z", BudgetDecisionsView.as_view(), name="budget_decisions"),
    re_path(rf"{_BUDGET}/raises/?\Z", RaiseListView.as_view(), name="budget_raises"),
    re_path(rf"{_BUDGET}/raises/(?P<raise_id>[^/]+)/?\Z", RaiseView.as_view(), name="budget_raise"),
    re_path(r"^decisions/?\Z", DecisionListView.as_view(), name="decisions"),
    re_path(r"^decisions/counts/?\Z", DecisionCountsView.as_view(), name="decision_counts"),
    re_path(r"^decisions/(?P<decision_id>[^/]+)/?\Z", DecisionView.as_view(), name="decision"),
    re_path(r"^policies/?\Z", PolicyListView.as_view(), name="policies"),
    re_path(
        r"^policies/organization/?\Z",
        OrganizationPolicyView.as_view(),
        name="organization_policy",
    ),
    re_path(r"^policies/groups/(?P<team>.+?)/?\Z", GroupPolicyView.as_view(), name="group_policy"),
    re_path(r"^policies/users/(?P<subject>.+?)/?\Z", UserPolicyView.as_view(), name="user_policy"),
    re_path(
        r"^policies/projects/(?P<project>.+?)/?\Z",
        ProjectPolicyView.as_view(),
        name="project_policy",
    ),
    re_path(r"^organizations/(?P<slug>[^/]+)/quotas/?\Z", QuotasView.as_view(), name="quotas"),
    re_path(
        r"^projects/(?P<slug>.+)/budget/?\Z", ProjectBudgetView.as_view(), name="project_budget"
    ),
    re_path(r"^reservations/?\Z", ReservationListView.as_view(), name="reservations"),
    re_path(rf"{_RESERVATION}/?\Z", ReservationView.as_view(), name="reservation"),
    re_path(rf"{_RESERVATION}/settle/?\Z", SettleView.as_view(), name="reservation_settle"),
    re_path(rf"{_RESERVATION}/release/?\Z", ReleaseView.as_view(), name="reservation_release"),
    re_path(rf"{_RESERVATION}/extend/?\Z", ExtendView.as_view(), name="reservation_extend"),
    re_path(r"^forecast/?\Z", LimitedForecastView.as_view(), name="forecast"),
    re_path(r"^summary/?\Z", LimitedSummaryView.as_view(), name="summary"),
    re_path(
        r"^organizations/(?P<slug>[^/]+)/summary/?\Z",
        LimitedOrganizationView.as_view(),
        name="organization_summary",
    ),
    # A project may be called like a path, as may a subject.
    re_path(r"^projects/(?P<slug>.+)/summary/?\Z", LimitedProjectView.as_view(), name="project"),
    re_path(r"^sessions/(?P<session_id>.+?)/?\Z", LimitedSessionView.as_view(), name="session"),
    re_path(r"^subjects/(?P<key>.+?)/?\Z", LimitedSubjectView.as_view(), name="subject"),
]
