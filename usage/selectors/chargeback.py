"""What each month is charged to which cost centre, in the organizations' own months."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import NamedTuple

from usage.ingest.partitions import next_month
from usage.models import ClosedMonth, CostCentreAssignment, Organization, Project, Team
from usage.selectors.access import Viewer
from usage.selectors.currency import ledger_currency
from usage.selectors.overview import visible
from usage.selectors.questions import (
    Granularity,
    QuestionError,
    UsageAnswer,
    UsageQuery,
    UsageRow,
    UsageSums,
)
from usage.selectors.sums import total_of
from usage.selectors.usage import query_usage

MAX_MONTHS = 36
_GROUPS = ("organization", "project", "team")


ChargebackPlace = tuple[str, str | None, str | None]
"""The slugs of a row's organization, project and team."""


class Account(NamedTuple):
    """A cost centre of an organization (a slug); an empty code is "not assigned"."""

    organization: str
    code: str
    name: str


@dataclass(frozen=True, slots=True)
class ChargebackRow:
    """What a project and team (slugs, None: not given) used in one month (its first day)."""

    month: date
    account: Account
    project: str | None
    team: str | None
    sums: UsageSums


@dataclass(frozen=True, slots=True)
class Chargeback:
    """Rows by month, organization, cost centre, project and team; "not assigned" comes last.

    Months go from `first_month` to `last_month`, both included and named by their first days.
    Costs are in `currency`, the ledger's, without unpriced events; `totals` are those of all rows.
    """

    first_month: date
    last_month: date
    currency: str
    rows: list[ChargebackRow]
    totals: UsageSums
    as_of: datetime

    def by_account(self) -> list[tuple[Account, UsageSums, list[ChargebackRow]]]:
        """Each cost centre with its sums over all months and its rows, months added up."""
        grouped: dict[Account, dict[tuple[str | None, str | None], list[ChargebackRow]]]
        grouped = defaultdict(lambda: defaultdict(list))
        for row in self.rows:
            grouped[row.account][row.project, row.team].append(row)
        accounts = []
        for account in sorted(grouped, key=_account_order):
            rows = [
                replace(same[0], sums=total_of(row.sums for row in same))
                for same in grouped[account].values()
            ]
            rows.sort(key=lambda row: (-row.sums.cost, row.project or "", row.team or ""))
            accounts.append((account, total_of(row.sums for row in rows), rows))
        return accounts


def chargeback(
    viewer: Viewer,
    *,
    first_month: date,
    last_month: date,
    organizations: Collection[str] | None = None,
) -> Chargeback:
    """Charge the months from `first_month` to `last_month`, both included and named by a day of
    theirs, of the organizations (slugs, None: all that the viewer sees).

    A project's assignment in force in a month precedes its team's. Raises QuestionError when the
    last month comes before the first, and for more than MAX_MONTHS months.
    """
    first, last = first_month.replace(day=1), last_month.replace(day=1)
    months = (last.year - first.year) * 12 + last.month - first.month + 1
    if months < 1:
        raise QuestionError("to", "empty_range", "`to` must come after `from`.")
    if months > MAX_MONTHS:
        raise QuestionError(
            "to", "too_many_months", f"At most {MAX_MONTHS} months are charged at once."
        )
    zones = zones_of(viewer, organizations)
    assigned = Assigned(viewer)
    as_of = datetime.now(UTC)
    rows: list[ChargebackRow] = []
    for zone, slugs in zones.items():
        for answer in _answers(viewer, first, next_month(last), zone, slugs):
            as_of = min(as_of, answer.as_of)
            rows += [_charged(row, assigned) for row in answer.rows]
    rows.sort(key=_row_order)
    totals = total_of(row.sums for row in rows)
    return Chargeback(first, last, ledger_currency(), rows, totals, as_of)


def zones_of(viewer: Viewer, wanted: Collection[str] | None = None) -> Mapping[str, list[str]]:
    """The slugs of the organizations asked for, or of all that a viewer sees, by time zone."""
    rows = visible(Organization.objects.order_by("slug"), viewer, "pk")
    if wanted is not None:
        rows = rows.filter(slug__in=wanted)
    zones: dict[str, list[str]] = defaultdict(list)
    for slug, zone in rows.values_list("slug", "time_zone"):
        zones[zone].append(slug)
    return zones


def _answers(
    viewer: Viewer, start: date, end: date, zone: str, slugs: list[str]
) -> Iterator[UsageAnswer]:
    query = UsageQuery(
        viewer=viewer,
        start=start,
        end=end,
        time_zone=zone,
        granularity=Granularity.MONTH,
        group_by=_GROUPS,
        filters={"organization": slugs},
    )
    while True:
        answer = query_usage(query)
        yield answer
        if answer.next_cursor is None:
            return
        query = replace(query, cursor=answer.next_cursor)


def closed_organizations(viewer: Viewer, month: date) -> list[str]:
    """The slugs of the organizations that have closed the month whose first day is `month`."""
    rows = visible(ClosedMonth.objects.filter(month=month), viewer)
    return list(rows.order_by("organization__slug").values_list("organization__slug", flat=True))


class Owner(NamedTuple):
    """What can be assigned: the name of its model and its id."""

    kind: str
    id: int


def assignable(viewer: Viewer, rows: Collection[ChargebackRow]) -> dict[ChargebackPlace, Owner]:
    """What to assign so that rows get a cost centre: their projects, else their teams."""
    owners: dict[ChargebackPlace, Owner] = {}
    for model, kind in ((Project, "project"), (Team, "team")):
        slugs = {getattr(row, kind) for row in rows} - {None}
        found = visible(model._default_manager.filter(slug__in=slugs), viewer)
        ids = {
            (organization, slug): pk
            for organization, slug, pk in found.values_list("organization__slug", "slug", "pk")
        }
        for row in rows:
            organization = row.account.organization
            place = (organization, row.project, row.team)
            pk = ids.get((organization, getattr(row, kind)))
            if pk is not None and place not in owners:
                owners[place] = Owner(kind, pk)
    return owners


class Assigned:
    """All assignments a viewer may see, by owner, in the order of their months."""

    def __init__(self, viewer: Viewer) -> None:
        self._projects: _Timelines = defaultdict(list)
        self._teams: _Timelines = defaultdict(list)
        self._read(viewer, "project", self._projects)
        self._read(viewer, "team", self._teams)

    def account(
        self, organization: str, project: str | None, team: str | None, month: date
    ) -> Account:
        """What is charged for a project and team in a month."""
        for timelines, owner in ((self._projects, project), (self._teams, team)):
            timeline = timelines.get((organization, owner)) if owner else None
            if timeline:
                place = bisect_right(timeline, month, key=lambda held: held[0])
                if place:
                    return timeline[place - 1][1]
        return Account(organization, "", "")

    @staticmethod
    def _read(viewer: Viewer, owner: str, timelines: "_Timelines") -> None:
        rows = visible(
            CostCentreAssignment.objects.filter(**{f"{owner}__isnull": False}),
            viewer,
            f"{owner}__organization_id",
        )
        named = (f"{owner}__organization__slug", f"{owner}__slug", "from_month")
        for organization, slug, month, code, name in rows.order_by("from_month").values_list(
            *named, "cost_centre__code", "cost_centre__name"
        ):
            account = Account(organization, code or "", name or "")
            timelines[organization, slug].append((month, account))


_Timelines = dict[tuple[str, str | None], list[tuple[date, Account]]]


def _charged(row: UsageRow, assigned: Assigned) -> ChargebackRow:
    organization = row.group["organization"] or ""
    project, team = row.group["project"], row.group["team"]
    account = assigned.account(organization, project, team, row.start)
    return ChargebackRow(row.start, account, project, team, row.sums)


def _account_order(account: Account) -> tuple[str, bool, str]:
    return account.organization, not account.code, account.code


def _row_order(row: ChargebackRow) -> tuple[date, str, bool, str, str, str]:
    return row.month, *_account_order(row.account), row.project or "", row.team or ""
