"""Dropping alerts that have been over for long, with all that was sent of them."""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet

from budgets.models import Alert, Notice

_AT_ONCE = 1000


def tidy_alerts(now: datetime, keep: timedelta) -> int:
    """Drop alerts that were resolved, and notices of no alert that ended, longer than `keep`
    before `now` (aware); how many alerts.

    An alert of a period stays as long as that goes on, and `keep` longer: that a level was told
    is not forgotten while it can be reached.
    """
    before = now - keep
    is_over = Q(window_end__lt=before) | Q(window_start=None)
    dropped = _drop(Alert.objects.filter(is_over, resolved_at__lt=before))
    _drop(Notice.objects.filter(alert=None, ended_at__lt=before))
    return dropped


def _drop(rows: QuerySet[Any]) -> int:
    dropped = 0
    while ids := list(rows.order_by("pk").values_list("pk", flat=True)[:_AT_ONCE]):
        rows.model._default_manager.filter(pk__in=ids).delete()
        dropped += len(ids)
    return dropped
