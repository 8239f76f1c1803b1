"""Schedules the daily syncs of prices and the work on re-ratings."""

from datetime import UTC, datetime, time, timedelta

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps
from django.utils import timezone

# Name, task, period in seconds, seconds after which a run that no worker took is dropped, and the
# UTC time of day at which it is first due, or None for at once.
SCHEDULE = (
    ("Sync prices", "pricing.tasks.sync_prices", 86_400, 43_200, time(6, 17)),
    ("Sync OpenRouter's prices", "pricing.tasks.sync_openrouter", 86_400, 43_200, time(6, 47)),
    ("Continue re-ratings", "usage.tasks.continue_ratings", 5, 4, None),
)


def add(apps: StateApps, _schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Add the entries that are missing."""
    intervals = apps.get_model("django_celery_beat", "IntervalSchedule")
    tasks = apps.get_model("django_celery_beat", "PeriodicTask")
    for name, task, seconds, expires, clock in SCHEDULE:
        interval, _ = intervals.objects.get_or_create(every=seconds, period="seconds")
        tasks.objects.get_or_create(
            name=name,
            defaults={
                "task": task,
                "interval": interval,
                "expire_seconds": expires,
                "last_run_at": _due_before(timedelta(seconds=seconds), clock),
            },
        )


def _due_before(period: timedelta, clock: time | None) -> datetime:
    """The latest moment at which the entry would have been due already."""
    now = timezone.now()
    if clock is None:
        return now - period
    today = datetime.combine(now.date(), clock, tzinfo=UTC)
    return today if today <= now else today - timedelta(days=1)


def remove(apps: StateApps, _schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Remove the entries, by name."""
    tasks = apps.get_model("django_celery_beat", "PeriodicTask")
    tasks.objects.filter(name__in=[entry[0] for entry in SCHEDULE]).delete()


class Migration(migrations.Migration):
    dependencies = [("config", "0003_heartbeat")]
    operations = [migrations.RunPython(add, remove)]
