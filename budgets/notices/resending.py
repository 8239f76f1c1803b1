"""Sending by hand: a test of a channel, and once more what was sent or given up."""

import logging
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from budgets.models import Channel, Notice
from budgets.notices.sending import LEASE, send_now
from budgets.notices.writing import test_message
from budgets.setting import Actor

_LOG = logging.getLogger(__name__)


def send_test(channel: Channel, actor: Actor) -> Notice:
    """Send a test to a channel at once, and return its notice: sent, or failed and not tried
    again. Its only delivery tells why. Takes up to half a minute."""
    now = timezone.now()
    notice = Notice.objects.create(
        channel=channel,
        kind=Notice.Kind.TEST,
        content=test_message(channel).as_content(),
        due_at=now,
        created_at=now,
        # Nobody else is to send it meanwhile.
        lease_until=now + LEASE,
    )
    _LOG.info("Channel %s was tested by %s", channel.pk, actor)
    send_now(notice, now)
    return notice


def resend(notice: Notice, now: datetime) -> bool:
    """Let a notice that has ended be sent again, with the same id, by the next run.

    False where it is waiting to be sent anyway: then it is due at once.
    """
    with transaction.atomic():
        row = Notice.objects.select_for_update(no_key=True).get(pk=notice.pk)
        had_ended = row.state != Notice.State.WAITING
        row.state, row.due_at, row.ended_at = Notice.State.WAITING, now, None
        if had_ended:
            row.attempts, row.lease_until = 0, None
        row.save(update_fields=["state", "due_at", "ended_at", "attempts", "lease_until"])
    notice.refresh_from_db()
    return had_ended
