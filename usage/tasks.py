"""Periodic tasks of usage. Each may run twice at once and at any time."""

from celery import shared_task

from usage import rollups
from usage.ingest import partitions
from usage.rerating import continue_runs


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
