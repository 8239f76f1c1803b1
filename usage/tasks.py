"""Periodic tasks of usage. Each may run twice at once and at any time."""

from celery import shared_task
from django.utils import timezone

from usage import rollups
from usage.bill_updates import update_bills
from usage.exports.expiring import expire_exports
from usage.exports.working import continue_exports as work_on_exports
from usage.focus import freeze_closed_months
from usage.ingest import partitions
from usage.rerating import continue_runs
from usage.sightings.naming import forget_names


@shared_task
def roll_up() -> None:
    """Recompute every bucket that has a dirty mark."""
    rollups.roll_up()


@shared_task
def make_partitions_ahead() -> None:
    """Make the partitions of this month and the next ones."""
    partitions.make_ahead()


@shared_task
def continue_ratings() -> None:
    """Look at new prices and do what re-ratings wait for."""
    continue_runs()


@shared_task
def continue_exports() -> None:
    """Write the files that were asked for."""
    work_on_exports()


@shared_task
def tidy_exports() -> None:
    """Take away the files that have expired, and keep the charges of months closed since."""
    expire_exports()
    freeze_closed_months(wait=False)


@shared_task
def forget_span_names() -> None:
    """Forget the spans around calls that nobody will tell of any more."""
    forget_names(timezone.now())


@shared_task
def fetch_bills() -> None:
    """Read what providers bill, and compare it with what was recorded."""
    update_bills(timezone.now())
