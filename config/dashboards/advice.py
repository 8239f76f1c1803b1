"""The advice page: what to do about cost, with what it would have saved."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.template.response import TemplateResponse

from config.dashboards.links import events_url, page_url
from config.dashboards.names import GROUP_NAMES
from config.dashboards.page import Page, render_page
from config.dashboards.question import Question
from config.dashboards.reading import Reading
from usage.selectors.advice import FILTERS, Advice, advise
from usage.selectors.currency import ledger_currency

REFRESH_SECONDS = 600
"""Advice looks at every session and run of the range, and a day hardly changes it."""

_KINDS = {
    "dear_session": "Session",
    "low_cache_rate": "Cache",
    "cheaper_model": "Model",
    "retried_runs": "Runs",
    "failed_calls": "Errors",
}
_PAGES = ("session", "run", "project", "model")


@dataclass(frozen=True, slots=True)
class AdviceRow:
    """One piece of advice, what kind it is, the events it rests on, and pages to look at.

    `pages` are what each is called and its address.
    """

    advice: Advice
    kind: str
    events_url: str
    pages: list[tuple[str, str]]


def advice_page(request: HttpRequest, context: dict[str, Any]) -> TemplateResponse:
    """The page, inside the admin's own page context; amounts are in the ledger currency."""
    page = Page(
        title="Advice",
        template="usage/advice.html",
        read=_read,
        fixed={"currency": ledger_currency()},
    )
    return render_page(request, context, page)


def _read(reading: Reading) -> dict[str, Any]:
    question = reading.question
    advice = advise(
        reading.viewer,
        start=question.first,
        end=question.end,
        time_zone=question.zone.key,
        filters=question.allowed_by(FILTERS),
    )
    return {
        "rows": [_row(each, question) for each in advice],
        "unasked": question.unasked(FILTERS),
        "ungrouped": True,
        "refresh_seconds": REFRESH_SECONDS,
    }


def _row(advice: Advice, question: Question) -> AdviceRow:
    status = {"status": "error"} if advice.code == "failed_calls" else {}
    url = events_url(question, organization=advice.organization, **advice.about, **status)
    group = {"organization": advice.organization, **advice.about}
    pages = [
        (f"{GROUP_NAMES[kind].capitalize()} {group[kind]}", page_url(question, kind, group))
        for kind in _PAGES
        if kind in group
    ]
    return AdviceRow(advice, _KINDS.get(advice.code, ""), url, pages)
