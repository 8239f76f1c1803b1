"""What follows on an alert that was told: it is told again while nobody saw it, then its end."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Exists, F, Max, OuterRef, Q, QuerySet

from budgets.alerts.keeping import QUIET
from budgets.models import Alert, Channel, Notice
from budgets.notices.advising import Adviser
from budgets.notices.composing import PARTS, compose
from budgets.notices.quiet import not_in_quiet

_TOLD = (Notice.Kind.ALERT, Notice.Kind.REPEAT)
_STILL_NEWS = timedelta(days=2)
"""That something was over so long ago is nothing to be told any more."""
_BY_ITSELF = (Alert.Resolution.SPEND, Alert.Resolution.OVER)
_BATCH = 100


def tell_again(now: datetime) -> int:
    """Make the repetitions that are due at `now` (aware), of what nobody has acknowledged.

    None while the one before still waits. Returns how many.
    """
    if not Channel.objects.filter(repeat_hours__isnull=False, enabled=True).exists():
        return 0
    told = (
        _of_present_occasion()
        .filter(
            alert__state=Alert.State.OPEN,
            channel__repeat_hours__isnull=False,
            channel__at_once=True,
        )
        .values("alert", "channel", hours=F("channel__repeat_hours"))
        .annotate(
            last=Max("created_at"),
            turn=Max("turn"),
            waiting=Count("pk", filter=Q(state=Notice.State.WAITING)),
        )
        .filter(waiting=0)
    )
    due = [row for row in told if row["last"] + timedelta(hours=row["hours"]) <= now]
    return _make(Notice.Kind.REPEAT, due[:_BATCH], now)


def tell_resolved(now: datetime) -> int:
    """Make the notices of what is over, to the channels that were told of it and want to know.

    What ended by itself may come back, which is not told within an hour; so is its end.
    """
    if not Channel.objects.filter(tells_resolved=True, enabled=True).exists():
        return 0
    said = Notice.objects.filter(
        alert=OuterRef("alert"),
        channel=OuterRef("channel"),
        occasion=OuterRef("occasion"),
        kind=Notice.Kind.RESOLVED,
    )
    over = (
        _of_present_occasion()
        .filter(
            ~Exists(said),
            ~Q(alert__resolution__in=_BY_ITSELF, alert__resolved_at__gt=now - QUIET),
            alert__state=Alert.State.RESOLVED,
            alert__resolved_at__gt=now - _STILL_NEWS,
            state=Notice.State.SENT,
            channel__tells_resolved=True,
        )
        .order_by("alert", "channel")
        .values("alert", "channel")
        .distinct()
    )
    return _make(Notice.Kind.RESOLVED, over[:_BATCH], now)


def _of_present_occasion() -> QuerySet[Notice]:
    rows = Notice.objects.filter(kind__in=_TOLD, channel__enabled=True)
    return rows.filter(occasion=F("alert__occasion"))


def _make(kind: Notice.Kind, rows: Iterable[Mapping[str, Any]], now: datetime) -> int:
    wanted = list(rows)
    alerts = Alert.objects.select_related(*PARTS).in_bulk([row["alert"] for row in wanted])
    channels = Channel.objects.select_related("organization").in_bulk(
        [row["channel"] for row in wanted]
    )
    adviser = Adviser()
    texts = {key: compose(alert, kind, now, adviser) for key, alert in alerts.items()}
    made = []
    for row in wanted:
        alert, channel = alerts.get(row["alert"]), channels.get(row["channel"])
        if alert is None or channel is None:
            continue
        severity = alert.severity if alert.is_live else Alert.Severity.INFO
        made.append(
            Notice(
                channel=channel,
                kind=kind,
                alert=alert,
                occasion=alert.occasion,
                turn=row.get("turn", -1) + 1,
                content=texts[alert.pk],
                due_at=not_in_quiet(channel, severity, now),
                created_at=now,
            )
        )
    Notice.objects.bulk_create(made, ignore_conflicts=True)
    return len(made)
