"""Periodic tasks of budgets. Each may run twice at once and at any time."""

from datetime import timedelta

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from budgets import recording
from budgets.alerts import resolving, tidying
from budgets.forecasts import storing
from budgets.notices import routing, sending
from budgets.opening import roll_over
from budgets.reservations import ending
from budgets.setting import refresh_limits
from budgets.watching import anomalies, overruns, stale, system, unpriced


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


@shared_task
def send_notices() -> None:
    """Tell channels of what is new, and send what is due."""
    try:
        routing.route_alerts(timezone.now())
    finally:
        sending.send_due(timezone.now())


@shared_task
def settle_alerts() -> None:
    """Resolve the alerts of windows that are no longer so."""
    resolving.settle_alerts(timezone.now())


@shared_task
def tidy_alerts() -> None:
    """Drop the alerts that have been over for long enough, and what was sent of them."""
    tidying.tidy_alerts(timezone.now(), timedelta(days=settings.TALLYMAN_ALERT_DAYS))


@shared_task
def forecast() -> None:
    """Reckon anew what budgets, projects and organizations will come to, and warn of overruns."""
    now = timezone.now()
    storing.renew_forecasts(now)
    overruns.watch_overruns(now)


@shared_task
def watch_usage() -> None:
    """Look for models without a price, and for what is wrong with the installation."""
    now = timezone.now()
    unpriced.watch_unpriced(now)
    system.watch_system(now)


@shared_task
def watch_spend() -> None:
    """Look for unusual spend, and for sources that went silent."""
    now = timezone.now()
    anomalies.watch_anomalies(now)
    stale.watch_stale(now)
