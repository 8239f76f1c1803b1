"""`GET /chargeback/`: what each month is charged to which cost centre."""

import re
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.http.response import HttpResponseBase
from rest_framework.request import Request

from usage.api.files import file_response
from usage.api.parameters import ParameterReader
from usage.api.reads import ReadView, json_answer
from usage.api.schema.chargeback import CHARGEBACK, MONTH
from usage.exports.chargeback import chargeback_table
from usage.ingest.partitions import next_month
from usage.models import Export
from usage.selectors.access import report_zone, viewer_of
from usage.selectors.chargeback import Chargeback, ChargebackRow, chargeback
from usage.selectors.filters import ORGANIZATION
from usage.selectors.periods import FIRST_YEAR, LAST_YEAR
from usage.selectors.usage import sums_as_json


class ChargebackView(ReadView):
    """Sums by month, cost centre, project and team, in each organization's own months.

    A project's assignment in force in a month precedes its team's; `cost_centre` is null where
    neither is assigned. `to` is exclusive: without it the present month is the last, and without
    `from` the only one. Calls that arrive late count in their own month, even in a closed one.
    """

    @CHARGEBACK
    def get(self, request: Request) -> HttpResponseBase:
        """Charge months to cost centres."""
        viewer = viewer_of(request.user)
        reader = ParameterReader(request.GET)
        as_csv = reader.choice("format", ("json", "csv"), "json") == "csv"
        organizations = reader.many(ORGANIZATION) or None
        zone = ZoneInfo(report_zone(viewer, organizations))
        end = _month(reader, "to") or next_month(datetime.now(zone).date().replace(day=1))
        last = (end - timedelta(days=1)).replace(day=1)
        first = _month(reader, "from") or last
        reader.finish()
        charged = chargeback(
            viewer, first_month=first, last_month=last, organizations=organizations
        )
        if as_csv:
            return file_response(chargeback_table(charged), Export.Format.CSV, "chargeback.csv")
        return json_answer(_as_json(charged))


def _month(reader: ParameterReader, name: str) -> date | None:
    text = reader.one(name)
    if not text:
        return None
    if not re.search(MONTH, text) or not text.isascii():
        reader.fault(name, "invalid", f"{text!r} is not a month such as 2026-11.")
        return None
    year, month = int(text[:4]), int(text[5:])
    if not FIRST_YEAR <= year <= LAST_YEAR:
        reader.fault(name, "out_of_range", f"The year lies between {FIRST_YEAR} and {LAST_YEAR}.")
        return None
    return date(year, month, 1)


def _as_json(charged: Chargeback) -> dict[str, object]:
    return {
        "from": f"{charged.first_month:%Y-%m}",
        "to": f"{next_month(charged.last_month):%Y-%m}",
        "currency": charged.currency,
        "as_of": charged.as_of,
        "unpriced_events": charged.totals.unpriced_events,
        "results": [_row_as_json(row) for row in charged.rows],
        "totals": sums_as_json(charged.totals),
    }


def _row_as_json(row: ChargebackRow) -> dict[str, object]:
    return {
        "month": f"{row.month:%Y-%m}",
        "organization": row.account.organization,
        "cost_centre": row.account.code or None,
        "cost_centre_name": row.account.name,
        "project": row.project,
        "team": row.team,
        **sums_as_json(row.sums),
    }
