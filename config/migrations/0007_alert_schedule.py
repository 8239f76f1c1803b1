"""Schedules the life of alerts, what is looked for, forecasts, and the sending of notices."""

from datetime import timedelta

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps
from django.utils import timezone

# Name, task, period in seconds, seconds after which a run that no worker took is dropped.
SCHEDULE = (
    ("Send notices", "budgets.tasks.send_notices", 5, 4),
    ("Settle alerts", "budgets.tasks.settle_alerts", 15, 12),
    ("Watch usage and the installation", "budgets.tasks.watch_usage", 60, 50),
    ("Watch for unusual spend", "budgets.tasks.watch_spend", 900, 800),
    ("Forecast", "budgets.tasks.forecast", 3_600, 3_000),
    ("Drop old alerts", "budgets.tasks.tidy_alerts", 86_400, 3_600),
)


def add(apps: StateApps, _schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Add the entries that are missing; each is first due at once, not one period later."""
    intervals = apps.get_model("django_celery_beat", "IntervalSchedule")
    tasks = apps.get_model("django_celery_beat", "PeriodicTask")
    for name, task, seconds, expires in SCHEDULE:
        interval, _ = intervals.objects.get_or_create(every=seconds, period="seconds")
        tasks.objects.get_or_create(
            name=name,
            defaults={
                "task": task,
                "interval": interval,
                "expire_seconds": expires,
                "last_run_at": timezone.now() - timedelta(seconds=seconds),
            },
        )


def remove(apps: StateApps, _schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Remove the entries, by name."""
    tasks = apps.get_model("django_celery_beat", "PeriodicTask")
    tasks.objects.filter(name__in=[entry[0] for entry in SCHEDULE]).delete()


class Migration(migrations.Migration):
    dependencies = [("config", "0006_budget_schedule")]
    operations = [migrations.RunPython(add, remove)]
