"""Budgets that are expected to pass their limit before their period is over."""

from collections.abc import Iterator
from datetime import datetime

from django.db.models import F, Q

from budgets.alerts.keeping import Finding, keep
from budgets.alerts.resolving import CALM
from budgets.models import Alert, Forecast

_TOLD = ("expected", "low", "high", "limit", "run_rate", "crosses_on", "chance", "error")


def watch_overruns(now: datetime) -> None:
    """Keep an alert for every window that the latest forecasts expect to end above its limit, and
    that has not reached it yet; `now` is an aware time.

    It is over when less than 98 % of the limit is expected, when the limit is reached (which is
    an alert of its own), or with the period.
    """
    keep(Alert.Kind.FORECAST, _findings(now), now)


def _findings(now: datetime) -> Iterator[Finding]:
    live = set(
        Alert.objects.filter(kind=Alert.Kind.FORECAST)
        .exclude(state=Alert.State.RESOLVED)
        .values_list("key", flat=True)
    )
    not_reached = Forecast.objects.filter(budget__enabled=True, end__gt=now, limit__gt=F("spent"))
    near = not_reached.filter(expected__gt=F("limit") * CALM).annotate(
        is_over=Q(expected__gt=F("limit"))
    )
    for forecast in near.select_related("budget").order_by("budget", "member", "start"):
        found = _finding(forecast)
        if forecast.is_over or found.key in live:
            yield found


def _finding(forecast: Forecast) -> Finding:
    key = f"{forecast.budget_id}:{forecast.member}:{int(forecast.start.timestamp())}"
    facts = {name: getattr(forecast, name) for name in _TOLD}
    return Finding(
        key=key,
        severity=Alert.Severity.WARNING,
        facts={**facts, "used": forecast.spent},
        organization_id=forecast.budget.organization_id if forecast.budget else None,
        budget_id=forecast.budget_id,
        member=forecast.member,
        window_start=forecast.start,
        window_end=forecast.end,
    )
