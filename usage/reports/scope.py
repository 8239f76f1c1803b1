"""Whose usage a report is about, in which zone and currency, and at which moment."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from usage.reports.periods import Period
from usage.selectors.access import EVERYTHING, Viewer, find_scope, report_zone
from usage.selectors.currency import ledger_currency, shown_currencies
from usage.selectors.filters import ORGANIZATION
from usage.selectors.periods import find_zone
from usage.selectors.questions import (
    Granularity,
    QuestionError,
    UsageAnswer,
    UsageQuery,
    UsageRow,
)
from usage.selectors.usage import query_usage


class UnknownOrganizationError(LookupError):
    """Nobody is called so; the text says who."""


@dataclass(frozen=True, slots=True)
class Scope:
    """`organizations` are slugs, none of them meaning all that the viewer sees."""

    viewer: Viewer
    time_zone: str
    currency: str
    now: datetime
    organizations: tuple[str, ...] = ()

    @property
    def today(self) -> date:
        """The current day of the zone."""
        return self.now.astimezone(ZoneInfo(self.time_zone)).date()

    @property
    def organization(self) -> str | None:
        """The only organization it is about, None for several."""
        return self.organizations[0] if len(self.organizations) == 1 else None

    @property
    def filters(self) -> dict[str, Collection[str]]:
        """The filters of questions within it."""
        return {ORGANIZATION: self.organizations} if self.organizations else {}

    @property
    def words(self) -> str:
        """Whose usage this is and where days begin, for a subtitle."""
        return f"{', '.join(self.organizations) or 'all organizations'}, days in {self.time_zone}"

    def query(
        self,
        period: Period,
        group_by: Sequence[str] = (),
        *,
        filters: Mapping[str, Collection[str]] | None = None,
        granularity: Granularity = Granularity.TOTAL,
    ) -> UsageQuery:
        """The question about a period; groups come dearest first."""
        return UsageQuery(
            viewer=self.viewer,
            start=period.start,
            end=period.end,
            time_zone=self.time_zone,
            group_by=tuple(group_by),
            filters={**self.filters, **(filters or {})},
            granularity=granularity,
            order_by="-cost" if group_by and granularity is Granularity.TOTAL else "",
            currency=self.currency,
        )

    def ask(
        self,
        period: Period,
        group_by: Sequence[str] = (),
        *,
        filters: Mapping[str, Collection[str]] | None = None,
        granularity: Granularity = Granularity.TOTAL,
    ) -> UsageAnswer:
        """The sums of a period, at most the first MAX_ROWS rows. Raises QuestionError."""
        return query_usage(self.query(period, group_by, filters=filters, granularity=granularity))

    def every_row(self, period: Period, group_by: Sequence[str]) -> Iterator[UsageRow]:
        """All groups of a period, dearest first, page by page. Raises QuestionError."""
        query = self.query(period, group_by)
        while True:
            answer = query_usage(query)
            yield from answer.rows
            if answer.next_cursor is None:
                return
            query = replace(query, cursor=answer.next_cursor)


def open_scope(
    organizations: Sequence[str] = (),
    *,
    time_zone: str = "",
    currency: str = "",
    viewer: Viewer = EVERYTHING,
    now: datetime | None = None,
) -> Scope:
    """The scope of a report: by default everything, in `report_zone`, in the ledger currency.

    Raises UnknownOrganizationError, and QuestionError for a zone or currency nobody knows.
    """
    slugs = tuple(dict.fromkeys(organizations))
    for slug in slugs:
        if not find_scope(viewer, [slug]):
            raise UnknownOrganizationError(f"there is no organization {slug!r}")
    if currency and currency not in shown_currencies():
        known = ", ".join(shown_currencies())
        raise QuestionError("currency", "unknown", f"{currency!r} is none of {known}.")
    zone = find_zone(time_zone).key if time_zone else report_zone(viewer, slugs or None)
    return Scope(viewer, zone, currency or ledger_currency(), now or datetime.now(UTC), slugs)
