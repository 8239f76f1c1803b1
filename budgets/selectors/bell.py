"""The badge in the header of pages: how many alerts nobody has acknowledged yet."""

from dataclasses import dataclass

from django.db.models import Case, Count, IntegerField, Q, Value, When, Window

from budgets.models import Alert
from budgets.models.budgets import RELATIONS
from usage.selectors.access import Viewer
from usage.selectors.overview import visible

ALERT_PARTS = ("organization", "budget", *(f"budget__{name}" for name in RELATIONS))
"""What to select with alerts, so that they can be named without another statement."""

_WORST_FIRST = (Alert.Severity.CRITICAL, Alert.Severity.WARNING, Alert.Severity.INFO)


@dataclass(frozen=True, slots=True)
class Bell:
    """The open alerts of a viewer: how many, how many of them critical, how severe the worst is
    ("" of none), and the newest critical one. `version` is another one whenever there is
    something else to show."""

    count: int = 0
    critical: int = 0
    severity: str = ""
    version: str = "0"
    first: Alert | None = None


def by_severity() -> Case:
    """What to order alerts by, so that the most severe come first."""
    ranks = [When(severity=name, then=Value(rank)) for rank, name in enumerate(_WORST_FIRST)]
    return Case(*ranks, output_field=IntegerField())


def read_bell(viewer: Viewer) -> Bell:
    """The open alerts that a viewer may see: in one statement, none for who sees nothing, and one
    more to name the critical one where there is any."""
    if viewer.organization_ids == frozenset():
        return Bell()
    critical = Count("pk", filter=Q(severity=Alert.Severity.CRITICAL))
    rows = visible(Alert.objects.filter(state=Alert.State.OPEN), viewer)
    counted = rows.annotate(all_open=Window(Count("pk")), all_critical=Window(critical))
    worst = counted.order_by(by_severity(), "-opened_at", "-pk").first()
    if worst is None:
        return Bell()
    named = Alert.objects.filter(pk=worst.pk).select_related(*ALERT_PARTS)
    return Bell(
        count=worst.all_open,
        critical=worst.all_critical,
        severity=worst.severity,
        version=f"{worst.all_open}-{worst.all_critical}-{worst.pk}-{worst.occasion}",
        first=named.first() if worst.all_critical else None,
    )
