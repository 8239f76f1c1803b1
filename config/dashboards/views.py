"""The numbers of charts, as JSON and as CSV; `TallymanAdminSite` checks who may reach them."""

from decimal import Decimal
from functools import cached_property
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone

from config.charts import ChartView
from config.dashboards.csv_export import plot_csv
from config.dashboards.links import events_url
from config.dashboards.page import in_shown_currency
from config.dashboards.parsing import read_question
from config.dashboards.plots import PLOTS, Plot, Unit
from config.dashboards.question import Question
from config.dashboards.reading import Reading
from usage.formats import money, quantity, symbol
from usage.selectors.access import Viewer, viewer_of
from usage.selectors.questions import UsageSums


class PlotView(ChartView):
    """One of PLOTS as its URL asks for it, with what a tooltip and a click need."""

    @cached_property
    def answer(self) -> tuple[Question, Plot]:
        """What the URL asks for and the chart, read once."""
        return read_plot(self.request, self.kwargs["plot"], viewer_of(self.request.user))

    @property
    def question(self) -> Question:
        """What the URL asks for."""
        return self.answer[0]

    @property
    def plot(self) -> Plot:
        """The chart."""
        return self.answer[1]

    def get_labels(self) -> list[str]:
        """The periods."""
        return [period.label for period in self.plot.periods]

    def get_providers(self) -> list[str]:
        """The names of the series."""
        return [series.name for series in self.plot.series]

    def get_data(self) -> list[list[Decimal | int]]:
        """The numbers of each series."""
        return [series.values for series in self.plot.series]

    def get_colour(self, index: int) -> int:
        """The colour of a series."""
        return self.plot.series[index].colour

    def get_extra(self) -> dict[str, Any]:
        """Per period a title and closing lines of the tooltip, and the event list's URL in parts:
        `events_url` with those of `periods` and those of `series`, null where nothing filters."""
        periods = self.plot.periods
        return {
            "type": self.plot.kind,
            "unit": self.plot.unit,
            "symbol": symbol(self.question.currency) if self.plot.unit is Unit.MONEY else "",
            "totals": [total for _, _, total in self.plot.rows()],
            "titles": [period.title for period in periods],
            "notes": [self._notes(period.sums) for period in periods],
            "events_url": events_url(self.question),
            "periods": [period.parameters for period in periods],
            "series": [series.parameters for series in self.plot.series],
        }

    def _notes(self, sums: UsageSums) -> list[str]:
        unknown = sums.events and sums.events == sums.unpriced_events and not sums.cost
        cost = money(None if unknown else sums.cost, self.question.currency)
        facts = {
            "cost": (cost, "" if unknown else " spent"),
            "total_tokens": (quantity(sums.total_tokens), " tokens"),
            "events": (quantity(sums.events), " job" if sums.events == 1 else " jobs"),
        }
        total, _ = facts.pop(self.plot.measure)
        lines = [f"Total {total}", *(number + unit for number, unit in facts.values())]
        return lines + [f"{quantity(sums.unpriced_events)} unpriced"] * bool(sums.unpriced_events)


def chart_csv(request: HttpRequest, plot: str) -> HttpResponse:
    """The table behind a chart as a CSV file."""
    question, found = read_plot(request, plot, viewer_of(request.user))
    return plot_csv(found, question)


def read_plot(
    request: HttpRequest, name: str, viewer: Viewer, **about: Any
) -> tuple[Question, Plot]:
    """What a chart's URL asks for and its answer as `viewer` sees it. Raises Http404.

    `about` says what `read_question` must know of the page beyond its URL.
    """
    if name not in PLOTS:
        raise Http404
    question = read_question(request.GET.dict(), timezone.now(), viewer, **about)
    return in_shown_currency(question, lambda asked: PLOTS[name](Reading(viewer, asked)))
