"""The schedule that ships with Tallyman; staff may change it, and nothing writes over that."""

from datetime import timedelta

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps
from django.utils import timezone

# Name, task, period in seconds, seconds after which a run that no worker took is dropped.
SCHEDULE = (
    ("Sum up new usage", "usage.tasks.roll_up", 5, 4),
    ("Make partitions ahead", "usage.tasks.make_partitions_ahead", 21_600, 3_600),
    ("Beat heartbeat", "config.tasks.beat_heartbeat", 15, 14),
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
    dependencies = [
        ("config", "0001_message_queue"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]
    operations = [migrations.RunPython(add, remove)]
