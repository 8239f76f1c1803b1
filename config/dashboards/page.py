"""What every dashboard page shows around its own figures."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from budgets.links import budget_add_url
from config.dashboards.bars import read_bar
from config.dashboards.links import events_url
from config.dashboards.parsing import read_question
from config.dashboards.plots import PLOTS, Plot, Series
from config.dashboards.question import DEFAULT_RANGE, GROUPS, Question
from config.dashboards.reading import Reading
from config.navigation import addable_models
from usage.formats import dated
from usage.selectors.access import Viewer, viewer_of
from usage.selectors.currency import NO_RATE
from usage.selectors.freshness import waiting_since
from usage.selectors.overview import has_usage
from usage.selectors.questions import QuestionError

Answer = TypeVar("Answer")
Crumb = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A dashboard: its title, the pages above it, its template, and what it is about.

    `pinned` are the dimensions that its address names, `kept` the parameters it reads itself,
    `fixed` those that are the same whatever the URL says. Unless it is `linked`, its reader may
    not open the pages and events behind its figures.
    `read` gives the context that the template needs beyond what all share; `csv_url` in it is
    the file of what the page shows.
    """

    title: str
    template: str
    read: Callable[[Reading], Mapping[str, Any]]
    crumbs: Sequence[Crumb] = ()
    pinned: Mapping[str, str] | None = None
    default_range: str = DEFAULT_RANGE
    default_group: str = GROUPS[0]
    kept: Sequence[str] = ()
    fixed: Mapping[str, str] | None = None
    linked: bool = True


@dataclass(frozen=True, slots=True)
class Drawn:
    """A chart as the template part `tallyman/plot.html` shows it.

    `rows` are its periods and `slices` its series, each with the address of the events behind it.
    `numbers` are those that `url` would answer with, where there is none.
    """

    plot: Plot
    url: str
    csv_url: str
    rows: list[tuple[Any, ...]]
    slices: list[tuple[Any, ...]]
    numbers: str = ""


def render_page(
    request: HttpRequest, context: dict[str, Any], page: Page, viewer: Viewer | None = None
) -> TemplateResponse:
    """The page inside the admin's own page context, for `viewer` or for who is signed in."""
    seen = viewer_of(request.user) if viewer is None else viewer
    question = read_question(
        {**request.GET.dict(), **(page.fixed or {})},
        timezone.now(),
        seen,
        pinned=page.pinned,
        default_range=page.default_range,
        default_group=page.default_group,
        kept=page.kept,
        linked=page.linked,
    )
    _, shown = in_shown_currency(question, lambda asked: _shown(page, Reading(seen, asked)))
    own = {
        "title": page.title,
        "crumbs": page.crumbs,
        "path": request.path,
        "events_endpoint": request.build_absolute_uri("/api/v1/events/"),
        "budget_add_url": _set_budget(request, page),
        "can_make_keys": "usage.apikey" in addable_models(context["available_apps"]),
    }
    return TemplateResponse(request, page.template, {**context, **own, **shown})


def in_shown_currency(
    question: Question, read: Callable[[Question], Answer]
) -> tuple[Question, Answer]:
    """A question and its answer, in the ledger currency where a day has no rate."""
    try:
        return question, read(question)
    except QuestionError as error:
        if error.code != NO_RATE:
            raise
        question = question.in_ledger_currency(error.message)
        return question, read(question)


def draw(reading: Reading, name: str) -> Drawn:
    """One of PLOTS with the addresses of its numbers and of the events behind each row."""
    question = reading.question
    plot = PLOTS[name](reading)
    return Drawn(
        plot,
        reverse("admin:chart", args=[name]) + question.everywhere(),
        reverse("admin:chart_csv", args=[name]) + question.everywhere(),
        [(*row, events_url(question, **row[0].parameters)) for row in plot.rows()],
        [(*each, _slice_url(question, each[0])) for each in plot.shares()],
    )


def _slice_url(question: Question, series: Series) -> str:
    return "" if series.parameters is None else events_url(question, **series.parameters)


def _set_budget(request: HttpRequest, page: Page) -> str:
    about = page.pinned or {}
    return budget_add_url(request.user, about.get("organization", ""), about.get("project", ""))


def _shown(page: Page, reading: Reading) -> dict[str, Any]:
    question, viewer = reading.question, reading.viewer
    answer = reading.trend(question.step)
    totals = answer.totals
    context = {
        "question": question,
        "bar": read_bar(viewer, question),
        "currency": question.currency,
        "as_of": answer.as_of.astimezone(question.zone),
        "totals": totals,
        "range_text": dated(question.first, question.last),
        "events_url": events_url(question),
        "unpriced_url": events_url(question, unpriced="1"),
        "waiting": waiting_since(viewer),
        "sees_none": viewer.organization_ids == frozenset(),
    }
    if not totals.events and not has_usage(viewer):
        return {**context, "empty": True}
    return {**context, **page.read(reading)}
