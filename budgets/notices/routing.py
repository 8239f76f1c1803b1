"""Turning alerts into notices: who is told, once, and what; the text is frozen here."""

import time
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from django.db import connection, transaction
from django.db.models import F, Value
from django.db.models.functions import Greatest

from budgets.models import Alert, Notice
from budgets.notices.advising import Adviser
from budgets.notices.choosing import ChannelBook
from budgets.notices.composing import PARTS, compose
from budgets.notices.following import tell_again, tell_resolved
from budgets.notices.quiet import not_in_quiet
from budgets.notices.scheduling import make_digests

_LOCK_CLASS = 31508
_BATCH = 25
_SECONDS = 20.0
# Who routes alerts of a budget has them to itself, without a lock that who spends would wait for.
_UNROUTED = """
    SELECT a.id FROM (
        SELECT id, coalesce('b' || budget_id, 'a' || id) AS part FROM budgets_alert
        WHERE routed_at IS NULL ORDER BY id LIMIT 500
    ) AS a WHERE pg_try_advisory_xact_lock(%s, hashtext(a.part)) LIMIT %s
"""


class _Group(NamedTuple):
    """Alerts that are told as one: the gravest, then what it stands for."""

    alerts: tuple[Alert, ...]

    @property
    def told(self) -> Alert:
        """The one that the notice is of."""
        return self.alerts[0]

    @property
    def others(self) -> tuple[Alert, ...]:
        """Those that it names."""
        return tuple(alert for alert in self.alerts[1:] if alert.is_live)


def route_alerts(now: datetime) -> int:
    """Make the notices that are due at `now`, an aware time; how many alerts were new.

    Every notice is made once, however often and however many times at once this runs. Takes up
    to half a minute; what is left is for the next run.
    """
    until = time.monotonic() + _SECONDS
    total, adviser = 0, Adviser()
    while time.monotonic() < until and (routed := _route_some(now, adviser)):
        total += routed
    tell_resolved(now)
    tell_again(now)
    make_digests(now)
    return total


def _route_some(now: datetime, adviser: Adviser) -> int:
    with transaction.atomic():
        groups = _groups(_unrouted())
        if not groups:
            return 0
        book = ChannelBook()
        made = {group.told.pk: _notices(group, book, now, adviser) for group in groups}
        return _write(groups, made, now)


def _unrouted() -> list[Alert]:
    with connection.cursor() as cursor:
        cursor.execute(_UNROUTED, (_LOCK_CLASS, _BATCH))
        ids = [row[0] for row in cursor.fetchall()]
    found = Alert.objects.filter(pk__in=ids)
    # What is told together is looked at together; other members have their own turn.
    budgets = {alert.budget_id for alert in found if alert.budget_id is not None}
    members = {alert.member for alert in found}
    rows = found | Alert.objects.filter(routed_at=None, budget_id__in=budgets, member__in=members)
    return list(rows.order_by("pk").select_related(*PARTS))


def _groups(alerts: Sequence[Alert]) -> list[_Group]:
    together = defaultdict(list)
    for alert in alerts:
        together[_told_with(alert)].append(alert)
    return [_Group(tuple(sorted(part, key=_gravity, reverse=True))) for part in together.values()]


def _told_with(alert: Alert) -> tuple[object, ...]:
    """What alerts have in common that are told as one: the window, or where that was over the
    budget, as one import may reach levels of many past windows."""
    if alert.kind != Alert.Kind.THRESHOLD:
        return (alert.pk,)
    is_late = bool(alert.facts.get("late"))
    return alert.budget_id, alert.member, None if is_late else alert.window_start


def _gravity(alert: Alert) -> tuple[bool, bool, float, Decimal]:
    is_critical = alert.severity == Alert.Severity.CRITICAL
    start = alert.window_start.timestamp() if alert.window_start else 0.0
    return alert.is_live, is_critical, start, Decimal(alert.facts.get("level") or 0)


def _notices(group: _Group, book: ChannelBook, now: datetime, adviser: Adviser) -> list[Notice]:
    alert = group.told
    channels = book.of_alert(alert) if alert.is_live else []
    if not channels:
        return []
    content = compose(alert, Notice.Kind.ALERT, now, adviser, group.others)
    return [
        Notice(
            channel=channel,
            kind=Notice.Kind.ALERT,
            alert=alert,
            occasion=alert.occasion,
            content=content,
            due_at=not_in_quiet(channel, alert.severity, now),
            created_at=now,
        )
        for channel in channels
    ]


def _write(groups: Sequence[_Group], made: dict[int, list[Notice]], now: datetime) -> int:
    """Keep the notices of the alerts that are still as they were; the others have their turn."""
    ids = [alert.pk for group in groups for alert in group.alerts]
    rows = Alert.objects.filter(pk__in=ids, routed_at=None).order_by("pk")
    still = set(
        rows.select_for_update(skip_locked=True, no_key=True).values_list("pk", "occasion", "state")
    )
    same = [
        group
        for group in groups
        if all((alert.pk, alert.occasion, alert.state) in still for alert in group.alerts)
    ]
    notices = [notice for group in same for notice in made[group.told.pk]]
    Notice.objects.bulk_create(notices, ignore_conflicts=True)
    routed = Alert.objects.filter(pk__in=[row.pk for group in same for row in group.alerts])
    # After its end: nobody was told of it.
    after = Greatest(Value(now), F("resolved_at") + timedelta(microseconds=1))
    return routed.update(routed_at=after)
