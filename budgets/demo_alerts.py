"""Alerts of the demonstration data, and channels that are switched off: nothing is ever sent."""

from datetime import datetime
from typing import Any

from budgets.alerts.handling import acknowledge
from budgets.channels.saving import save_channel
from budgets.forecasts.storing import renew_forecasts
from budgets.models import Alert, Channel
from budgets.setting import Actor
from budgets.watching.anomalies import watch_anomalies
from budgets.watching.overruns import watch_overruns
from budgets.watching.stale import watch_stale
from budgets.watching.unpriced import watch_unpriced
from usage.models import Organization

_ACTOR = Actor(name="demo")
_CHANNELS: tuple[tuple[str, str, str, str, dict[str, Any]], ...] = (
    ("acme", "platform", Channel.Kind.EMAIL, "platform@acme.example,finance@acme.example",
     {"is_default": True, "digest": Channel.Digest.WEEKLY}),
    ("acme", "ai-spend", Channel.Kind.SLACK, "https://hooks.slack.com/services/T0/B0/demonstration",
     {"is_default": True, "least_severity": Alert.Severity.WARNING, "repeat_hours": 24}),
    ("globex", "pipeline", Channel.Kind.WEBHOOK, "https://hooks.example.org/tallyman/demonstration",
     {"is_default": True, "tells_resolved": True}),
    ("", "on-call", Channel.Kind.OTHER, "discord://1234567890/demonstration-of-a-token",
     {"least_severity": Alert.Severity.CRITICAL}),
)  # fmt: skip


def set_demo_alerts(now: datetime) -> None:
    """Let the watches look at the demonstration's usage and budgets as of `now`, an aware time,
    and set up a channel of each kind, switched off. Does nothing where there is any channel."""
    if Channel.objects.exists():
        return
    for slug, name, kind, target, more in _CHANNELS:
        owner = Organization.objects.get(slug=slug) if slug else None
        channel = Channel(organization=owner, name=name, kind=kind, enabled=False, **more)
        save_channel(channel, target, _ACTOR)
    renew_forecasts(now)
    for watch in (watch_overruns, watch_unpriced, watch_anomalies, watch_stale):
        watch(now)
    seen_to = Alert.objects.filter(
        state=Alert.State.OPEN, kind=Alert.Kind.THRESHOLD, severity=Alert.Severity.WARNING
    )
    acknowledge(seen_to.order_by("pk")[:1], _ACTOR, now)
