"""A project's last six calendar months."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from config.dashboards.project.month import ProjectMonth
from usage.formats import bar, share
from usage.selectors.cards import Point, monthly
from usage.selectors.projects import TREND_MONTHS
from usage.selectors.questions import UsageSums
from usage.selectors.sums import known_cost


@dataclass(frozen=True, slots=True)
class MonthRow:
    """One month; `bar` is its cost in percent of the dearest month's, `cost` None where nobody
    knows any of it. `url` is the project's page of that month."""

    name: str
    first: date
    sums: UsageSums
    cost: Decimal | None
    bar: int
    url: str
    events_url: str


def read_trend(month: ProjectMonth) -> list[MonthRow]:
    """Six months up to the one shown, oldest first, those without usage too."""
    points = monthly(month.frame, TREND_MONTHS).points
    most = max(Decimal(0), *(point.sums.cost for point in points))
    return [_row(month, point, most) for point in points]


def _row(month: ProjectMonth, point: Point, most: Decimal) -> MonthRow:
    return MonthRow(
        f"{point.start:%B %Y}",
        point.start,
        point.sums,
        known_cost(point.sums),
        bar(share(point.sums.cost, most)),
        month.page_of(point.start, point.end),
        month.events_between(point.start, point.end),
    )
