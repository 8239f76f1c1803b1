"""The directories: all organizations, projects, people or models of a question in one table."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import parse_qsl

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import reverse
from django.utils import timezone

from config.dashboards.directory_rows import (
    BUDGETED,
    lists_unused,
    narrowed,
    read_directory,
)
from config.dashboards.links import DIRECTORIES, PAGES
from config.dashboards.page import Page, draw, in_shown_currency, render_page
from config.dashboards.parsing import read_question
from config.dashboards.question import Question
from config.dashboards.reading import Reading
from usage.api.files import file_response
from usage.exports.encoding import Column, ColumnType, Row, Table
from usage.exports.sums import open_usage
from usage.models import Export
from usage.selectors.access import viewer_of
from usage.selectors.directories import Key, names_of, told_names, unused_names
from usage.selectors.questions import MAX_ROWS, SUM_NAMES
from usage.selectors.sums import total_of

DEFAULT_ORDER = "-cost"
KEPT = ("order", "q")
_NAME = "name"
_HEADINGS = (
    ("Name", _NAME),
    ("Requests", "events"),
    ("Failed", "errors"),
    ("Tokens", "total_tokens"),
    ("From cache", ""),
    ("Per request", ""),
    ("Spend", "cost"),
    ("Share", ""),
    ("Change", ""),
)


@dataclass(frozen=True, slots=True)
class Heading:
    """A column; `url` orders by it, "" where nothing does, and `sorted` says how it is ordered."""

    label: str
    url: str
    sorted: str
    is_number: bool


def directory_page(request: HttpRequest, context: dict[str, Any], kind: str) -> HttpResponse:
    """The directory of `kind`, a key of DIRECTORIES, as far as the signed-in user sees it."""
    page = Page(
        title=_title(kind),
        template="dashboards/directory.html",
        read=partial(_read, kind=kind, cursor=request.GET.get("after", "")),
        default_group=kind,
        kept=KEPT,
    )
    return render_page(request, context, page)


def directory_csv(request: HttpRequest, kind: str) -> StreamingHttpResponse:
    """All names of a directory with all their sums as a CSV file, as many as one answer holds."""
    viewer = viewer_of(request.user)
    question = read_question(
        request.GET.dict(), timezone.now(), viewer, default_group=kind, kept=KEPT
    )
    question, table = in_shown_currency(
        question, lambda asked: _table(Reading(viewer, asked), kind)
    )
    name = f"tallyman-{DIRECTORIES[kind]}-{question.first}-{question.last}.csv"
    return file_response(table, Export.Format.CSV, name)


def _title(kind: str) -> str:
    return DIRECTORIES[kind].capitalize()


def _read(reading: Reading, kind: str, cursor: str) -> dict[str, Any]:
    question = reading.question
    order, text = _order(question), question.kept.get("q", "")
    directory = read_directory(
        reading, kind, order=_order_by(order, kind), text=text, cursor=cursor
    )
    here = question.query_string()
    following = directory.next_cursor
    return {
        "kind": kind,
        "spend": draw(reading, "spend"),
        "directory": directory,
        "headings": _headings(question, order, kind),
        "text": text,
        "search_fields": parse_qsl(question.query_string(q=None).removeprefix("?")),
        "first_url": here if cursor else "",
        "next_url": question.query_string(after=following) if following else "",
        "all_url": question.query_string(q=None),
        "csv_url": reverse(f"admin:{DIRECTORIES[kind]}_csv") + here,
    }


def _order(question: Question) -> str:
    """What the table is ordered by, with "-" for descending."""
    asked = question.kept.get("order", DEFAULT_ORDER)
    known = [name for _, name in _HEADINGS if name]
    return asked if asked.removeprefix("-") in known else DEFAULT_ORDER


def _order_by(order: str, kind: str) -> str:
    return order.replace(_NAME, kind)


def _headings(question: Question, order: str, kind: str) -> list[Heading]:
    columns = [*_HEADINGS, *([("Budget", "")] if kind in BUDGETED else [])]
    current, descending = order.removeprefix("-"), order.startswith("-")
    headings = []
    for label, name in columns:
        is_number = name != _NAME
        ways = {True: "descending", False: "ascending"}
        # Numbers begin with the largest, names with the first.
        wanted = not descending if name == current else is_number
        url = question.query_string(order=f"{'-' if wanted else ''}{name}") if name else ""
        headings.append(Heading(label, url, ways[descending] if name == current else "", is_number))
    return headings


def _table(reading: Reading, kind: str) -> Table:
    """The file's columns and rows; what makes the question wrong is raised at once."""
    text = reading.question.kept.get("q", "")
    only = narrowed(reading, kind, text)
    order = _order_by(_order(reading.question), kind)
    group_by = PAGES[kind]
    query = reading.query(group_by=group_by, only=only, order_by=order, limit=MAX_ROWS)
    found = open_usage(query)
    _, *columns = found.columns
    told = [Column(name, ColumnType.TEXT) for name in told_names(kind)]
    columns[len(group_by) : len(group_by)] = told
    return Table(columns, _rows(reading, kind, only, found))


def _rows(
    reading: Reading, kind: str, only: Mapping[str, list[str]], found: Table
) -> Iterator[Row]:
    names = names_of(reading.viewer, kind)
    nothing = ("",) * len(told_names(kind))
    width = len(PAGES[kind])
    used: set[Key] = set()
    for _, *values in found.rows:
        key = tuple(str(value or "") for value in values[:width])
        used.add(key)
        yield [*values[:width], *names.get(key, nothing), *values[width:]]
    if lists_unused(reading, kind):
        allowed = {**reading.question.allowed, **only}
        zeros = [getattr(total_of(()), name) for name in SUM_NAMES]
        for key in unused_names(reading.viewer, kind, used, allowed):
            yield [*key, *names.get(key, nothing), reading.question.currency, *zeros]
