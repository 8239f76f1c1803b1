"""`GET /usage/`: the query endpoint, as JSON pages or one CSV file."""

import csv
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from rest_framework.request import Request
from rest_framework.views import APIView

from usage.api.authentication import HasScope, KeyAuthentication, StaffSession
from usage.api.parameters import (
    MAX_PAGE,
    OwnFormat,
    ParameterReader,
    default_start,
    page_link,
    refuse,
)
from usage.models import APIKey
from usage.selectors.access import Viewer, report_zone, viewer_of
from usage.selectors.filters import ORGANIZATION
from usage.selectors.questions import (
    MAX_ROWS,
    SUM_NAMES,
    Granularity,
    QuestionError,
    UsageAnswer,
    UsageQuery,
    UsageRow,
)
from usage.selectors.usage import query_usage, sums_as_json

_ROWS_AT_ONCE = 500
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_encode = msgspec.json.encode


class UsageView(APIView):
    """Sums of usage by period and group.

    `limit` is at most (and by default) 1000 rows a page; CSV has all rows unless limited.
    Without `to` a question ends with today, without `from` it starts 30 days earlier;
    without `timezone` days are those of the organization if there is only one. In another
    `currency` than the ledger's, costs of each day are converted by the rate of that day.
    """

    authentication_classes = (KeyAuthentication, StaffSession)
    permission_classes = (HasScope,)
    content_negotiation_class = OwnFormat
    scope = APIKey.Scope.READ

    def get(self, request: Request) -> HttpResponseBase:
        """Answer a question."""
        query, as_csv = read_query(request, viewer_of(request.user))
        try:
            answer = query_usage(query)
        except QuestionError as error:
            refuse(error)
        return _csv_response(query, answer) if as_csv else _json_response(request, query, answer)


def read_query(request: Request, viewer: Viewer) -> tuple[UsageQuery, bool]:
    """The question a request asks and whether it wants CSV. Raises ValidationError."""
    reader = ParameterReader(request.GET)
    as_csv = reader.choice("format", ("json", "csv"), "json") == "csv"
    filters = reader.filters()
    zone = reader.zone(lambda: report_zone(viewer, filters.get(ORGANIZATION)))
    end = reader.bound("to") or datetime.now(ZoneInfo(zone)).date() + timedelta(days=1)
    start = reader.bound("from")
    granularity = Granularity(reader.choice("granularity", list(Granularity), Granularity.TOTAL))
    limit: int | None = reader.number("limit", MAX_PAGE, MAX_ROWS if as_csv else MAX_PAGE)
    if as_csv and "limit" not in request.GET:
        limit = None
    query = UsageQuery(
        viewer=viewer,
        start=start or default_start(end),
        end=end,
        time_zone=zone,
        granularity=granularity,
        group_by=reader.names("group_by"),
        filters=filters,
        order_by=reader.one("order_by"),
        limit=limit,
        cursor=reader.one("cursor"),
        currency=reader.one("currency"),
    )
    reader.finish()
    return query, as_csv


def _json_response(request: Request, query: UsageQuery, answer: UsageAnswer) -> HttpResponse:
    body = {
        "from": query.start,
        "to": query.end,
        "timezone": query.time_zone,
        "currency": answer.currency,
        "granularity": query.granularity,
        "as_of": answer.as_of,
        "unpriced_events": answer.unpriced_events,
        "results": [_row_as_json(row) for row in answer.rows],
        "totals": sums_as_json(answer.totals),
        "next": page_link(request, answer.next_cursor),
    }
    return HttpResponse(_encode(body), content_type="application/json")


def _row_as_json(row: UsageRow) -> dict[str, Any]:
    return {"start": row.start, **row.group, **sums_as_json(row.sums)}


def _csv_response(query: UsageQuery, answer: UsageAnswer) -> StreamingHttpResponse:
    response = StreamingHttpResponse(_csv_lines(query, answer), content_type="text/csv")
    response.headers["Content-Disposition"] = 'attachment; filename="usage.csv"'
    return response


def _csv_lines(query: UsageQuery, answer: UsageAnswer) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield writer.writerow(["start", *query.group_by, "currency", *SUM_NAMES])
    while True:
        for first in range(0, len(answer.rows), _ROWS_AT_ONCE):
            rows = answer.rows[first : first + _ROWS_AT_ONCE]
            yield "".join([writer.writerow(_cells(row, answer.currency)) for row in rows])
        if query.limit is not None or answer.next_cursor is None:
            return
        answer = query_usage(replace(query, cursor=answer.next_cursor))


def _cells(row: UsageRow, currency: str) -> list[object]:
    group = [safe_cell(value) for value in row.group.values()]
    sums = sums_as_json(row.sums).values()
    return [row.start.isoformat(), *group, currency, *sums]


def safe_cell(value: str | None) -> str:
    """Text that no spreadsheet takes for a formula."""
    if value and value.startswith(_FORMULA_STARTS):
        return f"'{value}"
    return value or ""


class _Echo:
    """A file that hands back what is written, so that `writerow` returns its line."""

    def write(self, line: str) -> str:
        return line
