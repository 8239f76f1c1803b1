"""The views of the dashboards; `TallymanAdminSite` checks who may reach them."""

from collections.abc import Callable
from decimal import Decimal
from functools import cached_property
from typing import Any, TypeVar

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone

from config.charts import ChartView
from config.dashboards.csv_export import spend_csv
from config.dashboards.links import day_parts, events_url
from config.dashboards.overview import read_overview
from config.dashboards.question import Question, read_question
from config.dashboards.reading import Reading
from config.dashboards.spend import Spend, read_spend
from config.navigation import addable_models
from usage.selectors.access import viewer_of
from usage.selectors.currency import NO_RATE
from usage.selectors.questions import QuestionError

Answer = TypeVar("Answer")


def overview(request: HttpRequest, context: dict[str, Any]) -> TemplateResponse:
    """The site overview inside the admin's own page context."""
    viewer = viewer_of(request.user)
    _, shown = _answered(request, lambda question: read_overview(viewer, question))
    context |= shown
    context["events_endpoint"] = request.build_absolute_uri("/api/v1/events/")
    context["can_make_keys"] = "usage.apikey" in addable_models(context["available_apps"])
    return TemplateResponse(request, "admin/overview.html", context)


def overview_csv(request: HttpRequest) -> HttpResponse:
    """The overview's chart table as a CSV file."""
    question, spend = _spend(request)
    name = f"tallyman-{question.group}-{question.first}-{question.last}.csv"
    return HttpResponse(
        spend_csv(spend, question),
        content_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Cache-Control": "private, no-store",
        },
    )


class SpendChart(ChartView):
    """Stacked bars of spend per period and group, with what a tooltip and a click need."""

    @cached_property
    def answer(self) -> tuple[Question, Spend]:
        """What the URL asks for and the chart, read once."""
        return _spend(self.request)

    @property
    def question(self) -> Question:
        """What the URL asks for."""
        return self.answer[0]

    @property
    def spend(self) -> Spend:
        """The chart."""
        return self.answer[1]

    def get_labels(self) -> list[str]:
        """The periods."""
        return [period.label for period in self.spend.periods]

    def get_providers(self) -> list[str]:
        """The names of the series."""
        return [series.name for series in self.spend.series]

    def get_data(self) -> list[list[Decimal]]:
        """The costs of each series."""
        return [series.costs for series in self.spend.series]

    def get_colour(self, index: int) -> int:
        """The colour of a series."""
        return self.spend.series[index].colour

    def get_extra(self) -> dict[str, Any]:
        """Tooltip figures per period, and the parts of the event list's URL."""
        periods = self.spend.periods
        return {
            "currency": self.question.currency,
            "titles": [period.title for period in periods],
            "totals": [period.sums.cost for period in periods],
            "tokens": [period.sums.total_tokens for period in periods],
            "requests": [period.sums.events for period in periods],
            "events_url": events_url(self.question),
            "days": [day_parts(period.first, period.last) for period in periods],
            "series": [
                {} if series.value is None else {self.question.group: series.value}
                for series in self.spend.series
            ],
        }


def _spend(request: HttpRequest) -> tuple[Question, Spend]:
    viewer = viewer_of(request.user)
    return _answered(request, lambda question: read_spend(Reading(viewer, question)))


def _answered(request: HttpRequest, read: Callable[[Question], Answer]) -> tuple[Question, Answer]:
    """What the URL asks for and its answer, in the ledger currency where a day has no rate."""
    question = read_question(request.GET.dict(), timezone.now())
    try:
        return question, read(question)
    except QuestionError as error:
        if error.code != NO_RATE:
            raise
        question = question.in_ledger_currency(error.message)
        return question, read(question)
