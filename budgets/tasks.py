"""Periodic tasks of budgets. Each may run twice at once and at any time."""

from datetime import timedelta

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from budgets import recording
from budgets.opening import roll_over
from budgets.reservations import ending
from budgets.setting import refresh_limits


@shared_task
def expire_reservations() -> None:
    """End the reservations that nobody has ended in time."""
    ending.expire_due(timezone.now())


@shared_task
def turn_windows() -> None:
    """Open the windows of periods that have begun, and end raises that are over."""
    now = timezone.now()
    refresh_limits(now)
    roll_over(now)


@shared_task
def count_decisions() -> None:
    """Add up the answers given since the last time."""
    recording.count_tallies()


@shared_task
def tidy_decisions() -> None:
    """Drop what has been kept for long enough: decisions, and reservations that have ended."""
    keep = timedelta(days=settings.TALLYMAN_DECISION_DAYS)
    now = timezone.now()
    recording.forget_old(now, keep)
    ending.forget_old(now, keep)
