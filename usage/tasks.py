"""Periodic tasks of usage. Each may run twice at once and at any time."""

from celery import shared_task

from usage import rollups
from usage.ingest import partitions


@shared_task
def roll_up() -> None:
    """Recompute every bucket that has a dirty mark."""
    rollups.roll_up()


@shared_task
def make_partitions_ahead() -> None:
    """Make the partitions of this month and the next ones."""
    partitions.make_ahead()
