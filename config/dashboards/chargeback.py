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
from config.dashboards.links import day_parts, page_path
from config.dashboards.question import CUSTOM
from config.navigation import addable_models
from usage.api.files import file_response
from usage.exports.chargeback import chargeback_table
from usage.formats import NOT_GIVEN, share
from usage.ingest.partitions import next_month
from usage.models import Export
from usage.selectors.access import Viewer, report_zone, viewer_of
from usage.selectors.chargeback import (
    Account,
    Chargeback,
    ChargebackRow,
    Owner,
    assignable,
    chargeback,
    closed_organizations,
    zones_of,
)
from usage.selectors.overview import organization_choices
from usage.selectors.periods import find_zone
from usage.selectors.questions import UsageSums
from usage.selectors.sums import known_cost

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

    @property
    def days(self) -> dict[str, str]:
        """The month as parameters of other pages."""
        return day_parts(self.month, next_month(self.month) - timedelta(days=1))

    def project_url(self, organization: str, project: str | None) -> str:
        """The page of a project over the month, "" for usage that names none."""
        path = page_path("project", {"organization": organization, "project": project})
        return f"{path}?{urlencode({'range': CUSTOM, **self.days})}" if path else ""

    def events_url(self, zone: str, **parts: str) -> str:
        """The event list over the month as a time zone has it; empty `parts` are left out."""
        chosen = {name: value for name, value in parts.items() if value}
        asked = {**self.days, "tz": zone, **chosen}
        return f"{reverse('admin:usage_usageevent_changelist')}?{urlencode(asked)}"


@dataclass(frozen=True, slots=True)
class Line:
    """What a project and team of a cost centre cost, None where nobody knows any of it.

    `assign_url` leads to where to assign it, `events_url` to the events of the month behind it,
    `unpriced_url` to those without a price, `page_url` to the project's page, "" without one.
    """

    row: ChargebackRow
    cost: Decimal | None
    percent: Decimal | None
    assign_url: str
    events_url: str
    unpriced_url: str
    page_url: str


@dataclass(frozen=True, slots=True)
class Charged:
    """A cost centre with its lines; `more` are not shown."""

    account: Account
    sums: UsageSums
    cost: Decimal | None
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
        "total_cost": known_cost(charged.totals),
        "accounts": _accounts(charged, viewer, asked, may_assign=may_assign),
        "closed": _closed(charged, viewer, asked.month),
        "unpriced_url": asked.events_url(asked.zone, organization=asked.organization, unpriced="1"),
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
    organization = parameters.get("organization", "")[:128]
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


def _closed(charged: Chargeback, viewer: Viewer, month: date) -> str:
    """Whether the month is closed: for all that is charged, or for whom of them."""
    closed = closed_organizations(viewer, month)
    charges = {row.account.organization for row in charged.rows}
    if charges and charges <= set(closed):
        return "closed"
    some = [slug for slug in closed if slug in charges]
    return f"closed for {', '.join(some)}" if some else ""


def _accounts(
    charged: Chargeback, viewer: Viewer, asked: ChargedMonth, *, may_assign: bool
) -> list[Charged]:
    zones = {slug: zone for zone, slugs in zones_of(viewer).items() for slug in slugs}
    accounts = charged.by_account()
    loose = [row for account, _, rows in accounts if not account.code for row in rows[:ROWS]]
    owners = assignable(viewer, loose) if may_assign else {}
    whole = charged.totals.cost
    return [
        Charged(
            account,
            sums,
            known_cost(sums),
            share(sums.cost, whole),
            [
                _line(asked, row, zones[account.organization], whole, _assign_url(row, owners))
                for row in rows[:ROWS]
            ],
            max(len(rows) - ROWS, 0),
        )
        for account, sums, rows in accounts
    ]


def _line(
    asked: ChargedMonth, row: ChargebackRow, zone: str, whole: Decimal, assign_url: str
) -> Line:
    owner = row.account.organization
    names = {
        "organization": owner,
        "project": row.project or NOT_GIVEN,
        "team": row.team or NOT_GIVEN,
    }
    return Line(
        row,
        known_cost(row.sums),
        share(row.sums.cost, whole),
        assign_url,
        asked.events_url(zone, **names),
        asked.events_url(zone, **names, unpriced="1"),
        asked.project_url(owner, row.project),
    )


def _assign_url(
    row: ChargebackRow, owners: Mapping[tuple[str, str | None, str | None], Owner]
) -> str:
    owner = owners.get((row.account.organization, row.project, row.team))
    if row.account.code or owner is None:
        return ""
    return reverse(f"admin:usage_{owner.kind}_change", args=(owner.id,))
