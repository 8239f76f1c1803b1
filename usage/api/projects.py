"""`GET /projects/`, and a project's `summary/`, `trend/` and `recent/`."""

from dataclasses import replace
from datetime import date
from typing import Any

from django.http import HttpResponse
from rest_framework.exceptions import NotFound
from rest_framework.request import Request

from usage.api.event_reads import event_as_json
from usage.api.parameters import MAX_PAGE, ParameterReader, page_link
from usage.api.reads import ReadView, json_answer, read_frame, read_month, read_organizations
from usage.api.rendering.projects import (
    month_as_json,
    project_as_json,
    project_summary_as_json,
    trend_as_json,
    use_as_json,
)
from usage.api.schema.projects import (
    PROJECT_RECENT,
    PROJECT_SUMMARY,
    PROJECT_TREND,
    PROJECTS,
)
from usage.models import Project
from usage.selectors.access import Viewer, viewer_of
from usage.selectors.cards import monthly
from usage.selectors.currency import ledger_currency
from usage.selectors.filters import ORGANIZATION
from usage.selectors.frames import Frame
from usage.selectors.named import find_project
from usage.selectors.projects import (
    PROJECT,
    RECENT,
    TREND_MONTHS,
    list_projects,
    read_project,
)
from usage.selectors.recent import recent_events

PAGE = 100
RANGES = ("7", "14", "30", "90")


class ProjectsView(ReadView):
    """Every project the caller may see with its usage of a month, also those without any.

    By organization and slug. `percent_of_total` is of all usage in question, that of no project
    included. `last_used` is the latest day with a call, of the organization's own zone.
    """

    @PROJECTS
    def get(self, request: Request) -> HttpResponse:
        """List a page of projects."""
        reader = ParameterReader(request.GET)
        frame = read_frame(reader, viewer_of(request.user), read_organizations(reader))
        month = read_month(reader, frame.today)
        archived = reader.choice("archived", ("", "0", "1"), "") == "1"
        limit, cursor = reader.number("limit", PAGE, MAX_PAGE), reader.one("cursor")
        reader.finish()
        page = list_projects(
            replace(frame, today=month), archived=archived, limit=limit, cursor=cursor
        )
        return json_answer(
            {
                "month": month_as_json(month),
                "timezone": frame.time_zone,
                "currency": frame.currency or ledger_currency(),
                "as_of": page.as_of,
                "unpriced_events": page.totals.unpriced_events,
                "results": [use_as_json(use, page.totals) for use in page.projects],
                "next": page_link(request, page.next_cursor),
                "previous": page_link(request, page.previous_cursor),
            }
        )


class ProjectView(ReadView):
    """What is about one project: 404 if the caller sees none of this slug.

    Where several organizations have one, `organization` says which; else that is a 400.
    """

    def find(self, viewer: Viewer, reader: ParameterReader, slug: str) -> Project:
        """The project meant. Raises NotFound and QuestionError."""
        project = find_project(viewer, slug, reader.one(ORGANIZATION) or None)
        if project is None:
            raise NotFound(f"There is no project {slug!r}.")
        return project

    def frame(self, viewer: Viewer, reader: ParameterReader, project: Project) -> Frame:
        """The frame of the project's usage; faults are left in `reader`."""
        filters = {ORGANIZATION: [project.organization.slug], PROJECT: [project.slug]}
        return read_frame(reader, viewer, filters)


class ProjectSummaryView(ProjectView):
    """A month of one project: totals, agent types and the five dearest runs.

    `month` is the present one unless given. The daily series ends today whatever the month and
    holds the last `days`. Runs have the status and the sums of their calls in the month.
    """

    @PROJECT_SUMMARY
    def get(self, request: Request, slug: str) -> HttpResponse:
        """Answer for the project."""
        viewer, reader = viewer_of(request.user), ParameterReader(request.GET)
        project = self.find(viewer, reader, slug)
        frame = self.frame(viewer, reader, project)
        month = read_month(reader, frame.today)
        days = int(reader.choice("days", RANGES, "30"))
        reader.finish()
        summary = read_project(frame, replace(frame, today=month), days)
        return json_answer(
            {
                **project_as_json(project),
                **project_summary_as_json(frame, month, summary),
                "budget": self.budget(project, month),
            }
        )

    def budget(self, project: Project, month: date) -> dict[str, Any] | None:
        """The project's budget of the month, None without one."""
        return None


class ProjectTrendView(ProjectView):
    """Six months of one project, oldest first, up to `month` or the present one."""

    @PROJECT_TREND
    def get(self, request: Request, slug: str) -> HttpResponse:
        """Answer for the project."""
        viewer, reader = viewer_of(request.user), ParameterReader(request.GET)
        project = self.find(viewer, reader, slug)
        frame = self.frame(viewer, reader, project)
        month = read_month(reader, frame.today)
        reader.finish()
        series = monthly(replace(frame, today=month), TREND_MONTHS)
        return json_answer(
            {
                **project_as_json(project),
                "timezone": frame.time_zone,
                "currency": frame.currency or ledger_currency(),
                "as_of": series.as_of,
                "unpriced_events": series.unpriced_events,
                "results": trend_as_json(series),
            }
        )


class ProjectRecentView(ProjectView):
    """The last 50 calls of one project, newest first, as `GET /events/` shows them.

    Calls that a correction replaced are left out, as they are of every sum.
    """

    @PROJECT_RECENT
    def get(self, request: Request, slug: str) -> HttpResponse:
        """Answer for the project."""
        viewer, reader = viewer_of(request.user), ParameterReader(request.GET)
        project = self.find(viewer, reader, slug)
        reader.finish()
        events = recent_events(project, limit=RECENT)
        return json_answer(
            {
                **project_as_json(project),
                "results": [event_as_json(event) for event in events],
            }
        )
