"""Closing a month: from then on its sums are settled, and re-ratings post adjustments."""

from datetime import UTC, date, datetime

from django.contrib.auth.models import User
from django.db import connection, transaction

from usage.ingest.partitions import next_month
from usage.models import ClosedMonth, DirtyMark, Organization
from usage.models.events import BUCKET
from usage.rerating.locks import lock_sums
from usage.rerating.ratings import ADJUSTMENTS, IN_WINDOW, IS_CALL, UNPRICED_IN_EFFECT
from usage.rerating.refusal import RatingRefused
from usage.rollups.calendar import start_of

_UNPRICED = f"""
    SELECT count(*) FROM usage_usageevent e
    LEFT JOIN ({ADJUSTMENTS}) a ON a.adjusted_pk = e.id
    WHERE e.organization_id = %(organization)s AND {IN_WINDOW} AND {IS_CALL}
      AND {UNPRICED_IN_EFFECT}
"""


@transaction.atomic
def close_month(organization: Organization, month: date, user: User | None = None) -> ClosedMonth:
    """Close the month whose first day is `month`, in the organization's time zone.

    Raises RatingRefused for a month that has not ended, is closed, has usage that is not summed
    yet or calls without a price.
    """
    lock_sums([organization.pk])
    organization.refresh_from_db(fields=("time_zone",))
    name = f"{month:%B %Y}"
    if month.day != 1:
        raise RatingRefused("A month is named by its first day.")
    zone = organization.time_zone
    start, end = start_of(month, zone), start_of(next_month(month), zone)
    if end > datetime.now(UTC):
        raise RatingRefused(f"{name} has not ended yet in {zone}.")
    if ClosedMonth.objects.filter(organization=organization, month=month).exists():
        raise RatingRefused(f"{name} of {organization.slug} is closed already.")
    marks = DirtyMark.objects.filter(organization=organization)
    if marks.filter(bucket__gt=start - BUCKET, bucket__lt=end).exists():
        raise RatingRefused(f"Usage of {name} is still being summed up; try again in a minute.")
    unpriced = _count_unpriced(organization, start, end)
    if unpriced:
        calls = "call has" if unpriced == 1 else "calls have"
        raise RatingRefused(f"{unpriced:,} {calls} no price in {name}; price them first.")
    return ClosedMonth.objects.create(organization=organization, month=month, closed_by=user)


def _count_unpriced(organization: Organization, start: datetime, end: datetime) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_UNPRICED, {"organization": organization.pk, "start": start, "end": end})
        return int(cursor.fetchone()[0])
