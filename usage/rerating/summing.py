"""Bringing sums up to date with what a run has changed, in the run's own transaction."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime
from itertools import groupby

from django.db import connection

from usage.ingest.partitions import month_of
from usage.models import Organization, RatingChange, RatingRun
from usage.rollups.buckets import spans_of
from usage.rollups.stage import recompute

_BUCKETS = """
    SELECT DISTINCT organization_id, date_bin('15 minutes', occurred_at, 'epoch')
    FROM usage_ratingchange WHERE run_id = %s AND outcome = %s
"""
_BUCKET = "SELECT date_bin('15 minutes', %s::timestamptz, 'epoch')"


def organizations_of(run: RatingRun) -> list[int]:
    """Ids of the organizations whose events the run changes, ascending."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT organization_id FROM usage_ratingchange WHERE run_id = %s ORDER BY 1",
            (run.pk,),
        )
        return [row[0] for row in cursor.fetchall()]


def sum_up(
    run: RatingRun, outcome: RatingChange.Outcome, adjusted: Collection[int], at: datetime
) -> None:
    """Recompute the buckets of the run's changes of `outcome`, and those of the adjustments
    that `adjusted` organizations have at `at`. Runs under the rollup locks of all of them."""
    buckets: dict[int, set[datetime]] = defaultdict(set)
    with connection.cursor() as cursor:
        cursor.execute(_BUCKETS, (run.pk, outcome.value))
        for organization_id, bucket in cursor.fetchall():
            buckets[organization_id].add(bucket)
        cursor.execute(_BUCKET, (at,))
        present: datetime = cursor.fetchone()[0]
    for organization_id in adjusted:
        buckets[organization_id].add(present)
    for organization in Organization.objects.filter(pk__in=buckets).order_by("pk"):
        _recompute(organization, buckets[organization.pk])


def _recompute(organization: Organization, buckets: Iterable[datetime]) -> None:
    for _, of_month in groupby(sorted(buckets), key=month_of):
        recompute(organization, spans_of(of_month))
