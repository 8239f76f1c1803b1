"""The what-if page: what a budget would have warned about and blocked in the past."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest
from django.template.response import TemplateResponse
from django.utils import timezone

from budgets.links import budget_add_url
from budgets.models import Budget
from budgets.models.budgets import RELATIONS
from budgets.replay.drafts import SCOPE, TERMS, THRESHOLDS, DraftForm, words_of
from budgets.replay.findings import Affected, Findings, Tally, TriedWindow
from budgets.replay.trial import MAX_DAYS, try_budget
from config.dashboards.bars import choices
from config.dashboards.links import events_url, page_url
from config.dashboards.names import GROUP_NAMES, NOT_GIVEN_NAME
from config.dashboards.parsing import read_question
from config.dashboards.question import CUSTOM, MONTHS, RANGES, Question
from config.dashboards.what_if_figures import cards_of, draw_days, moment_text
from usage.formats import NOT_GIVEN, bar, dated, day, share
from usage.selectors.access import Viewer, viewer_of
from usage.selectors.currency import ledger_currency
from usage.selectors.overview import organization_choices, project_choices, visible

DEFAULT_RANGE = "last-month"
_RANGES = tuple(pair for pair in RANGES if pair[0] not in ("today", "year"))
_MAIN = ("project", "subject", "model")
_MORE = ("team", "api_key", "provider", "action", "agent_type")
_TITLES = (("subject", "People"), ("project", "Projects"), ("model", "Models"))
_KNOWN_YEAR = 2000


@dataclass(frozen=True, slots=True)
class WindowRow:
    """A window, its days as text, and when it first warned and blocked, "" for never."""

    window: TriedWindow
    days: str
    percent: Decimal | None
    bar: int
    level: str
    warned: str
    blocked: str


@dataclass(frozen=True, slots=True)
class AffectedRow:
    """Whose calls were warned about or blocked, their page ("" without one) and their events."""

    name: str
    organization: str
    url: str
    events_url: str
    tally: Tally


def what_if_page(request: HttpRequest, context: dict[str, Any]) -> TemplateResponse:
    """The page, inside the admin's own page context. Raises Http404 for a budget out of sight."""
    viewer = viewer_of(request.user)
    words = _words(request, viewer)
    form = DraftForm(words, viewer)
    said: dict[str, str] = dict(form.data)
    question = _question(request, said, viewer)
    asked = "limit" in words or THRESHOLDS in words
    found = _try(form, question) if asked and form.is_valid() else None
    context |= {
        "title": "What if",
        "form": form,
        "main": [(_label(form, name), form[name]) for name in _MAIN],
        "more": [(_label(form, name), form[name]) for name in _MORE],
        "is_narrow": any(said[name] for name in _MORE),
        "question": question,
        "errors": _errors(form) if asked else [],
        "ranges": [(label, _url(said, range=name), name) for name, label in _RANGES],
        "days_text": _days_text(question),
        "is_custom": question.range == CUSTOM,
        "max_days": MAX_DAYS,
        "organizations": choices(organization_choices(viewer), said["organization"]),
        "projects": project_choices(viewer, said["organization"]),
        "sees_all": viewer.organization_ids is None,
        "sees_none": viewer.organization_ids == frozenset(),
    }
    if found is not None:
        context |= _shown(found, question) | {"add_url": _add_url(request, said)}
    return TemplateResponse(request, "dashboards/what_if.html", context)


def _words(request: HttpRequest, viewer: Viewer) -> dict[str, str]:
    """What the URL says of the draft, on top of the budget that it names."""
    words = {
        name: request.GET[name][:200]
        for name in (*SCOPE, *TERMS, THRESHOLDS)
        if name in request.GET
    }
    if known := request.GET.get("budget", ""):
        words = _words_of_budget(known, viewer) | words
    return words


def _words_of_budget(number: str, viewer: Viewer) -> dict[str, str]:
    if not re.fullmatch("[0-9]{1,15}", number):
        raise Http404
    budget = visible(Budget.objects.select_related(*RELATIONS), viewer).filter(pk=number).first()
    if budget is None:
        raise Http404
    return words_of(budget, budget.thresholds.all())


def _question(request: HttpRequest, said: Mapping[str, str], viewer: Viewer) -> Question:
    """The days asked for, as the draft's own zone has them, and its scope as filters."""
    asked = {name: request.GET.get(name, "") for name in ("range", "from", "through")}
    asked |= {name: said[name] for name in SCOPE}
    asked["tz"] = "" if said["organization"] else str(settings.TALLYMAN_TIME_ZONE)
    return read_question(asked, timezone.now(), viewer, default_range=DEFAULT_RANGE)


def _try(form: DraftForm, question: Question) -> Findings | None:
    try:
        return try_budget(form.draft, question.first, question.end)
    except ValidationError as error:
        form.add_error(None, error.messages)
        return None


def _label(form: DraftForm, name: str) -> str:
    """What a field is called: parts of a scope as everywhere on pages."""
    words = GROUP_NAMES.get(name) or str(form[name].label)
    return words[:1].upper() + words[1:]


def _errors(form: DraftForm) -> list[tuple[str, str]]:
    """What is wrong, each with the name of its field, "" where it is none."""
    return [
        (_label(form, name) if name in form.fields else "", str(fault))
        for name, faults in form.errors.items()
        for fault in faults
    ]


def _url(said: Mapping[str, str], **changes: str) -> str:
    words = {name: word for name, word in {**said, **changes}.items() if word}
    return "?" + urlencode({"limit": "", **words})


def _days_text(question: Question) -> str:
    if question.range in MONTHS:
        return f"{question.first:%B %Y}"
    return dated(question.first, question.last)


def _add_url(request: HttpRequest, said: Mapping[str, str]) -> str:
    """The form of a new budget, filled in with what was tried; "" for who may not set it."""
    url = budget_add_url(request.user, said["organization"], said["project"])
    rest = {name: said[name] for name in TERMS if said[name]}
    return f"{url}{'&' if '?' in url else '?'}{urlencode(rest)}" if url else ""


def _shown(found: Findings, question: Question) -> dict[str, Any]:
    zone = ZoneInfo(found.zone)
    return {
        "found": found,
        "measure": found.budget.measure,
        "cards": cards_of(found, question),
        "drawn": draw_days(found, question),
        "windows": [_window_row(window, zone) for window in found.windows],
        "more_windows": found.opened - len(found.windows),
        "affected": [
            (title, kind, [_affected_row(each, kind, question) for each in rows], count - len(rows))
            for kind, title in _TITLES
            for rows, count in (found.affected[kind],)
        ],
        "range_text": _days_text(question),
        "bar": {},
        "currency": ledger_currency(),
    }


def _window_row(window: TriedWindow, zone: ZoneInfo) -> WindowRow:
    used = None if window.limit is None else share(window.used, window.limit)
    level = "over" if window.blocked_at else "warn" if window.warned_at else "ok"
    first = window.start.astimezone(zone).date()
    text = "from the beginning" if first.year < _KNOWN_YEAR else f"from {day(first)} {first.year}"
    if window.end is not None:
        last = (window.end.astimezone(zone) - timedelta(days=1)).date()
        text = dated(first, last)
    return WindowRow(
        window, text, used, bar(used), level,
        moment_text(window.warned_at, zone), moment_text(window.blocked_at, zone),
    )  # fmt: skip


def _affected_row(affected: Affected, kind: str, question: Question) -> AffectedRow:
    names = {"organization": affected.organization, kind: affected.name}
    url = page_url(question, kind, names) if kind != "model" else ""
    filters = {"organization": affected.organization, kind: affected.name or NOT_GIVEN}
    name = affected.name or NOT_GIVEN_NAME
    return AffectedRow(
        name, affected.organization, url, events_url(question, **filters), affected.tally
    )
