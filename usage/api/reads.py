"""What ready-made reads share: who may call, faults as problems, and what a call asks about."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

import msgspec
from django.http import HttpResponse
from rest_framework.views import APIView

from usage.api.authentication import HasScope, KeyAuthentication, StaffSession
from usage.api.parameters import OwnFormat, ParameterReader
from usage.models import APIKey, CallKind
from usage.selectors.access import Viewer, report_zone
from usage.selectors.filters import ORGANIZATION
from usage.selectors.frames import Frame
from usage.selectors.periods import FIRST_YEAR, LAST_YEAR
from usage.selectors.summaries import BILLING_SCOPE

_encode = msgspec.json.encode


class ReadView(APIView):
    """A view that only reads."""

    authentication_classes = (KeyAuthentication, StaffSession)
    permission_classes = (HasScope,)
    content_negotiation_class = OwnFormat
    scope = APIKey.Scope.READ


def json_answer(
    body: object, status: int = 200, headers: Mapping[str, str] | None = None
) -> HttpResponse:
    """A body as JSON."""
    return HttpResponse(
        _encode(body), status=status, content_type="application/json", headers=headers
    )


def read_frame(
    reader: ParameterReader, viewer: Viewer, filters: Mapping[str, Sequence[str]]
) -> Frame:
    """The frame of `timezone`, `currency` and `billing_scope`; faults are left in `reader`.

    `filters` say what it is about; without `timezone` days are those of the only organization.
    """
    zone = reader.zone(lambda: report_zone(viewer, filters.get(ORGANIZATION)))
    payer = reader.choice(BILLING_SCOPE, ("", *CallKind.BillingScope.values), "")
    return Frame(
        viewer=viewer,
        today=today_in(zone),
        time_zone=zone,
        filters={**filters, BILLING_SCOPE: [payer]} if payer else filters,
        currency=reader.one("currency"),
    )


def read_organizations(reader: ParameterReader) -> dict[str, Sequence[str]]:
    """The filter for the organizations named, none for all."""
    slugs = reader.many(ORGANIZATION)
    return {ORGANIZATION: slugs} if slugs else {}


def read_month(reader: ParameterReader, default: date) -> date:
    """The first day of `month` (YYYY-MM), else of the month of `default`."""
    text = reader.one("month")
    try:
        month = date.fromisoformat(f"{text}-01") if text else default.replace(day=1)
    except ValueError:
        reader.fault("month", "invalid", f"{text[:20]!r} is not a month such as 2026-11.")
        return default
    if FIRST_YEAR <= month.year < LAST_YEAR:
        return month
    message = f"The year lies between {FIRST_YEAR} and {LAST_YEAR - 1}."
    reader.fault("month", "out_of_range", message)
    return default


def today_in(zone: str) -> date:
    """The present day of an IANA zone."""
    return datetime.now(ZoneInfo(zone)).date()
