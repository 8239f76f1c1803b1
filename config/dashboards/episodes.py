"""The lists of sessions and of runs: newest or dearest first, in pages, and as a file."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import reverse
from django.utils import timezone

from config.dashboards.episode_rows import read_rows
from config.dashboards.page import Page, render_page
from config.dashboards.panels import is_single
from config.dashboards.parsing import read_question
from config.dashboards.question import Question
from config.dashboards.reading import Reading
from usage.api.files import file_response
from usage.exports.encoding import Column, ColumnType, Row, Table
from usage.formats import money
from usage.models import Export
from usage.selectors.access import Viewer, viewer_of
from usage.selectors.currency import ledger_currency
from usage.selectors.episode_lists import (
    FILTERS,
    EpisodePage,
    EpisodeQuery,
    list_episodes,
    total_episodes,
)
from usage.selectors.episodes import Episode, EpisodeKind
from usage.selectors.questions import QuestionError
from usage.selectors.sums import known_cost

ROWS, ROWS_AT_ONCE = 50, 1000
ORDERS = {"newest": "-started_at", "dearest": "-cost"}
KEPT = ("order", "cursor")


def sessions_page(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """The sessions that the signed-in user sees."""
    return _list_page(request, context, EpisodeKind.SESSION)


def runs_page(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """The runs that the signed-in user sees."""
    return _list_page(request, context, EpisodeKind.RUN)


def sessions_csv(request: HttpRequest) -> StreamingHttpResponse:
    """All rows of the list of sessions as a file."""
    return _csv(request, EpisodeKind.SESSION)


def runs_csv(request: HttpRequest) -> StreamingHttpResponse:
    """All rows of the list of runs as a file."""
    return _csv(request, EpisodeKind.RUN)


def _list_page(request: HttpRequest, context: dict[str, Any], kind: EpisodeKind) -> HttpResponse:
    page = Page(
        title=f"{kind.value.title()}s",
        template="dashboards/episodes.html",
        read=lambda reading: _read(reading, kind),
        kept=KEPT,
    )
    return render_page(request, context, page)


def _read(reading: Reading, kind: EpisodeKind) -> dict[str, Any]:
    question = reading.question
    query = _query(reading.viewer, question, kind)
    found = _page(query, question.kept.get("cursor", ""))
    totals = total_episodes(query)
    order = _order(question)
    return {
        "kind": kind.value,
        "kinds": [
            (f"{each.value.title()}s", reverse(f"admin:{each.value}s") + _same(question), each)
            for each in EpisodeKind
        ],
        "orders": [
            (name.title(), question.query_string(order=_unless_first(name), cursor=None), name)
            for name in ORDERS
        ],
        "order": order,
        "rows": read_rows(question, found.episodes, ledger_currency()),
        "rows_currency": ledger_currency(),
        "several": not is_single(reading),
        "totals_row": {
            "episodes": totals.episodes, "sums": totals.sums,
            "amount": money(known_cost(totals.sums), ledger_currency()),
        },
        "unasked": question.unasked(FILTERS),
        "next_url": _cursor_url(question, found.next_cursor),
        "previous_url": _cursor_url(question, found.previous_cursor),
        "csv_url": reverse(f"admin:{kind.value}s_csv")
        + question.everywhere(group=None, step=None, order=_unless_first(order)),
    }  # fmt: skip


def _csv(request: HttpRequest, kind: EpisodeKind) -> StreamingHttpResponse:
    viewer = viewer_of(request.user)
    question = read_question(request.GET.dict(), timezone.now(), viewer, kept=KEPT)
    query = replace(_query(viewer, question, kind), limit=ROWS_AT_ONCE)
    table = Table(_columns(kind), (_line(episode) for episode in _all(query)))
    name = f"tallyman-{kind.value}s-{question.first}-{question.last}.csv"
    return file_response(table, Export.Format.CSV, name)


def _query(viewer: Viewer, question: Question, kind: EpisodeKind) -> EpisodeQuery:
    return EpisodeQuery(
        viewer=viewer,
        kind=kind,
        start=question.first,
        end=question.end,
        time_zone=question.zone.key,
        filters=question.allowed_by(FILTERS),
        order_by=ORDERS[_order(question)],
        limit=ROWS,
    )


def _page(query: EpisodeQuery, cursor: str) -> EpisodePage:
    """The page at the cursor, the first where the cursor is of another question."""
    try:
        return list_episodes(replace(query, cursor=cursor))
    except QuestionError as error:
        if error.field != "cursor":
            raise
        return list_episodes(query)


def _order(question: Question) -> str:
    asked = question.kept.get("order", "")
    return asked if asked in ORDERS else next(iter(ORDERS))


def _unless_first(order: str) -> str | None:
    return None if order == next(iter(ORDERS)) else order


def _same(question: Question) -> str:
    return question.query_string(cursor=None)


def _cursor_url(question: Question, cursor: str | None) -> str:
    return question.query_string(cursor=cursor) if cursor else ""


def _all(query: EpisodeQuery) -> Iterator[Episode]:
    cursor: str | None = ""
    while cursor is not None:
        page = list_episodes(replace(query, cursor=cursor))
        yield from page.episodes
        cursor = page.next_cursor


def _columns(kind: EpisodeKind) -> list[Column]:
    texts = (kind.value, "organization", "project", "person", "provider", "model", "trigger")
    counts = ("requests", "errors", "unpriced requests", "input tokens", "output tokens")
    return [
        *(Column(name, ColumnType.TEXT) for name in texts),
        Column("started", ColumnType.INSTANT),
        Column("ended", ColumnType.INSTANT),
        Column("status", ColumnType.TEXT),
        *(Column(name, ColumnType.INTEGER) for name in counts),
        Column(f"cost {ledger_currency()}", ColumnType.DECIMAL),
    ]


def _line(episode: Episode) -> Row:
    sums = episode.sums
    return (
        episode.id, episode.organization, episode.project, episode.subject, episode.provider,
        episode.model, episode.run_trigger, episode.started_at, episode.ended_at, episode.status,
        sums.events, sums.errors, sums.unpriced_events, sums.input_tokens, sums.output_tokens,
        known_cost(sums),
    )  # fmt: skip
