"""What a digest tells of: usage of a day or week beside the one before, budgets, and alerts."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db.models import QuerySet

from budgets.models import Alert, Channel
from budgets.notices.quiet import zone_of
from budgets.selectors.alerts import highest_of, live_alerts, seen_alerts
from budgets.selectors.standings import BudgetState, Level
from budgets.selectors.states import enabled_budgets, states_of
from usage.formats import NOT_GIVEN
from usage.selectors.access import EVERYTHING, Viewer
from usage.selectors.forecasts import Forecast, forecast_spend, this_month
from usage.selectors.questions import UsageQuery, UsageSums
from usage.selectors.usage import query_usage

TOP = 5
_MOST_BUDGETS = 10
_MOST_ALERTS, _READ_ALERTS = 8, 50


@dataclass(frozen=True, slots=True)
class Share:
    """What one organization or project used, and the cost of the time before."""

    name: str
    sums: UsageSums
    before: Decimal


@dataclass(frozen=True, slots=True)
class Digest:
    """The days `first` to `last` (both included) of `zone`; costs are in the ledger currency.

    `sums` are those of these days, `before` of as many days before. `shares` are the dearest
    organizations, or projects of the only one; `budgets` the most used of those that are near
    or over, of which there are `pressing`. `opened` and `resolved` count alerts of the span.
    """

    zone: str
    first: date
    last: date
    sums: UsageSums
    before: UsageSums
    shares: list[Share]
    budgets: list[BudgetState]
    pressing: int
    alerts: list[Alert]
    live: int
    opened: int
    resolved: int
    forecast: Forecast | None

    @property
    def is_empty(self) -> bool:
        """Whether nothing was used and nothing needs a look."""
        return not (self.sums.events or self.budgets or self.live or self.opened or self.resolved)


def read_digest(channel: Channel, since: datetime, until: datetime, now: datetime) -> Digest:
    """What a channel is told of the time from `since` to before `until`, midnights of its zone:
    of its organization, or where it is one of the site of all."""
    owner = channel.organization
    viewer = EVERYTHING if owner is None else Viewer(frozenset((owner.pk,)))
    zone = zone_of(channel)
    first, end = (at.astimezone(zone).date() for at in (since, until))
    end = max(end, first + timedelta(days=1))
    group = "organization" if owner is None else "project"
    start = first - (end - first)
    sums, costs = _usage(viewer, first, end, zone.key, group)
    before, costs_before = _usage(viewer, start, first, zone.key, group)
    live, pressing = live_alerts(viewer), _pressing(viewer, now)
    return Digest(
        zone=zone.key,
        first=first,
        last=end - timedelta(days=1),
        sums=sums,
        before=before,
        shares=_shares(costs, costs_before),
        budgets=pressing[:_MOST_BUDGETS],
        pressing=len(pressing),
        alerts=highest_of(live[:_READ_ALERTS])[:_MOST_ALERTS],
        live=live.count(),
        opened=_within(seen_alerts(viewer), "opened_at", since, until),
        resolved=_within(seen_alerts(viewer), "resolved_at", since, until),
        forecast=_forecast(viewer, now.astimezone(zone).date(), zone.key),
    )


def _usage(
    viewer: Viewer, start: date, end: date, zone: str, group: str
) -> tuple[UsageSums, dict[str | None, UsageSums]]:
    answer = query_usage(
        UsageQuery(
            viewer=viewer, start=start, end=end, time_zone=zone, group_by=(group,),
            order_by="-cost",
        )
    )  # fmt: skip
    return answer.totals, {row.group[group]: row.sums for row in answer.rows}


def _shares(
    costs: Mapping[str | None, UsageSums], before: Mapping[str | None, UsageSums]
) -> list[Share]:
    nothing = Decimal(0)
    return [
        Share(name or NOT_GIVEN, sums, before[name].cost if name in before else nothing)
        for name, sums in list(costs.items())[:TOP]
    ]


def _pressing(viewer: Viewer, now: datetime) -> list[BudgetState]:
    """The budgets near or over, most used first."""
    states = [s for s in states_of(enabled_budgets(viewer), now) if s.level is not Level.OK]
    return sorted(states, key=lambda s: (-(s.percent or 0), str(s.budget)))


def _within(alerts: QuerySet[Alert], column: str, since: datetime, until: datetime) -> int:
    return alerts.filter(**{f"{column}__gte": since, f"{column}__lt": until}).count()


def _forecast(viewer: Viewer, today: date, zone: str) -> Forecast | None:
    start, end = this_month(today)
    forecast = forecast_spend(viewer, start=start, end=end, today=today, time_zone=zone)
    return forecast if forecast.spent or forecast.expected else None
