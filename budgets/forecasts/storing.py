"""Reckoning all forecasts anew, and keeping them where pages and alerts read them."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from budgets.forecasts.months import forecast_months
from budgets.forecasts.windows import forecast_windows, open_windows
from budgets.models import Forecast

_AT_ONCE = 1_000
_ABOUT = ("budget", "organization", "project", "member", "start")
_SAID = tuple(
    field.name for field in Forecast._meta.concrete_fields if field.name not in ("id", *_ABOUT)
)


def renew_forecasts(now: datetime) -> int:
    """Forecast every window of a budget that is open at `now`, an aware time, and the present and
    next month of every organization and project; how many there are.

    Earlier ones are replaced, and those of periods that are over dropped. Safe to run twice at
    once: each run keeps the rows it has written, in one order, until the other has written them.
    """
    made = [*forecast_months(now), *forecast_windows(open_windows(now), now)]
    made.sort(key=_order)
    for first in range(0, len(made), _AT_ONCE):
        _put(made[first : first + _AT_ONCE])
    _drop_older(now)
    return len(made)


def _order(forecast: Forecast) -> tuple[int, int, int, int, datetime]:
    return (
        forecast.budget_id or 0,
        forecast.organization_id or 0,
        forecast.project_id or 0,
        forecast.member,
        forecast.start,
    )


def _put(forecasts: Sequence[Forecast]) -> None:
    Forecast.objects.bulk_create(
        forecasts, update_conflicts=True, unique_fields=_ABOUT, update_fields=_SAID
    )


def _drop_older(now: datetime) -> None:
    """Drop what this run has not written, but for what another one is writing."""
    with transaction.atomic():
        older = Forecast.objects.filter(made_at__lt=now).order_by("pk")
        gone = older.select_for_update(skip_locked=True).values_list("pk", flat=True)
        Forecast.objects.filter(pk__in=list(gone)).delete()
