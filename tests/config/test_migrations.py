from datetime import timedelta
from importlib import import_module

import pytest
from celery import current_app
from django.apps import apps
from django.core.management import call_command
from django.db import connection
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

TASKS = {
    "usage.tasks.roll_up": (5, 4),
    "usage.tasks.make_partitions_ahead": (21_600, 3_600),
    "config.tasks.beat_heartbeat": (15, 14),
    "pricing.tasks.sync_prices": (86_400, 43_200),
    "pricing.tasks.sync_openrouter": (86_400, 43_200),
    "usage.tasks.continue_ratings": (5, 4),
    "usage.tasks.continue_exports": (5, 4),
    "usage.tasks.tidy_exports": (60, 50),
}


def queue_exists() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('pgmq.meta') IS NOT NULL")
        return bool(cursor.fetchone()[0])


def shipped() -> dict[str, tuple[int, int]]:
    return {
        entry.task: (entry.interval.every, entry.expire_seconds)
        for entry in PeriodicTask.objects.filter(task__in=TASKS)
    }


def ship() -> None:
    # A transactional test that ran before has emptied every table.
    for name in ("0002_schedule", "0004_price_sync_schedule", "0005_export_schedule"):
        for operation in import_module(f"config.migrations.{name}").Migration.operations:
            operation.code(apps, connection.schema_editor())


@pytest.mark.django_db
def test_the_shipped_schedule_expires_before_its_next_run() -> None:
    ship()
    assert shipped() == TASKS
    assert all(expires < every for every, expires in TASKS.values())


@pytest.mark.django_db
def test_prices_are_first_synced_at_the_next_quarter_past_six() -> None:
    PeriodicTask.objects.all().delete()
    ship()
    for task, minute in (("sync_prices", 17), ("sync_openrouter", 47)):
        last = PeriodicTask.objects.get(task=f"pricing.tasks.{task}").last_run_at
        assert last is not None
        assert (last.hour, last.minute, last.second) == (6, minute, 0)
        assert timedelta(0) <= timezone.now() - last < timedelta(days=1)


@pytest.mark.django_db
def test_every_task_of_the_schedule_exists() -> None:
    current_app.loader.import_default_modules()
    assert current_app.tasks.keys() >= TASKS.keys()


@pytest.mark.django_db(transaction=True)
def test_queue_and_schedule_go_and_come_back_with_their_migrations() -> None:
    assert queue_exists()
    call_command("migrate", "config", "zero", verbosity=0)
    assert not queue_exists()
    assert shipped() == {}
    call_command("migrate", "config", verbosity=0)
    assert queue_exists()
    assert shipped() == TASKS


@pytest.mark.django_db
def test_what_staff_changed_in_the_schedule_stays() -> None:
    ship()
    PeriodicTask.objects.filter(task="usage.tasks.roll_up").update(enabled=False)
    ship()
    assert not PeriodicTask.objects.get(task="usage.tasks.roll_up").enabled


@pytest.mark.django_db
def test_models_and_migrations_agree() -> None:
    call_command("makemigrations", "config", check=True, dry_run=True, verbosity=0)
