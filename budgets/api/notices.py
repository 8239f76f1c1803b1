"""Alerts, their notices and channels as JSON values."""

from collections.abc import Sequence
from datetime import time
from typing import Any

from django.conf import settings

from budgets.api.rendering import level_as_json
from budgets.links import alert_url
from budgets.models import Alert, Channel, Notice, Threshold
from budgets.notices.titles import alert_title
from budgets.selectors.channels import shown_target
from budgets.selectors.scopes import name_members

_SAID = (
    "id", "name", "kind", "is_default", "enabled", "kinds", "least_severity", "at_once",
    "tells_resolved", "repeat_hours", "digest", "digest_hour", "worked_at", "failing_since",
    "fault", "created_at", "updated_at",
)  # fmt: skip


def alerts_as_json(alerts: Sequence[Alert]) -> list[dict[str, Any]]:
    """Alerts as they are read for it, with the notices of their present occasion."""
    members = _members(alerts)
    return [_alert_as_json(alert, members.get(alert.pk, "")) for alert in alerts]


def channel_as_json(channel: Channel) -> dict[str, Any]:
    """A channel by the names of the body that sets it, its target masked."""
    return {
        **{name: getattr(channel, name) for name in _SAID},
        "organization": channel.organization and channel.organization.slug,
        "target": shown_target(channel),
        "quiet_from": _clock(channel.quiet_from),
        "quiet_until": _clock(channel.quiet_until),
    }


def tested_as_json(notice: Notice) -> dict[str, Any]:
    """What came of a test message, of which the last try tells most."""
    last = notice.deliveries.first()
    return {
        "notice": notice.pk,
        "state": notice.state,
        "outcome": last and last.outcome,
        "status_code": last and last.status_code,
        "detail": last.detail if last else "",
    }


def _alert_as_json(alert: Alert, member: str) -> dict[str, Any]:
    budget = alert.budget
    window = {"start": alert.window_start, "end": alert.window_end}
    return {
        "id": alert.pk,
        "kind": alert.kind,
        "severity": alert.severity,
        "state": alert.state,
        "occasion": alert.occasion,
        "organization": alert.organization and alert.organization.slug,
        "budget": budget and {"id": budget.pk, "name": str(budget)},
        "member": member or None,
        "window": window if alert.window_start else None,
        "threshold": _threshold(alert),
        "facts": alert.facts,
        "title": alert_title(alert, member),
        "opened_at": alert.opened_at,
        "acknowledged_at": alert.acknowledged_at,
        "acknowledged_by": _acknowledged_by(alert),
        "resolved_at": alert.resolved_at,
        "resolution": alert.resolution or None,
        "url": f"{settings.TALLYMAN_PUBLIC_URL.rstrip('/')}{alert_url(alert)}",
        "notices": [
            _notice_as_json(notice)
            for notice in alert.notices.all()
            if notice.occasion == alert.occasion
        ],
    }


def _notice_as_json(notice: Notice) -> dict[str, Any]:
    was_sent = notice.state == Notice.State.SENT
    return {
        "id": notice.pk,
        "channel": notice.channel.name,
        "kind": notice.kind,
        "state": notice.state,
        "attempts": notice.attempts,
        "sent_at": notice.ended_at if was_sent else None,
    }


def _threshold(alert: Alert) -> dict[str, str] | None:
    if alert.percent is None and alert.amount is None:
        return None
    return level_as_json(Threshold(percent=alert.percent, amount=alert.amount))


def _acknowledged_by(alert: Alert) -> str | None:
    if alert.acknowledged_at is None:
        return None
    user = alert.acknowledged_by
    return user.get_username() if user else alert.handled_by or None


def _members(alerts: Sequence[Alert]) -> dict[int, str]:
    """What the members that alerts are about are called, by the alert's id."""
    found: dict[int, str] = {}
    for full in (False, True):
        keys = {
            alert.pk: (alert.budget.per, alert.member)
            for alert in alerts
            if alert.budget and (alert.budget.organization_id is None) == full
        }
        names = name_members(keys.values(), full=full)
        found |= {pk: names[key] for pk, key in keys.items() if key in names}
    return found


def _clock(at: time | None) -> str | None:
    return None if at is None else f"{at:%H:%M}"
