"""The schedule that ships with Tallyman, entered by migrations.

Staff may change it in the admin: what is there already is never written over.
"""

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from typing import NamedTuple

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations import RunPython
from django.db.migrations.state import StateApps
from django.utils import timezone

_Step = Callable[[StateApps, BaseDatabaseSchemaEditor], None]


class Entry(NamedTuple):
    """A task that beat sends every `seconds`; a run that no worker took in `expires` seconds is
    dropped. It is first due at once, or at `clock`, a UTC time of day."""

    name: str
    task: str
    seconds: int
    expires: int
    clock: time | None = None


def schedule(*entries: Entry) -> RunPython:
    """The operation that adds the entries that are missing, and removes them by name."""
    return RunPython(_adding(entries), _removing(entries))


def _adding(entries: tuple[Entry, ...]) -> _Step:
    def add(apps: StateApps, _schema_editor: BaseDatabaseSchemaEditor) -> None:
        intervals = apps.get_model("django_celery_beat", "IntervalSchedule")
        tasks = apps.get_model("django_celery_beat", "PeriodicTask")
        for entry in entries:
            interval, _ = intervals.objects.get_or_create(every=entry.seconds, period="seconds")
            tasks.objects.get_or_create(
                name=entry.name,
                defaults={
                    "task": entry.task,
                    "interval": interval,
                    "expire_seconds": entry.expires,
                    "last_run_at": _due_before(entry),
                },
            )

    return add


def _removing(entries: tuple[Entry, ...]) -> _Step:
    def remove(apps: StateApps, _schema_editor: BaseDatabaseSchemaEditor) -> None:
        tasks = apps.get_model("django_celery_beat", "PeriodicTask")
        tasks.objects.filter(name__in=[entry.name for entry in entries]).delete()

    return remove


def _due_before(entry: Entry) -> datetime:
    """The latest moment at which the entry would have been due already."""
    now = timezone.now()
    if entry.clock is None:
        return now - timedelta(seconds=entry.seconds)
    today = datetime.combine(now.date(), entry.clock, tzinfo=UTC)
    return today if today <= now else today - timedelta(days=1)
