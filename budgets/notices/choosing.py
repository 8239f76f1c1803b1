"""Which channels an alert goes to."""

from collections import defaultdict
from collections.abc import Iterable

from budgets.channels.failing import channel_of
from budgets.models import Alert, Channel

_RANKS = {severity: rank for rank, severity in enumerate(Alert.Severity.values)}


class ChannelBook:
    """All channels as of now, to choose from for many alerts."""

    def __init__(self) -> None:
        self._of: dict[int | None, dict[str, Channel]] = defaultdict(dict)
        for channel in Channel.objects.select_related("organization").order_by("name"):
            self._of[channel.organization_id][channel.name] = channel

    def of_alert(self, alert: Alert) -> list[Channel]:
        """The channels to tell at once of an alert, whose budget is loaded.

        Those that its budget names, switched off or not, or else the default ones.
        """
        chosen = self._named(alert) or self._default(alert)
        return [channel for channel in chosen if channel.at_once and _wants(channel, alert)]

    def _named(self, alert: Alert) -> list[Channel]:
        if alert.budget is None:
            return []
        known = {**self._of[None], **self._of[alert.organization_id]}
        return [known[name] for name in dict.fromkeys(alert.budget.channels) if name in known]

    def _default(self, alert: Alert) -> list[Channel]:
        own = _defaults(self._of[alert.organization_id].values(), alert)
        return own or _defaults(self._of[None].values(), alert)


def _defaults(channels: Iterable[Channel], alert: Alert) -> list[Channel]:
    about = channel_of(alert)
    return [
        channel
        for channel in channels
        if channel.is_default and channel.enabled and channel.pk != about
    ]


def _wants(channel: Channel, alert: Alert) -> bool:
    is_kind = not channel.kinds or alert.kind in channel.kinds
    is_grave = _RANKS[alert.severity] >= _RANKS[channel.least_severity]
    return channel.enabled and is_kind and is_grave
