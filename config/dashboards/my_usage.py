"""What the signed-in person used, whatever else they may see.

A viewer of one organization and filters that no parameter of a URL overrides show a person's own
usage and nobody else's. Who is no member of the organization finds no links to its other pages.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse

from config.dashboards.csv_export import plot_csv
from config.dashboards.page import Drawn, Page, render_page
from config.dashboards.person import KEPT, read_person
from config.dashboards.plots import Plot
from config.dashboards.question import CUSTOM, Question
from config.dashboards.reading import Reading
from config.dashboards.views import PlotView, read_plot
from usage.models import Subject
from usage.selectors.access import Viewer, viewer_of
from usage.selectors.own import email_of, own_subjects

WHO = "who"


@dataclass(frozen=True, slots=True)
class Own:
    """A person as one of the subjects they are; `linked` where they may open its other pages."""

    subject: Subject
    all: Sequence[Subject]
    linked: bool

    @property
    def viewer(self) -> Viewer:
        """Who sees the subject's organization and no other."""
        return Viewer(frozenset((self.subject.organization_id,)))

    @property
    def pinned(self) -> dict[str, str]:
        """The filters that leave nothing but the subject's usage."""
        return {"organization": self.subject.organization.slug, "subject": self.subject.key}


def my_usage_page(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """The signed-in person's usage, or why it is not known."""
    own = _find_own(request)
    if own is None:
        asked = {"title": "My usage", "email": email_of(request.user)}
        return TemplateResponse(request, "dashboards/my_usage_unknown.html", {**context, **asked})
    page = Page(
        title="My usage",
        template="dashboards/my_usage.html",
        read=partial(_read, own=own),
        pinned=own.pinned,
        kept=(*KEPT, WHO),
        linked=own.linked,
    )
    answer = render_page(request, context, page, own.viewer)
    shown = answer.context_data or {}
    answer.context_data = {**shown, "bar": _own_bar(shown["bar"], shown)}
    return answer


class OwnPlotView(PlotView):
    """A chart of the signed-in person's usage."""

    @cached_property
    def answer(self) -> tuple[Question, Plot]:
        """What the URL asks for and the chart, read once."""
        return _own_plot(self.request, self.kwargs["plot"])

    def get_extra(self) -> dict[str, Any]:
        """As of any chart; who may not open events stays on the page, which shows the bar."""
        extra = super().get_extra()
        here = reverse("admin:my_usage") + self.question.query_string(range=CUSTOM)
        return {**extra, "events_url": extra["events_url"] or here}


def own_chart_csv(request: HttpRequest, plot: str) -> HttpResponse:
    """The table behind a chart of the signed-in person's usage as a file."""
    question, found = _own_plot(request, plot)
    return plot_csv(found, question)


def _own_plot(request: HttpRequest, name: str) -> tuple[Question, Plot]:
    own = _find_own(request)
    if own is None:
        raise Http404
    return read_plot(request, name, own.viewer, pinned=own.pinned, linked=own.linked, kept=(WHO,))


def _find_own(request: HttpRequest) -> Own | None:
    """The subject that the URL picks of those the signed-in person is, the first by default."""
    found = own_subjects(request.user)
    picked = request.GET.get(WHO, "")
    subject = next((each for each in found if str(each.pk) == picked), next(iter(found), None))
    if subject is None:
        return None
    member = viewer_of(request.user).may_see(subject.organization_id)
    return Own(subject, found, member)


def _read(reading: Reading, *, own: Own) -> dict[str, Any]:
    question = reading.question
    shown = read_person(reading, subject=own.subject)
    spend = _own_chart(question, shown["spend"])
    projects = reading.ranking("project", limit=100).rows
    return {
        **shown,
        "spend": spend,
        "csv_url": spend.csv_url,
        "own_projects": [name for row in projects if (name := row.group["project"])],
        "picker": [
            (each, question.query_string(who=str(each.pk), offset=None), each == own.subject)
            for each in own.all
        ]
        if len(own.all) > 1
        else [],
    }


def _own_chart(question: Question, drawn: Drawn) -> Drawn:
    """The chart with its own addresses, and rows that lead to the same page of those days."""
    asked, name = question.query_string(), drawn.plot.name
    return replace(
        drawn,
        url=reverse("admin:my_usage_chart", args=[name]) + asked,
        csv_url=reverse("admin:my_usage_chart_csv", args=[name]) + asked,
        rows=[
            (*row, url or question.query_string(range=CUSTOM, **row[0].parameters))
            for *row, url in drawn.rows
        ],
    )


def _own_bar(bar: dict[str, Any], shown: dict[str, Any]) -> dict[str, Any]:
    """The bar without choices that are not the person's own."""
    asked = [bar["project"]] if bar["project"] else []
    projects = dict.fromkeys([*asked, *shown.get("own_projects", ())])
    return {**bar, "projects": list(projects), "offered": []}
