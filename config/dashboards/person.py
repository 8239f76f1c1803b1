"""One person or service: what it spends and on what."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse

from config.dashboards.calls import link_to, read_calls
from config.dashboards.cards import read_cards
from config.dashboards.episode_rows import read_rows
from config.dashboards.page import Page, draw, render_page
from config.dashboards.panels import read_panel
from config.dashboards.periods_card import read_periods
from config.dashboards.question import Question
from config.dashboards.reading import Reading
from usage.models import Subject
from usage.selectors.access import viewer_of
from usage.selectors.currency import ledger_currency
from usage.selectors.episode_lists import FILTERS, EpisodeQuery, list_episodes
from usage.selectors.episodes import Episode, EpisodeKind, dearest_episodes, status_of
from usage.selectors.named import find_subject
from usage.selectors.questions import UsageRow
from usage.selectors.recent import count_events, recent_events
from usage.selectors.sums import total_of
from usage.selectors.usage import query_usage

PAGE, MAX_EVENTS, MAX_OFFSET = 50, 500, 10**8
EPISODES = 8
TEAMS = 3
DEAREST = "dearest"
KEPT = ("limit", "offset", "sessions")


def subject_page(
    request: HttpRequest, context: dict[str, Any], organization: str, subject: str
) -> HttpResponse:
    """The page of a subject that the signed-in user sees; any other is not found."""
    found = find_subject(viewer_of(request.user), subject, organization)
    if found is None:
        raise Http404("user not found")
    edit_url = reverse("admin:usage_subject_change", args=(found.pk,))
    may_edit = admin.site.get_model_admin(Subject).has_change_permission(request, found)
    page = Page(
        title=str(found),
        template="dashboards/person.html",
        read=partial(read_person, subject=found, edit_url=edit_url if may_edit else ""),
        crumbs=[("People", reverse("admin:people"))],
        pinned={"organization": organization, "subject": found.key},
        kept=KEPT,
    )
    return render_page(request, context, page)


def read_person(reading: Reading, *, subject: Subject, edit_url: str = "") -> dict[str, Any]:
    """What a page about one subject shows; the question filters for it."""
    question = reading.question
    spend = draw(reading, "spend")
    limit, offset = _paging(question.kept)
    known = count_events(subject)
    events = recent_events(subject, limit=limit, offset=offset)
    calls = read_calls(question, events, subject.organization_id)
    return {
        "subject": subject,
        "owner": link_to(question, "organization", {"organization": subject.organization.slug}),
        "teams": _teams(reading),
        "edit_url": edit_url,
        "cards": read_cards(reading, read_periods(reading)),
        "spend": spend,
        "csv_url": spend.csv_url,
        "panels": [
            read_panel(reading, "Projects", "project"),
            read_panel(reading, "Models", "model"),
            read_panel(reading, "Agent types", "agent_type"),
        ],
        **_sessions(reading),
        "calls": [(call, None) for call in calls],
        "events_total": known,
        "shown": (offset + 1, offset + len(calls)),
        "ledger": ledger_currency(),
        **_pages(question, limit, offset, known),
    }


def _teams(reading: Reading) -> list[str]:
    rows = reading.ranking("team", by="-events", limit=TEAMS).rows
    return [name for row in rows if (name := row.group["team"])]


def _sessions(reading: Reading) -> dict[str, Any]:
    """The latest or the dearest sessions of the range, with the question's part in each."""
    question = reading.question
    dearest = question.kept.get("sessions") == DEAREST
    found = _dearest_sessions(reading) if dearest else _latest_sessions(reading)
    return {
        "rows": read_rows(question, _own_part(reading, found), question.currency),
        "sessions_url": reverse("admin:sessions") + question.everywhere(group=None, step=None)
        if question.linked
        else "",
        "rows_currency": question.currency,
        "orders": [
            ("Latest", question.query_string(sessions=None), not dearest),
            ("Dearest", question.query_string(sessions=DEAREST), dearest),
        ],
    }


def _latest_sessions(reading: Reading) -> list[Episode]:
    question = reading.question
    query = EpisodeQuery(
        viewer=reading.viewer,
        kind=EpisodeKind.SESSION,
        start=question.first,
        end=question.end,
        time_zone=question.zone.key,
        filters=question.allowed_by(FILTERS),
        limit=EPISODES,
    )
    return list_episodes(query).episodes


def _own_part(reading: Reading, sessions: list[Episode]) -> list[Episode]:
    """The sessions with what the question holds of them: others may have called in them too.

    Project and model are those that most of it was spent on.
    """
    if not sessions:
        return []
    wanted = {"session": [session.id for session in sessions]}
    groups = ("session", "project", "provider", "model")
    answer = query_usage(reading.query(group_by=groups, only=wanted, order_by="-cost"))
    parts: dict[str | None, list[UsageRow]] = defaultdict(list)
    for row in answer.rows:
        parts[row.group["session"]].append(row)
    return [_part(session, parts[session.id]) for session in sessions if session.id in parts]


def _part(session: Episode, rows: list[UsageRow]) -> Episode:
    sums, main = total_of(row.sums for row in rows), rows[0].group
    return replace(
        session,
        sums=sums,
        status=status_of(sums),
        project=main["project"],
        provider=main["provider"],
        model=main["model"],
    )


def _dearest_sessions(reading: Reading) -> list[Episode]:
    question = reading.question
    return dearest_episodes(
        reading.viewer,
        EpisodeKind.SESSION,
        question.first,
        question.end,
        time_zone=question.zone.key,
        filters=question.allowed,
        limit=EPISODES,
        currency=question.currency,
    )


def _paging(kept: Mapping[str, str]) -> tuple[int, int]:
    """How many calls are shown and how many newer ones are passed over."""
    limit, offset = _whole(kept.get("limit", "")), _whole(kept.get("offset", ""))
    return min(limit, MAX_EVENTS) if limit > 0 else PAGE, min(max(offset, 0), MAX_OFFSET)


def _whole(text: str) -> int:
    digits = text.removeprefix("-")
    return int(text) if digits.isascii() and digits.isdigit() and len(digits) < 10 else 0


def _pages(question: Question, limit: int, offset: int, known: int) -> dict[str, str]:
    def at(place: int) -> str:
        return question.query_string(offset=str(place) if place else None) + "#calls"

    return {
        "previous_url": at(max(offset - limit, 0)) if offset else "",
        "next_url": at(offset + limit) if offset + limit < known else "",
    }
