"""`/reconciliations/`: provider bills against what was recorded."""

from datetime import date, timedelta
from typing import Any

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from rest_framework.exceptions import NotFound
from rest_framework.request import Request

from usage.api.files import file_response
from usage.api.parameters import MAX_PAGE, ParameterReader, page_link
from usage.api.reads import ReadView, json_answer, read_month
from usage.api.schema.reconciliations import RECONCILIATION, RECONCILIATIONS
from usage.exports.reconciliations import reconciliation_table
from usage.models import Export, Reconciliation, ReconciliationLine
from usage.reconciling.working import allowance
from usage.selectors.access import viewer_of
from usage.selectors.filters import ORGANIZATION
from usage.selectors.pages import read_pk
from usage.selectors.reconciliations import (
    AMOUNTS,
    find_reconciliation,
    has_changed,
    lines_of,
    list_reconciliations,
)

PAGE = 100


class ReconciliationsView(ReadView):
    """The reconciliations of visible organizations, the latest days first."""

    @RECONCILIATIONS
    def get(self, request: Request) -> HttpResponse:
        """List them."""
        reader = ParameterReader(request.GET)
        asked: dict[str, Any] = {
            "organizations": reader.many(ORGANIZATION),
            "source": reader.one("source"),
            "month": read_month(reader, date.min) if reader.one("month") else None,
            "state": reader.choice("state", ("", *Reconciliation.State.values), ""),
            "limit": reader.number("limit", PAGE, MAX_PAGE),
            "cursor": reader.one("cursor"),
        }
        reader.finish()
        page = list_reconciliations(viewer_of(request.user), **asked)
        results = [_shown(row) for row in page.rows]
        return json_answer({"results": results, "next": page_link(request, page.next)})


class ReconciliationView(ReadView):
    """One reconciliation with all of its lines, 404 for other organizations'."""

    @RECONCILIATION
    def get(self, request: Request, reconciliation_id: str) -> HttpResponseBase:
        """Show it."""
        reader = ParameterReader(request.GET)
        as_csv = reader.choice("format", ("json", "csv"), "json") == "csv"
        reader.finish()
        row = _found(request, reconciliation_id)
        if as_csv:
            name = f"reconciliation-{row.first_day}-{row.last_day}.csv"
            return file_response(reconciliation_table(row), Export.Format.CSV, name)
        is_signed = row.state == Reconciliation.State.SIGNED
        return json_answer(
            {
                **_shown(row),
                "has_changed": has_changed(row) if is_signed else None,
                "lines": [_line(line) for line in lines_of(row)],
            }
        )


def _found(request: Request, text: str) -> Reconciliation:
    try:
        row = find_reconciliation(viewer_of(request.user), read_pk(text))
    except ValueError:
        row = None
    if row is None:
        raise NotFound(f"There is no reconciliation {text[:20]!r}.")
    return row


def _amounts(row: Reconciliation | ReconciliationLine) -> dict[str, object]:
    amounts = {name: f"{getattr(row, name):.10f}" for name in AMOUNTS}
    return {**amounts, "unpriced_events": row.unpriced_events}


def _shown(row: Reconciliation) -> dict[str, object]:
    return {
        "id": row.pk,
        "organization": row.organization.slug,
        "source": row.source.name,
        "from": row.first_day,
        "to": row.last_day + timedelta(days=1),
        "currency": row.currency,
        "state": row.state,
        "tolerance_percent": f"{row.tolerance_percent:f}",
        "tolerance_amount": f"{row.tolerance_amount:f}",
        "allowed": f"{allowance(row):f}",
        "days_compared": row.days_compared,
        "left_out": row.left_out,
        "computed_at": row.computed_at,
        "signed_at": row.signed_at,
        "signed_by": str(row.signed_by) if row.signed_by else None,
        "note": row.note,
        **_amounts(row),
    }


def _line(line: ReconciliationLine) -> dict[str, object]:
    return {
        "day": line.day,
        "model": line.model,
        "project": line.project.slug if line.project else None,
        "description": line.description,
        "billed_tokens": line.billed_tokens,
        "recorded_tokens": line.recorded_tokens,
        "recorded_models": line.recorded_models,
        **_amounts(line),
    }
