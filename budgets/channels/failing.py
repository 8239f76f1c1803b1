"""Keeps whether channels work, and tells staff of those that do not. These alerts never go to the
channel that they are about."""

from collections.abc import Collection
from datetime import datetime

from budgets.alerts.keeping import Finding, keep
from budgets.models import Alert, Channel
from budgets.models.channels import DETAIL_LENGTH
from budgets.selectors.notices import failing_channels

_PREFIX = "channel:"


def mark_working(channel_ids: Collection[int], now: datetime) -> None:
    """Keep that channels took a message at `now`."""
    rows = Channel.objects.filter(pk__in=channel_ids)
    rows.update(worked_at=now)
    recovered = list(rows.filter(failing_since__isnull=False).values_list("pk", flat=True))
    if recovered:
        rows.filter(pk__in=recovered).update(failing_since=None, fault="")
        tell_failing(now, recovered)


def mark_failing(channel_id: int, fault: str, now: datetime, *, is_gone: bool) -> None:
    """Keep that a channel took no message at `now`, and why.

    One whose receiver wants no more is switched off.
    """
    rows = Channel.objects.filter(pk=channel_id)
    rows.update(fault=fault[:DETAIL_LENGTH])
    rows.filter(failing_since=None).update(failing_since=now)
    if is_gone:
        rows.update(enabled=False)


def tell_failing(now: datetime, channel_ids: Collection[int]) -> None:
    """Let there be alerts of those of these channels that fail, and of no others of them."""
    keys = {f"{_PREFIX}{channel_id}" for channel_id in channel_ids}
    found = [finding for finding in channel_findings(now) if finding.key in keys]
    keep(Alert.Kind.SYSTEM, found, now, among=keys)


def channel_findings(now: datetime) -> list[Finding]:
    """What is wrong with channels, as system findings with the key channel:ID."""
    return [
        Finding(
            key=f"{_PREFIX}{channel.pk}",
            severity=Alert.Severity.WARNING,
            organization_id=channel.organization_id,
            facts={
                "what": f"channel {channel.name} does not take messages",
                "since": channel.failing_since,
                "detail": channel.fault,
                "hint": _hint(channel),
            },
        )
        for channel in failing_channels(now)
    ]


def channel_of(alert: Alert) -> int | None:
    """The id of the channel that an alert says to be failing, if it says that of one."""
    is_one = alert.kind == Alert.Kind.SYSTEM and alert.key.startswith(_PREFIX)
    return int(alert.key.removeprefix(_PREFIX)) if is_one else None


def _hint(channel: Channel) -> str:
    if channel.enabled:
        return "Mend it and send a test; what was given up can be sent again from the notices."
    return "Its receiver wants no more messages, so it was switched off. Give it another address."
