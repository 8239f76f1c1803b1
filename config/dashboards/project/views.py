"""The pages "AI Cost & Budget": one for each project, and the way to one."""

import re
from collections.abc import Mapping
from functools import partial
from typing import Any
from urllib.parse import parse_qsl

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from budgets.links import budget_add_url
from config.dashboards.csv_export import csv_answer
from config.dashboards.links import page_path
from config.dashboards.months_ahead import read_months_ahead
from config.dashboards.page import Page, draw, in_shown_currency, render_page
from config.dashboards.parsing import read_question
from config.dashboards.project.cards import read_cards
from config.dashboards.project.files import read_table
from config.dashboards.project.limits import advise, own_state, read_states_of
from config.dashboards.project.month import read_month
from config.dashboards.project.tabs import TAB, read_tab, tab_of
from config.dashboards.question import Question
from config.dashboards.reading import Reading
from config.dashboards.set_budget import monthly_budget
from usage.models import Project
from usage.selectors.access import Viewer, report_zone, viewer_of
from usage.selectors.currency import ledger_currency
from usage.selectors.frames import Frame
from usage.selectors.named import find_project
from usage.selectors.overview import visible
from usage.selectors.periods import find_zone
from usage.selectors.projects import dearest_project, project_switches
from usage.selectors.recent import recent_events

NAME = "AI Cost & Budget"
SWITCH = "to"


def project_page(
    request: HttpRequest, context: dict[str, Any], organization: str, project: str
) -> HttpResponse:
    """The page of a project that the signed-in user sees; any other is not found."""
    viewer = viewer_of(request.user)
    found = _found(viewer, organization, project)
    owner = found.organization.slug
    page = Page(
        title=f"{found}: {NAME}",
        template="dashboards/project.html",
        read=partial(_read, found, budget_add_url(request.user, owner, found.slug)),
        crumbs=[(owner, page_path("organization", {"organization": owner}))],
        pinned=_names(found),
        default_group="agent_type",
        kept=[TAB],
    )
    return render_page(request, context, page, viewer)


def project_csv(request: HttpRequest, organization: str, project: str) -> HttpResponse:
    """What the tab shows that the query names, as a file."""
    viewer = viewer_of(request.user)
    found = _found(viewer, organization, project)
    question = read_question(
        request.GET.dict(), timezone.now(), viewer, pinned=_names(found), kept=[TAB]
    )
    tab = tab_of(question).name
    question, table = in_shown_currency(
        question, lambda asked: read_table(read_month(Reading(viewer, asked), found), tab)
    )
    name = f"tallyman-{tab}-{min(question.last, question.today):%Y-%m}"
    return csv_answer(name, table.columns, table.rows)


@require_safe
def short_project_page(
    request: HttpRequest, _context: dict[str, Any], organization: str, project: str
) -> HttpResponse:
    """Lead to a project's page from the address without its last part."""
    return _lead_to(_found(viewer_of(request.user), organization, project), request.GET.urlencode())


@require_safe
def projects_home(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """Lead to the project asked for, else to the one with most spend this month; say so where
    there is none."""
    viewer, asked = viewer_of(request.user), request.GET.copy()
    wanted = asked.pop(SWITCH, [""])[-1]
    project = _switched(viewer, wanted) if wanted else _dearest(viewer)
    if project is None:
        return render_page(request, context, _NO_PROJECT, viewer)
    return _lead_to(project, asked.urlencode())


def _read(project: Project, add_url: str, reading: Reading) -> dict[str, Any]:
    question, month = reading.question, read_month(reading, project)
    states = read_states_of(month)
    spend = draw(reading, "spend")
    ahead = read_months_ahead(reading) if month.is_present else None
    return {
        "month": month,
        "ahead": ahead,
        "cards": read_cards(month, own_state(states), add_url, ahead),
        "limits": advise(states, month, may_set=bool(add_url)),
        "monthly": monthly_budget(project.organization, project) if add_url else None,
        "spend": spend,
        "csv_url": spend.csv_url,
        **read_tab(month),
        "tab_csv_url": _csv_url(project, question),
        "never_used": not month.agents.totals.events and not recent_events(project, limit=1),
        "ledger": ledger_currency(),
        "projects": _switches(reading.viewer, project),
        "kept_parts": _kept_parts(question),
    }


def _switches(viewer: Viewer, shown: Project) -> list[Project]:
    known = project_switches(viewer)
    return known if shown in known else [shown, *known]


def _kept_parts(question: Question) -> list[tuple[str, str]]:
    """What another project's page keeps of a view: all but filters, whose values it may lack."""
    return parse_qsl(question.query_string(**dict.fromkeys(question.chosen)).removeprefix("?"))


def _found(viewer: Viewer, organization: str, project: str) -> Project:
    found = find_project(viewer, project, organization)
    if found is None:
        raise Http404
    return found


def _switched(viewer: Viewer, number: str) -> Project:
    seen = visible(Project.objects.select_related("organization"), viewer)
    found = seen.filter(pk=int(number)).first() if _NUMBER.fullmatch(number) else None
    if found is None:
        raise Http404
    return found


def _dearest(viewer: Viewer) -> Project | None:
    zone = report_zone(viewer)
    today = timezone.now().astimezone(find_zone(zone)).date()
    return dearest_project(Frame(viewer=viewer, today=today, time_zone=zone))


def _lead_to(project: Project, query: str) -> HttpResponse:
    return redirect(page_path("project", _names(project)) + (f"?{query}" if query else ""))


def _names(project: Project) -> dict[str, str]:
    return {"organization": project.organization.slug, "project": project.slug}


def _csv_url(project: Project, question: Question) -> str:
    path = reverse("admin:project_csv", kwargs=_names(project))
    return path + question.query_string()


def _read_nothing(_reading: Reading) -> Mapping[str, Any]:
    return {}


_NUMBER = re.compile("[0-9]{1,18}")
_NO_PROJECT = Page(title=NAME, template="dashboards/project_none.html", read=_read_nothing)
