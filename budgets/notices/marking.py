"""Keeps what came of trying to send notices: each try, and when the next one is or that none is."""

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction

from budgets.channels.failing import mark_failing, mark_working, tell_failing
from budgets.channels.parcels import Tried, Try
from budgets.models import Delivery, Notice
from budgets.models.channels import DETAIL_LENGTH
from budgets.notices.backoff import next_try
from budgets.notices.quiet import not_in_quiet

_LOG = logging.getLogger(__name__)


def mark(
    notices: Sequence[Notice], tries: Mapping[UUID, Try], at: Callable[[float], datetime]
) -> None:
    """Keep the tries (by notice id) of leased notices, and let go of the rest.

    What was not tried because its channel was just found to be down waits as long as what was, or
    is given up with it. `at` tells the aware time of a moment of time.monotonic.
    """
    down: dict[int, tuple[datetime, datetime]] = {}
    with transaction.atomic():
        there = set(_locked(notices))
        kept = [notice for notice in notices if notice.pk in there]
        for notice in kept:
            if one := tries.get(notice.pk):
                _end_try(notice, one.tried, at(one.ended))
                if one.tried.is_channel_down:
                    down[notice.channel_id] = (at(one.ended), notice.due_at)
        for notice in kept:
            if notice.pk not in tries and notice.channel_id in down:
                _wait(notice, *down[notice.channel_id])
            _save(notice)
        Delivery.objects.bulk_create(
            _delivery(notice, tries[notice.pk], at) for notice in kept if notice.pk in tries
        )
    _mark_channels(kept, tries, at)


def _locked(notices: Sequence[Notice]) -> list[UUID]:
    """The ids of those that are still there, in an order in which nobody waits for another."""
    rows = Notice.objects.filter(pk__in=[notice.pk for notice in notices]).order_by("pk")
    return list(rows.select_for_update(no_key=True).values_list("pk", flat=True))


def _end_try(notice: Notice, tried: Tried, now: datetime) -> None:
    notice.attempts += 1
    if tried.outcome == Delivery.Outcome.SENT:
        notice.state, notice.ended_at = Notice.State.SENT, now
        return
    again = _next(notice, tried, now)
    if again is None:
        notice.state, notice.ended_at = Notice.State.FAILED, now
    else:
        notice.due_at = again


def _wait(notice: Notice, now: datetime, until: datetime) -> None:
    if _is_hopeless(notice, now):
        notice.state, notice.ended_at = Notice.State.FAILED, now
    else:
        notice.due_at = until


def _is_hopeless(notice: Notice, now: datetime) -> bool:
    """Whether its channel has taken nothing for as long as there is patience with a notice."""
    since = notice.channel.failing_since
    return since is not None and now - max(since, notice.created_at) >= _patience()


def _patience() -> timedelta:
    return timedelta(hours=settings.TALLYMAN_NOTICE_HOURS)


def _next(notice: Notice, tried: Tried, now: datetime) -> datetime | None:
    is_final = tried.outcome == Delivery.Outcome.REFUSED or tried.is_gone
    if is_final or notice.kind == Notice.Kind.TEST or _is_hopeless(notice, now):
        return None
    again = next_try(notice.attempts, notice.created_at, now, _patience(), tried.retry_after)
    return again and not_in_quiet(notice.channel, notice.content.get("severity", ""), again)


def _save(notice: Notice) -> None:
    # Where the lease ended meanwhile, the notice is another's by now.
    Notice.objects.filter(pk=notice.pk, lease_until=notice.lease_until).update(
        state=notice.state,
        ended_at=notice.ended_at,
        due_at=notice.due_at,
        attempts=notice.attempts,
        lease_until=None,
    )


def _delivery(notice: Notice, one: Try, at: Callable[[float], datetime]) -> Delivery:
    tried = one.tried
    if tried.outcome == Delivery.Outcome.REFUSED:
        _LOG.warning("Notice %s to channel %s: %s", notice.pk, notice.channel_id, tried.detail)
    return Delivery(
        notice=notice,
        started_at=at(one.began),
        ended_at=at(one.ended),
        outcome=tried.outcome,
        status_code=tried.status_code,
        detail=tried.detail[:DETAIL_LENGTH],
    )


def _mark_channels(
    notices: Sequence[Notice], tries: Mapping[UUID, Try], at: Callable[[float], datetime]
) -> None:
    """Keep of each channel how its last try went, and tell at once of what has been given up."""
    last = {}
    for notice in notices:
        one = tries.get(notice.pk)
        # Who tests a channel sees for himself what comes of it.
        if one and (notice.kind != Notice.Kind.TEST or one.tried.outcome == Delivery.Outcome.SENT):
            last[notice.channel_id] = (notice, one)
    worked, given_up = [], []
    for channel_id, (notice, one) in last.items():
        if one.tried.outcome == Delivery.Outcome.SENT:
            worked.append(channel_id)
        else:
            now = at(one.ended)
            mark_failing(channel_id, one.tried.detail, now, is_gone=one.tried.is_gone)
            if notice.state == Notice.State.FAILED:
                given_up.append(channel_id)
    if worked:
        mark_working(worked, max(at(last[channel_id][1].ended) for channel_id in worked))
    if given_up:
        tell_failing(max(at(last[channel_id][1].ended) for channel_id in given_up), given_up)
