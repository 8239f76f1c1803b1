"""Paths under /api/v1/ that tell limits, each with and without its trailing slash."""

from django.urls import re_path

from budgets.api.views import (
    LimitedOrganizationView,
    LimitedProjectView,
    LimitedSubjectView,
    LimitedSummaryView,
)

urlpatterns = [
    re_path(r"^summary/?\Z", LimitedSummaryView.as_view(), name="summary"),
    re_path(
        r"^organizations/(?P<slug>[^/]+)/summary/?\Z",
        LimitedOrganizationView.as_view(),
        name="organization_summary",
    ),
    # A project may be called like a path, as may a subject.
    re_path(r"^projects/(?P<slug>.+)/summary/?\Z", LimitedProjectView.as_view(), name="project"),
    re_path(r"^subjects/(?P<key>.+?)/?\Z", LimitedSubjectView.as_view(), name="subject"),
]
