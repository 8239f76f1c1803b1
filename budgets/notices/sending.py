"""Sending the notices that are due: each at least once, always with the same id.

A notice is leased and that committed, sent outside of any transaction, then marked. Who dies in
between leaves a lease that ends, and another sends it again.
"""

import time
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec
from django.db import transaction
from django.db.models import Q

from budgets.channels.parcels import Parcel, Try, failed
from budgets.channels.sealing import Unreadable, unseal
from budgets.channels.ways import send_each
from budgets.models import Alert, Channel, Delivery, Notice
from budgets.notices.marking import mark
from budgets.notices.message import Message
from budgets.notices.quiet import not_in_quiet

LEASE = timedelta(seconds=60)
_BEGIN_SECONDS = 20.0
"""A try begun by then ends, with all its timeouts, before the lease does."""
_BATCH = 200
_THREADS = 8
_RUNS = 2
_ONE_CONNECTION = (Channel.Kind.EMAIL, Channel.Kind.OTHER)


class _Clock(NamedTuple):
    """Tells the time of a run: aware, from when it was said to begin."""

    now: datetime
    began: float

    def at(self, moment: float) -> datetime:
        """The time of a moment of time.monotonic."""
        return self.now + timedelta(seconds=moment - self.began)


def send_due(now: datetime) -> int:
    """Send what is due at `now`, an aware time, and return how many were sent.

    Safe to run several times at once; more than two runs would not make receivers faster. Takes
    up to a minute; what is left is for the next run.
    """
    clock = _Clock(now, time.monotonic())
    sent = 0
    while time.monotonic() < clock.began + _BEGIN_SECONDS:
        notices = _lease(clock.at(time.monotonic()))
        if not notices:
            break
        sent += _deliver(_drop_pointless(notices, now), clock)
    return sent


def send_now(notice: Notice, now: datetime) -> None:
    """Send one notice that was made with a lease, at once, whatever comes of it."""
    _deliver([notice], _Clock(now, time.monotonic()))
    notice.refresh_from_db()


def _lease(now: datetime) -> list[Notice]:
    waiting = Notice.objects.filter(state=Notice.State.WAITING)
    # A lease that ends later than any was taken before the clock was set back.
    leased = Q(lease_until__gt=now, lease_until__lte=now + 2 * LEASE)
    # Tests are sent by who asked for them.
    busy = waiting.filter(leased).exclude(kind=Notice.Kind.TEST)
    if busy.values("lease_until").distinct().count() >= _RUNS:
        return []
    due = waiting.filter(Q(lease_until=None) | ~leased, due_at__lte=now)
    # A slow receiver holds up one run and not both.
    due = due.exclude(channel__in=busy.values("channel"))
    with transaction.atomic():
        locked = due.select_for_update(skip_locked=True, no_key=True)
        ids = list(locked.order_by("due_at", "created_at").values_list("pk", flat=True)[:_BATCH])
        Notice.objects.filter(pk__in=ids).update(lease_until=now + LEASE)
    taken = Notice.objects.filter(pk__in=ids).select_related("channel__organization", "alert")
    return list(taken.order_by("due_at", "created_at"))


def _drop_pointless(notices: Sequence[Notice], now: datetime) -> list[Notice]:
    """What is still worth sending; the rest is dropped."""
    pointless = [notice.pk for notice in notices if _is_pointless(notice)]
    Notice.objects.filter(pk__in=pointless).update(
        state=Notice.State.DROPPED, ended_at=now, lease_until=None
    )
    return [notice for notice in notices if notice.pk not in pointless]


def _is_pointless(notice: Notice) -> bool:
    """Whether its channel is switched off, or it waited for a time to tell what is over by now,
    or is so again."""
    channel, alert = notice.channel, notice.alert
    if not channel.enabled:
        return True
    if notice.kind == Notice.Kind.RESOLVED:
        return alert is not None and alert.is_live
    if alert is None or notice.attempts:
        return False
    if notice.kind == Notice.Kind.REPEAT:
        return alert.state != Alert.State.OPEN
    severity = notice.content.get("severity", alert.severity)
    was_quiet = not_in_quiet(channel, severity, notice.created_at) != notice.created_at
    return was_quiet and (not alert.is_live or alert.occasion != notice.occasion)


def _deliver(notices: Sequence[Notice], clock: _Clock) -> int:
    lanes: dict[tuple[str, int], dict[Notice, Parcel]] = defaultdict(dict)
    sent = 0
    for notice in notices:
        try:
            parcel = _parcel(notice)
        except (Unreadable, msgspec.ValidationError) as fault:
            moment = time.monotonic()
            mark([notice], {notice.pk: Try(failed(str(fault)), moment, moment)}, clock.at)
        else:
            kind = notice.channel.kind
            lanes[kind, 0 if kind in _ONE_CONNECTION else notice.channel_id][notice] = parcel
    until = clock.began + _BEGIN_SECONDS
    with ThreadPoolExecutor(_THREADS, thread_name_prefix="notices") as threads:
        running = {
            threads.submit(send_each, list(lane.values()), until): lane for lane in lanes.values()
        }
        # Each is marked as it ends: what was sent must not wait for slow receivers to be known.
        for lane in as_completed(running):
            tries = lane.result()
            mark(list(running[lane]), tries, clock.at)
            sent += sum(one.tried.outcome == Delivery.Outcome.SENT for one in tries.values())
    return sent


def _parcel(notice: Notice) -> Parcel:
    channel = notice.channel
    return Parcel(
        id=notice.pk,
        made_at=notice.created_at,
        channel_id=channel.pk,
        channel=channel.name,
        kind=channel.kind,
        address=unseal(channel.target),
        secrets=tuple(unseal(channel.secret).split()) if channel.secret else (),
        message=Message.from_content(notice.content),
    )
