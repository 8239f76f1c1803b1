"""Keeping the alerts of one kind as what was found just now: opened, refreshed, resolved."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any

import msgspec
from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q

from budgets.models import Alert, Notice
from budgets.models.alerts import KEY_LENGTH

QUIET = timedelta(hours=1)
"""What is found again within this time of having been resolved is nothing new."""

_LOCK_CLASS = 31507
# Its beginning was not told in the end, or its end was.
_IS_UNTOLD = Q(kind=Notice.Kind.ALERT, state=Notice.State.DROPPED) | (
    Q(kind=Notice.Kind.RESOLVED) & ~Q(state=Notice.State.DROPPED)
)
_RANKS = {severity: rank for rank, severity in enumerate(Alert.Severity.values)}
_BELONGS = ("organization_id", "budget_id", "member", "window_start", "window_end")
_CHANGED = (
    *_BELONGS, "severity", "facts", "state", "occasion", "opened_at", "acknowledged_at",
    "acknowledged_by_id", "handled_by", "resolved_at", "resolution", "routed_at",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Finding:
    """What a watch found: `key` names it among its kind, of whatever length.

    `facts` may hold decimals and aware times: they are kept as strings. Without an organization
    it concerns the whole site.
    """

    key: str
    severity: str
    facts: Mapping[str, Any]
    organization_id: int | None = None
    budget_id: int | None = None
    member: int = 0
    window_start: datetime | None = None
    window_end: datetime | None = None


def fitted_key(key: str) -> str:
    """What a finding's key is kept as: where it is too long, its beginning and a digest of it."""
    if len(key) <= KEY_LENGTH:
        return key
    digest = blake2b(key.encode(), digest_size=16).hexdigest()
    return f"{key[: KEY_LENGTH - len(digest) - 1]}:{digest}"


def keep(
    kind: str,
    findings: Iterable[Finding],
    now: datetime,
    *,
    among: Collection[str] | None = None,
) -> None:
    """Let the alerts of `findings`, and no others of their kind, be live as of `now` (aware).

    What is new opens. What was resolved opens again: on another occasion, which is told, but
    within an hour silently on the same one, if its beginning was told and its end was not. What
    somebody resolved by hand stays so until it has
    been gone for once. What is live gets its present facts without being told again, unless it
    became more severe, which is another occasion; it never becomes less severe. What is not found
    resolves as over: all of the kind, or only the keys `among`. Safe to call twice at once.
    """
    found = {fitted_key(finding.key): finding for finding in findings}
    looked_at = None if among is None else {fitted_key(key) for key in among}
    with transaction.atomic():
        _wait_for_turn(kind)
        alerts = _known(kind, found, looked_at)
        Alert.objects.bulk_update(
            [alert for alert in alerts if _changes(alert, found.get(alert.key), now)],
            _CHANGED,
            batch_size=500,
        )
        new = found.keys() - {alert.key for alert in alerts}
        Alert.objects.bulk_create(
            [
                Alert(kind=kind, key=key, opened_at=now, **_shown(finding))
                for key, finding in found.items()
                if key in new
            ]
        )


def _wait_for_turn(kind: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", (_LOCK_CLASS, kind))


def _known(kind: str, found: Collection[str], looked_at: Collection[str] | None) -> list[Alert]:
    """The alerts that are found again, and those that may be over; locked."""
    may_be_over = ~Q(state=Alert.State.RESOLVED) | Q(resolution=Alert.Resolution.HAND)
    if looked_at is not None:
        may_be_over &= Q(key__in=looked_at)
    untold = Notice.objects.filter(_IS_UNTOLD, alert=OuterRef("pk"), occasion=OuterRef("occasion"))
    alerts = Alert.objects.select_for_update(no_key=True).filter(kind=kind).order_by("pk")
    return list(alerts.filter(may_be_over | Q(key__in=found)).annotate(is_untold=Exists(untold)))


def _changes(alert: Alert, finding: Finding | None, now: datetime) -> bool:
    """Let an alert be as it was found; whether that changed anything."""
    before = _columns(alert)
    if finding is None:
        _end(alert, now)
    elif _worse(alert, finding) or _is_back(alert, now):
        _open_again(alert, finding, now)
    elif alert.is_live or alert.resolution != Alert.Resolution.HAND:
        _go_on(alert, finding)
    return _columns(alert) != before


def _columns(alert: Alert) -> list[Any]:
    return [getattr(alert, name) for name in _CHANGED]


def _worse(alert: Alert, finding: Finding) -> bool:
    return _RANKS[finding.severity] > _RANKS[alert.severity]


def _is_back(alert: Alert, now: datetime) -> bool:
    """Whether it had been over, by itself and for long enough to be told again; what nobody was
    told of, or was told to be over, is told at once."""
    ended, told = alert.resolved_at, alert.routed_at
    if ended is None or alert.resolution == Alert.Resolution.HAND:
        return False
    was_over_before = told is not None and told > ended
    return was_over_before or getattr(alert, "is_untold", False) or now - ended >= QUIET


def _end(alert: Alert, now: datetime) -> None:
    alert.resolved_at = alert.resolved_at or now
    alert.state, alert.resolution = Alert.State.RESOLVED, Alert.Resolution.OVER


def _open_again(alert: Alert, finding: Finding, now: datetime) -> None:
    alert.occasion += 1
    alert.opened_at, alert.routed_at = now, None
    alert.acknowledged_at, alert.acknowledged_by, alert.handled_by = None, None, ""
    alert.severity = finding.severity
    _go_on(alert, finding)


def _go_on(alert: Alert, finding: Finding) -> None:
    told = {**_shown(finding), "severity": alert.severity}
    for name, value in told.items():
        setattr(alert, name, value)
    alert.state = Alert.State.ACKNOWLEDGED if alert.acknowledged_at else Alert.State.OPEN
    alert.resolved_at, alert.resolution = None, Alert.Resolution.NONE


def _shown(finding: Finding) -> dict[str, Any]:
    shown = {name: getattr(finding, name) for name in (*_BELONGS, "severity")}
    return {**shown, "facts": msgspec.to_builtins(finding.facts)}
