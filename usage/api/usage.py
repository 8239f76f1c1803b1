"""`GET /usage/`: the query endpoint, as JSON pages or one CSV file."""

from dataclasses import replace
from typing import Any

import msgspec
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from rest_framework.request import Request
from rest_framework.views import APIView

from usage.api.authentication import HasScope, KeyAuthentication, StaffSession
from usage.api.files import file_response
from usage.api.parameters import (
    MAX_PAGE,
    OwnFormat,
    ParameterReader,
    page_link,
)
from usage.api.questions import read_usage_question
from usage.api.schema.usage import USAGE
from usage.exports.sums import open_usage
from usage.models import APIKey, Export
from usage.selectors.access import Viewer, viewer_of
from usage.selectors.questions import (
    MAX_ROWS,
    UsageAnswer,
    UsageQuery,
    UsageRow,
)
from usage.selectors.usage import query_usage, sums_as_json

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

    @USAGE
    def get(self, request: Request) -> HttpResponseBase:
        """Answer a question."""
        query, as_csv = read_query(request, viewer_of(request.user))
        if as_csv:
            return file_response(open_usage(query), Export.Format.CSV, "usage.csv")
        return _json_response(request, query, query_usage(query))


def read_query(request: Request, viewer: Viewer) -> tuple[UsageQuery, bool]:
    """The question a request asks and whether it wants CSV. Raises ValidationError."""
    reader = ParameterReader(request.GET)
    as_csv = reader.choice("format", ("json", "csv"), "json") == "csv"
    limit: int | None = reader.number("limit", MAX_PAGE, MAX_ROWS if as_csv else MAX_PAGE)
    if as_csv and "limit" not in request.GET:
        limit = None
    question = read_usage_question(reader, viewer)
    query = replace(question, limit=limit, cursor=reader.one("cursor"))
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
