"""Watching prices: what new ones mean for events that are stored already.

Calls that waited for a price are rated by themselves, for that changes no known figure. Where
prices change for the past, a dry run is offered, and people decide.
"""

from datetime import UTC, datetime, timedelta

from django.db import connection, transaction

from pricing.models import PriceChange
from pricing.revision import current_revision
from usage.models import PriceWatch, RatingRun
from usage.rerating.locks import take_watch
from usage.rerating.offering import SETTLING, offer, plan_for
from usage.rerating.ratings import IS_CALL
from usage.rerating.reading import UNRESTRICTED

_Cause, _Status = RatingRun.Cause, RatingRun.Status
_LOOKS = 2
# OFFSET 0 keeps the planner from looking for the first and last in all events, in order of time.
_UNPRICED = f"""
    SELECT min(occurred_at), max(occurred_at) FROM (
        SELECT e.occurred_at FROM usage_usageevent e WHERE e.cost IS NULL AND {IS_CALL} OFFSET 0
    ) AS waiting
"""


@transaction.atomic
def watch() -> int:
    """Offer and start the runs that new prices call for; return how many were planned."""
    if not take_watch():
        return 0
    watched, _ = PriceWatch.objects.get_or_create(pk=1)
    changes = PriceChange.objects.filter(pk__gt=watched.price_change_id).order_by("pk")
    planned = 0
    for change in changes:
        planned += offer(change)
        watched.price_change_id = change.pk
    if planned or changes:
        watched.save()
    return planned + _rate_waiting()


def _rate_waiting() -> int:
    """Rate unpriced calls by the present prices: once, and again when the batches are stored
    that had begun before these prices held."""
    revision = current_revision()
    looks = RatingRun.objects.filter(cause=_Cause.WAITING, price_revision=revision)
    times = list(looks.order_by("pk").values_list("requested_at", flat=True)[:_LOOKS])
    now = datetime.now(UTC)
    if len(times) == _LOOKS or (times and now < times[0] + SETTLING):
        return 0
    with connection.cursor() as cursor:
        cursor.execute(_UNPRICED)
        first, last = cursor.fetchone()
    if first is None:
        return 0
    run = RatingRun.objects.create(
        cause=_Cause.WAITING,
        start=first,
        end=last + timedelta(microseconds=1),
        only_unpriced=True,
        price_revision=revision,
        reason="Prices became known.",
    )
    plan_for(run, UNRESTRICTED, _Status.APPLYING)
    _forget_older(revision)
    return 1


def _forget_older(revision: int) -> None:
    """Drop the records of earlier looks that found no price."""
    idle = RatingRun.objects.filter(cause=_Cause.WAITING, status=_Status.DISCARDED, changed=0)
    idle.filter(price_revision__lt=revision).delete()
