"""The hours of the day in which a channel wants only what is critical. Pure."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings

from budgets.models import Alert, Channel


def zone_of(channel: Channel) -> ZoneInfo:
    """The zone that a channel's hours are of: its organization's, else the site's."""
    organization = channel.organization
    return ZoneInfo(organization.time_zone if organization else settings.TALLYMAN_TIME_ZONE)


def not_in_quiet(channel: Channel, severity: str, at: datetime) -> datetime:
    """`at` (aware) itself, or where that is in the channel's quiet hours, the end of them."""
    begin, end = channel.quiet_from, channel.quiet_until
    if severity == Alert.Severity.CRITICAL or begin is None or end is None:
        return at
    local = at.astimezone(zone_of(channel))
    return _end_of_quiet(begin, end, local) if _is_quiet(begin, end, local.time()) else at


def _is_quiet(begin: time, end: time, clock: time) -> bool:
    if begin <= end:
        return begin <= clock < end
    return clock >= begin or clock < end


def _end_of_quiet(begin: time, end: time, local: datetime) -> datetime:
    is_tomorrow = begin > end and local.time() >= begin
    day = local.date() + timedelta(days=int(is_tomorrow))
    # Within an hour that comes twice, the pass that the clock is in.
    fold = 0 if is_tomorrow else local.fold
    return datetime.combine(day, end, tzinfo=local.tzinfo).replace(fold=fold).astimezone(UTC)
