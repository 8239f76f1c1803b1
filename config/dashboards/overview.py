"""The site overview: everything its template shows, read once."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.template.response import TemplateResponse

from budgets.selectors.leading import read_leading
from config.dashboards.attention import read_concerns
from config.dashboards.cards import read_cards
from config.dashboards.heat import read_heat
from config.dashboards.page import Page, draw, render_page
from config.dashboards.panels import Panel, is_single, read_panel, read_unpriced
from config.dashboards.periods_card import read_periods
from config.dashboards.rankings import MODELS_BY, read_models, read_people
from config.dashboards.reading import Reading
from config.dashboards.system_card import read_system

BUDGETS = 4
LONG = 10


def overview_page(request: HttpRequest, context: dict[str, Any]) -> TemplateResponse:
    """The overview of all that the signed-in user sees."""
    page = Page(
        title="Overview",
        template="admin/overview.html",
        read=lambda reading: _read(reading, request.user.has_perm),
        kept=(MODELS_BY,),
    )
    return render_page(request, context, page)


def _read(reading: Reading, may: Callable[[str], bool]) -> dict[str, Any]:
    question, viewer = reading.question, reading.viewer
    spend = draw(reading, "spend")
    budgets = read_leading(
        viewer,
        question.now,
        BUDGETS,
        organization=question.filters.get("organization"),
        project=question.filters.get("project"),
    )
    system = read_system(question.now) if viewer.organization_ids is None else None
    return {
        "cards": read_cards(reading, read_periods(reading)),
        "spend": spend,
        "tokens": draw(reading, "tokens"),
        "providers": draw(reading, "providers"),
        "csv_url": spend.csv_url,
        "states": budgets.states,
        "total_budgets": budgets.total,
        "parts": _parts(reading),
        "models": read_models(reading, LONG),
        "owners": [read_panel(reading, "Projects", "project", LONG), read_people(reading, LONG)],
        "heat": read_heat(reading),
        "concerns": read_concerns(reading, system, may),
        "unpriced": read_unpriced(reading) if spend.plot.totals.unpriced_events else [],
        "system": system,
    }


def _parts(reading: Reading) -> list[Panel]:
    """What the usage consists of; within one organization teams take its place."""
    return [
        read_panel(reading, "Teams", "team")
        if is_single(reading)
        else read_panel(reading, "Organizations", "organization"),
        read_panel(reading, "Agent types", "agent_type"),
    ]
