"""Notices and their deliveries: who sees them, and the channels that take none."""

from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet

from budgets.models import Channel, Notice
from usage.selectors.access import Viewer

TELL_AFTER = timedelta(minutes=10)
"""A channel that works again sooner than this was only slow."""


def seen_notices(viewer: Viewer) -> QuerySet[Notice]:
    """The notices somebody may see: to channels or about alerts of the organizations they see.

    Newest first, with channel and alert loaded.
    """
    rows = Notice.objects.select_related("channel__organization", "alert")
    if viewer.organization_ids is None:
        return rows
    ids = viewer.organization_ids
    return rows.filter(Q(channel__organization__in=ids) | Q(alert__organization__in=ids))


def failing_channels(now: datetime) -> QuerySet[Channel]:
    """The channels that take no messages as of `now`, oldest trouble first.

    Those that have not for TELL_AFTER, or made a message be given up; one that is switched off
    only where its receiver wanted no more. `failing_since` and `fault` tell since when and why.
    """
    given_up = Notice.objects.filter(
        channel=OuterRef("pk"),
        state=Notice.State.FAILED,
        ended_at__gte=OuterRef("failing_since"),
    ).exclude(kind=Notice.Kind.TEST)
    is_told = Q(enabled=False) | Q(failing_since__lte=now - TELL_AFTER) | Exists(given_up)
    rows = Channel.objects.filter(is_told, failing_since__isnull=False)
    return rows.order_by("failing_since", "pk")
