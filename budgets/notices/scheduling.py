"""When digests are due: the last whole day or week of a channel's zone, once it is its hour."""

import time
from datetime import datetime, timedelta
from datetime import time as clock_time

from budgets.models import Alert, Channel, Notice
from budgets.notices.composing import compose_digest
from budgets.notices.quiet import not_in_quiet, zone_of
from budgets.spans import Span, days_of
from usage.selectors.periods import midnight

_PERIODS = {Channel.Digest.DAILY: "day", Channel.Digest.WEEKLY: "week"}
_MONDAY = 1
_SECONDS = 5.0


def make_digests(now: datetime) -> int:
    """Make the digests that are due at `now` (aware) and were not made yet; how many.

    After a time in which nothing ran, only the last one is made. Takes some seconds; what is left
    is for the next run, as alerts must not wait for it.
    """
    channels = Channel.objects.exclude(digest="").filter(enabled=True)
    due = {}
    for channel in channels.select_related("organization"):
        span = digest_span(channel, now)
        if span is not None:
            due[channel.pk, span.end] = (channel, span)
    made = Notice.objects.filter(kind=Notice.Kind.DIGEST, channel__in=[key for key, _ in due])
    for key in made.filter(until__in=[end for _, end in due]).values_list("channel", "until"):
        due.pop(key, None)
    enough, made_now = time.monotonic() + _SECONDS, 0
    for channel, span in due.values():
        if time.monotonic() >= enough:
            break
        Notice.objects.bulk_create([_notice(channel, span, now)], ignore_conflicts=True)
        made_now += 1
    return made_now


def digest_span(channel: Channel, now: datetime) -> Span | None:
    """What the last digest that is due by `now` (aware) tells of: whole days of the zone.

    None where it was due before there was the channel.
    """
    zone = zone_of(channel)
    period = _PERIODS[Channel.Digest(channel.digest)]
    week_start = channel.organization.week_start if channel.organization else _MONDAY
    end, _ = days_of(now.astimezone(zone).date(), period, week_start)
    hour = clock_time(channel.digest_hour)
    if datetime.combine(end, hour, tzinfo=zone) > now:
        end, _ = days_of(end - timedelta(days=1), period, week_start)
    if datetime.combine(end, hour, tzinfo=zone) < channel.created_at:
        return None
    since, _ = days_of(end - timedelta(days=1), period, week_start)
    return Span(midnight(since, zone), midnight(end, zone))


def _notice(channel: Channel, span: Span, now: datetime) -> Notice:
    until = span.end or now
    return Notice(
        channel=channel,
        kind=Notice.Kind.DIGEST,
        since=span.start,
        until=until,
        content=compose_digest(channel, span.start, until, now),
        due_at=not_in_quiet(channel, Alert.Severity.INFO, now),
        created_at=now,
    )
