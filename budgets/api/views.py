"""The ready-made reads of usage, with the budgets that hold on what they are about."""

from collections.abc import Collection, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.utils import timezone

from budgets.api.rendering import state_as_json
from budgets.selectors.outlook import forecast_state
from budgets.selectors.own import own_budget
from budgets.selectors.remainders import share_left
from budgets.selectors.states import (
    BudgetState,
    read_project_states,
    read_states,
    read_subject_states,
    states_of,
)
from usage.api.episodes import SessionView
from usage.api.forecast import ForecastView
from usage.api.projects import ProjectSummaryView
from usage.api.rendering.figures import percentage
from usage.api.subjects import SubjectView
from usage.api.summaries import LimitsView, OrganizationSummaryView, SummaryView
from usage.models import Organization, Project, Subject
from usage.selectors.access import Viewer
from usage.selectors.episodes import Episode
from usage.selectors.filters import ORGANIZATION
from usage.selectors.forecasts import Forecast
from usage.selectors.frames import Frame
from usage.selectors.overview import visible
from usage.selectors.periods import find_zone, midnight
from usage.selectors.projects import PROJECT


class BudgetLimits(LimitsView):
    """A summary whose limits are the enabled budgets in question, most used first."""

    def effective_limits(self, frame: Frame) -> list[dict[str, Any]]:
        """The budgets of the organizations in question and of their projects."""
        slugs = frame.filters.get(ORGANIZATION)
        return [
            state_as_json(state)
            for state in read_states(frame.viewer, timezone.now())
            if slugs is None
            or state.budget.organization is None
            or state.budget.organization.slug in slugs
        ]


class LimitedSummaryView(BudgetLimits, SummaryView):
    """Everything the caller may see at a glance, with its budgets."""

    __doc__ = SummaryView.__doc__


class LimitedOrganizationView(BudgetLimits, OrganizationSummaryView):
    """One organization at a glance, with its budgets."""

    __doc__ = OrganizationSummaryView.__doc__


class LimitedSubjectView(SubjectView):
    """One subject, with the budgets that its calls count against wherever they are made."""

    __doc__ = SubjectView.__doc__

    def effective_limits(self, subject: Subject) -> list[dict[str, Any]]:
        """Its own budgets and those of its organization, the most used first."""
        states = read_subject_states(_only(subject.organization_id), subject, timezone.now())
        return [state_as_json(state) for state in states]


class LimitedSessionView(SessionView):
    """One conversation, whose line tells what is left of its budget."""

    __doc__ = SessionView.__doc__

    def budget_left(self, viewer: Viewer, episode: Episode) -> Decimal | None:
        """What the budget leaves that leaves least, in percent."""
        return share_left(viewer, episode, timezone.now())


class LimitedForecastView(ForecastView):
    """A forecast with the budget that it is measured against."""

    __doc__ = ForecastView.__doc__

    def budget(
        self, viewer: Viewer, filters: Mapping[str, Collection[str]], forecast: Forecast
    ) -> dict[str, Any] | None:
        """The monthly budget of the organization or project asked for, in the present month."""
        now = timezone.now()
        found = _only_monthly(viewer, filters, now)
        if found is None or not found.start <= forecast.start < (found.end or date.max):
            return None
        ahead = forecast_state(found, now)
        return {
            **state_as_json(found),
            "chance": percentage(ahead.chance) if ahead else None,
            "crosses_on": ahead and ahead.crosses_on,
        }


def _only_monthly(
    viewer: Viewer, filters: Mapping[str, Collection[str]], now: datetime
) -> BudgetState | None:
    """The monthly budget of all that the only organization asked for, or a project of it, uses."""
    project, owner = filters.get(PROJECT, ()), _only_organization(viewer, filters)
    if owner is None or len(project) > 1 or not set(filters) <= {ORGANIZATION, PROJECT}:
        return None
    part = Project.objects.filter(organization=owner, slug__in=project).first()
    if project and part is None:
        return None
    budget = own_budget(owner, part)
    return None if budget is None else next(iter(states_of([budget], now)), None)


def _only_organization(
    viewer: Viewer, filters: Mapping[str, Collection[str]]
) -> Organization | None:
    rows = visible(Organization.objects.all(), viewer, "pk")
    if ORGANIZATION in filters:
        rows = rows.filter(slug__in=filters[ORGANIZATION])
    found = list(rows[:2])
    return found[0] if len(found) == 1 else None


class LimitedProjectView(ProjectSummaryView):
    """A month of one project, with its budget."""

    __doc__ = ProjectSummaryView.__doc__

    def budget(self, project: Project, month: date) -> dict[str, Any] | None:
        """The project's monthly budget in that month; of several the one most used."""
        owner = project.organization
        moment = _moment_in(month, owner.time_zone)
        states = read_project_states(_only(owner.pk), project, moment)
        found = next(filter(_is_own_monthly, states), None)
        return None if found is None else state_as_json(found)


def _is_own_monthly(state: BudgetState) -> bool:
    budget = state.budget
    is_monthly_cost = budget.period == budget.Period.MONTH and budget.measure == budget.Measure.COST
    return is_monthly_cost and PROJECT in (state.whole, budget.per)


def _only(organization_id: int) -> Viewer:
    return Viewer(frozenset((organization_id,)))


def _moment_in(month: date, time_zone: str) -> datetime:
    """The present if it lies in the month, else the month's first instant."""
    zone, now = find_zone(time_zone), timezone.now()
    present = now.astimezone(zone).date().replace(day=1) == month
    return now if present else midnight(month, zone)
