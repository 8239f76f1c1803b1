"""The advice page: what to do about cost, with what it would have saved."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils import timezone

from config.dashboards.bars import read_bar
from config.dashboards.links import events_url
from config.dashboards.question import Question, read_question
from usage.formats import days
from usage.selectors.access import viewer_of
from usage.selectors.advice import Advice, advise
from usage.selectors.currency import ledger_currency
from usage.selectors.overview import has_usage

_KINDS = {
    "dear_session": "Session",
    "low_cache_rate": "Cache",
    "cheaper_model": "Model",
    "retried_runs": "Runs",
    "failed_calls": "Errors",
}


@dataclass(frozen=True, slots=True)
class AdviceRow:
    """One piece of advice, what kind it is, and the events it rests on."""

    advice: Advice
    kind: str
    events_url: str


def advice_page(request: HttpRequest, context: dict[str, Any]) -> TemplateResponse:
    """The page, inside the admin's own page context."""
    viewer = viewer_of(request.user)
    question = read_question(request.GET.dict(), timezone.now())
    advice = advise(
        viewer,
        start=question.first,
        end=question.end,
        time_zone=question.zone.key,
        filters=question.allowed,
    )
    context |= {
        "title": "Advice",
        "question": question,
        "bar": read_bar(viewer, question),
        "range_text": days(question.first, question.last),
        "currency": ledger_currency(),
        "rows": [_row(each, question) for each in advice],
        "empty": not has_usage(viewer),
    }
    return TemplateResponse(request, "usage/advice.html", context)


def _row(advice: Advice, question: Question) -> AdviceRow:
    status = {"status": "error"} if advice.code == "failed_calls" else {}
    url = events_url(question, organization=advice.organization, **advice.about, **status)
    return AdviceRow(advice, _KINDS.get(advice.code, ""), url)
