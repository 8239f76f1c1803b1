"""Schedules the end of reservations, the turn of windows, and the counting of decisions."""

from datetime import timedelta

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps
from django.utils import timezone

# Name, task, period in seconds, seconds after which a run that no worker took is dropped.
SCHEDULE = (
    ("End reservations that nobody has ended", "budgets.tasks.expire_reservations", 5, 4),
    ("Turn budget windows", "budgets.tasks.turn_windows", 15, 12),
    ("Count decisions", "budgets.tasks.count_decisions", 30, 25),
    ("Drop old decisions and reservations", "budgets.tasks.tidy_decisions", 86_400, 3600),
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
    dependencies = [("config", "0005_export_schedule")]
    operations = [migrations.RunPython(add, remove)]
