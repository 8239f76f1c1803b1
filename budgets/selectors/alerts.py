"""Alerts, as far as somebody may see them."""

from collections.abc import Iterable

from django.db.models import QuerySet

from budgets.models import Alert, Budget
from budgets.selectors.bell import ALERT_PARTS, by_severity
from usage.selectors.access import Viewer
from usage.selectors.overview import visible


def seen_alerts(viewer: Viewer) -> QuerySet[Alert]:
    """The alerts of the organizations a viewer may see, newest first; those of the whole site
    only for who sees all organizations."""
    return visible(Alert.objects.select_related(*ALERT_PARTS), viewer)


def live_alerts(
    viewer: Viewer, *, kind: str | None = None, severity: str | None = None
) -> QuerySet[Alert]:
    """The alerts that are still so, acknowledged or not, the most severe first, then the newest;
    with `kind` and `severity` only those."""
    rows = seen_alerts(viewer).exclude(state=Alert.State.RESOLVED)
    if kind is not None:
        rows = rows.filter(kind=kind)
    if severity is not None:
        rows = rows.filter(severity=severity)
    return rows.order_by(by_severity(), "-opened_at", "-pk")


def highest_of(alerts: Iterable[Alert]) -> list[Alert]:
    """Of the levels that a budget, or each of its members, has reached only the first, which is
    the highest where they come by severity; all other alerts as they come."""
    found: dict[object, Alert] = {}
    for alert in alerts:
        is_level = alert.kind == Alert.Kind.THRESHOLD
        found.setdefault(("budget", alert.budget_id) if is_level else alert.pk, alert)
    return list(found.values())


def alerts_of_budget(budget: Budget) -> QuerySet[Alert]:
    """The alerts of a budget, newest first; whoever may see the budget may see them."""
    return Alert.objects.filter(budget=budget).select_related(*ALERT_PARTS)
