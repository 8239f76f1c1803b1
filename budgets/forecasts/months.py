"""What the present and the next month of organizations and projects will have cost."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

import numpy as np

from budgets.forecasts.windows import tell
from budgets.models import Forecast
from pricing.compiled import quantize
from usage.forecasting import RATE_DAYS, Horizon, Outlook, at_daily_pace, in_the_end, look_ahead
from usage.models import Organization, Project
from usage.selectors.day_series import DaySeries, Known, month_costs, parts_of, read_days
from usage.selectors.forecasts import month_after, this_month
from usage.selectors.periods import find_zone, midnight

_COST = "cost"


class _Owner(NamedTuple):
    """An organization or a project of it (None: all of it), and the present day there."""

    organization: int
    project: int | None
    zone: str
    today: date

    @property
    def series(self) -> DaySeries:
        """What it costs by day."""
        parts = parts_of(organization=self.organization, project=self.project)
        return DaySeries(parts, _COST, self.today, self.zone)

    @property
    def months(self) -> tuple[tuple[date, date], tuple[date, date]]:
        """The first days of the present and of the next month, and their ends."""
        return this_month(self.today), month_after(self.today)


def forecast_months(now: datetime) -> list[Forecast]:
    """The months of all organizations and projects in use that are not archived, as seen at
    `now`, an aware time; not stored."""
    organizations = _organizations(now)
    projects = Project.objects.filter(archived_at=None, organization__in=organizations)
    owned = [
        organizations[owner]._replace(project=pk)
        for pk, owner in projects.order_by("pk").values_list("pk", "organization")
    ]
    return [
        *_forecasts("organization", list(organizations.values()), now),
        *_forecasts("project", owned, now),
    ]


def _organizations(now: datetime) -> dict[int, _Owner]:
    rows = Organization.objects.filter(archived_at=None).order_by("pk")
    return {
        pk: _Owner(pk, None, zone, now.astimezone(find_zone(zone)).date())
        for pk, zone in rows.values_list("pk", "time_zone")
    }


def _forecasts(by: str, owners: Sequence[_Owner], now: datetime) -> list[Forecast]:
    known = read_days([owner.series for owner in owners])
    spent = month_costs(by, {owner.months[0][0] for owner in owners})
    outlooks = look_ahead(known.histories, *_horizons(owners))
    found = []
    for row, owner in enumerate(owners):
        if not known.histories.known[row] and not known.today[row]:
            continue
        for (start, end), ahead in zip(owner.months, outlooks[row], strict=True):
            forecast = _begin(by, owner, start, end, now)
            cost = spent.get((getattr(owner, by), start), Decimal(0))
            _go_on(forecast, (start, end), cost, ahead, _Place(known, row, owner))
            found.append(forecast)
    return found


class _Place(NamedTuple):
    """Where in what is known an owner's series lies."""

    known: Known
    row: int
    owner: _Owner


def _horizons(owners: Sequence[_Owner]) -> list[Horizon]:
    """The days of both months as seen from the present day of each owner."""
    found = []
    for number in range(2):
        months = [(owner.months[number], owner.today) for owner in owners]
        first = [max((start - today).days, 0) for (start, _), today in months]
        end = [(end - today).days for (_, end), today in months]
        found.append(Horizon(np.array(first, np.int64), np.array(end, np.int64)))
    return found


def _begin(by: str, owner: _Owner, start: date, end: date, now: datetime) -> Forecast:
    zone = find_zone(owner.zone)
    return Forecast(
        **{f"{by}_id": getattr(owner, by)},
        start=midnight(start, zone),
        end=midnight(end, zone),
        made_at=now,
    )


def _go_on(
    forecast: Forecast,
    month: tuple[date, date],
    cost: Decimal,
    ahead: Outlook | None,
    place: _Place,
) -> None:
    """Let a forecast say what its month costs so far, and will."""
    known, row, owner = place
    is_present = month[0] <= owner.today
    current = Decimal(str(known.today[row])) if is_present else Decimal(0)
    history = known.histories.last(row, RATE_DAYS)
    forecast.spent = cost
    forecast.days_of_history = int(known.histories.known[row])
    forecast.run_rate = quantize(at_daily_pace(cost, *month, owner.today, history))
    if ahead is not None:
        tell(forecast, in_the_end(cost, current, ahead), ahead)
