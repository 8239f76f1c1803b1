"""The chargeback page: what a month is charged to whom."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from config.dashboards.bars import choices
from config.navigation import addable_models
from usage.api.files import file_response
from usage.exports.chargeback import chargeback_table
from usage.formats import share
from usage.models import Export
from usage.selectors.access import Viewer, report_zone, viewer_of
from usage.selectors.chargeback import (
    Account,
    Chargeback,
    ChargebackRow,
    Owner,
    assignable,
    chargeback,
)
from usage.selectors.overview import organization_choices
from usage.selectors.periods import find_zone
from usage.selectors.questions import UsageSums

OFFERED_MONTHS = 6
ROWS = 40


@dataclass(frozen=True, slots=True)
class ChargedMonth:
    """What the page's URL asks for: a month, by its first day, and an organization or all."""

    month: date
    today: date
    zone: str
    organization: str
    notices: tuple[str, ...]

    def query_string(self, month: date) -> str:
        """The same view of another month."""
        parts = {"month": f"{month:%Y-%m}", "organization": self.organization}
        return "?" + urlencode({name: value for name, value in parts.items() if value})


@dataclass(frozen=True, slots=True)
class Line:
    """What a project and team of a cost centre cost; `assign_url` leads to where to assign it."""

    row: ChargebackRow
    percent: Decimal | None
    assign_url: str


@dataclass(frozen=True, slots=True)
class Charged:
    """A cost centre with its lines; `more` are not shown."""

    account: Account
    sums: UsageSums
    percent: Decimal | None
    lines: list[Line]
    more: int


def chargeback_page(request: HttpRequest, context: dict[str, Any]) -> TemplateResponse:
    """The page, inside the admin's own page context."""
    viewer = viewer_of(request.user)
    asked = _read(request.GET, viewer, timezone.now())
    charged = _ask(asked, viewer)
    may_assign = "usage.costcentre" in addable_models(context["available_apps"])
    months = [asked.today.replace(day=1)]
    while len(months) < OFFERED_MONTHS:
        months.append((months[-1] - timedelta(days=1)).replace(day=1))
    organizations = organization_choices(viewer)
    context |= {
        "title": "Chargeback",
        "asked": asked,
        "months": [(month, asked.query_string(month)) for month in reversed(months)],
        "organizations": choices(organizations, asked.organization),
        "several": len(organizations) > 1,
        "charged": charged,
        "accounts": _accounts(charged, viewer, may_assign=may_assign),
        "csv_url": reverse("admin:chargeback_csv") + asked.query_string(asked.month),
        "as_of": charged.as_of.astimezone(find_zone(asked.zone)),
        "may_assign": may_assign,
    }
    return TemplateResponse(request, "usage/chargeback.html", context)


def chargeback_csv(request: HttpRequest) -> StreamingHttpResponse:
    """What the page shows, exactly and in full, as a CSV file."""
    viewer = viewer_of(request.user)
    asked = _read(request.GET, viewer, timezone.now())
    name = f"chargeback-{asked.month:%Y-%m}.csv"
    return file_response(chargeback_table(_ask(asked, viewer)), Export.Format.CSV, name)


def _read(parameters: Mapping[str, str], viewer: Viewer, now: datetime) -> ChargedMonth:
    """What is not understood falls back and is noted, never raised."""
    organization = parameters.get("organization", "").replace("\0", "")[:128]
    zone = report_zone(viewer, [organization] if organization else None)
    today = now.astimezone(find_zone(zone)).date()
    notices = []
    month, text = today.replace(day=1), parameters.get("month", "")
    if text:
        try:
            month = date.fromisoformat(f"{text}-01")
        except ValueError:
            notices.append(f"{text[:32]!r} is not a month such as 2026-11.")
        if not 2000 <= month.year < 2199:
            month = today.replace(day=1)
            notices.append("Years lie between 2000 and 2198.")
    return ChargedMonth(month, today, zone, organization, tuple(notices))


def _ask(asked: ChargedMonth, viewer: Viewer) -> Chargeback:
    return chargeback(
        viewer,
        first_month=asked.month,
        last_month=asked.month,
        organizations=[asked.organization] if asked.organization else None,
    )


def _accounts(charged: Chargeback, viewer: Viewer, *, may_assign: bool) -> list[Charged]:
    accounts = charged.by_account()
    loose = [row for account, _, rows in accounts if not account.code for row in rows[:ROWS]]
    owners = assignable(viewer, loose) if may_assign else {}
    whole = charged.totals.cost
    return [
        Charged(
            account,
            sums,
            share(sums.cost, whole),
            [
                Line(row, share(row.sums.cost, whole), _assign_url(row, owners))
                for row in rows[:ROWS]
            ],
            max(len(rows) - ROWS, 0),
        )
        for account, sums, rows in accounts
    ]


def _assign_url(
    row: ChargebackRow, owners: Mapping[tuple[str, str | None, str | None], Owner]
) -> str:
    owner = owners.get((row.account.organization, row.project, row.team))
    if row.account.code or owner is None:
        return ""
    return reverse(f"admin:usage_{owner.kind}_change", args=(owner.id,))
