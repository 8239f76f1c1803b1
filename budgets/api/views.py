"""The ready-made reads of usage, with the budgets that hold on what they are about."""

from datetime import date, datetime
from typing import Any

from django.utils import timezone

from budgets.api.rendering import state_as_json
from budgets.models import Budget
from budgets.selectors.states import read_states
from usage.api.projects import ProjectSummaryView
from usage.api.subjects import SubjectView
from usage.api.summaries import LimitsView, OrganizationSummaryView, SummaryView
from usage.models import Project, Subject
from usage.selectors.access import Viewer
from usage.selectors.filters import ORGANIZATION
from usage.selectors.frames import Frame
from usage.selectors.periods import find_zone, midnight


class BudgetLimits(LimitsView):
    """A summary whose limits are the enabled budgets in question, most used first."""

    def effective_limits(self, frame: Frame) -> list[dict[str, Any]]:
        """The budgets of the organizations in question and of their projects."""
        slugs = frame.filters.get(ORGANIZATION)
        return [
            state_as_json(state)
            for state in read_states(frame.viewer, timezone.now())
            if slugs is None or state.budget.organization.slug in slugs
        ]


class LimitedSummaryView(BudgetLimits, SummaryView):
    """Everything the caller may see at a glance, with its budgets."""

    __doc__ = SummaryView.__doc__


class LimitedOrganizationView(BudgetLimits, OrganizationSummaryView):
    """One organization at a glance, with its budgets."""

    __doc__ = OrganizationSummaryView.__doc__


class LimitedSubjectView(SubjectView):
    """One subject, with the budgets of its organization as a whole."""

    __doc__ = SubjectView.__doc__

    def effective_limits(self, subject: Subject) -> list[dict[str, Any]]:
        """The budgets that the subject's calls count against wherever they are made."""
        owner = subject.organization
        states = read_states(_only(owner.pk), timezone.now(), organization=owner.slug)
        return [state_as_json(state) for state in states if state.budget.project is None]


class LimitedProjectView(ProjectSummaryView):
    """A month of one project, with its budget."""

    __doc__ = ProjectSummaryView.__doc__

    def budget(self, project: Project, month: date) -> dict[str, Any] | None:
        """The project's monthly budget in that month; of several the one most used."""
        owner = project.organization
        states = read_states(
            _only(owner.pk),
            _moment_in(month, owner.time_zone),
            organization=owner.slug,
            project=project.slug,
        )
        monthly = (state for state in states if state.budget.period == Budget.Period.MONTH)
        found = next(monthly, None)
        return None if found is None else state_as_json(found)


def _only(organization_id: int) -> Viewer:
    return Viewer(frozenset((organization_id,)))


def _moment_in(month: date, time_zone: str) -> datetime:
    """The present if it lies in the month, else the month's first instant."""
    zone, now = find_zone(time_zone), timezone.now()
    present = now.astimezone(zone).date().replace(day=1) == month
    return now if present else midnight(month, zone)
