from datetime import UTC, datetime, timedelta

import pytest
from django.conf import LazySettings
from django.db import connection
from django.test import Client

from config.models import Heartbeat
from config.selectors import readiness
from config.tasks import beat_heartbeat
from usage.models import DirtyMark, Organization

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def queue_in_the_database(settings: LazySettings) -> None:
    settings.CELERY_BROKER_URL = "pgmq://localhost"


def beat(seconds_ago: float) -> None:
    at = NOW - timedelta(seconds=seconds_ago)
    Heartbeat.objects.update_or_create(name="beat", defaults={"at": at})


def test_healthz_needs_no_database(client: Client) -> None:
    response = client.get("/healthz")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


@pytest.mark.django_db
def test_readyz_is_503_until_beat_was_heard(client: Client) -> None:
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["database"] is True
    assert response.json()["beat_age"] is None
    beat_heartbeat()
    response = client.get("/readyz")
    assert (response.status_code, response.json()["status"]) == (200, "ready")


@pytest.mark.django_db
def test_a_beat_silent_for_more_than_a_minute_is_not_ready() -> None:
    beat(60)
    assert readiness(NOW).ready
    beat(61)
    assert not readiness(NOW).ready


@pytest.mark.django_db
def test_usage_that_waits_two_minutes_for_its_rollup_is_not_ready() -> None:
    beat(0)
    organization = Organization.objects.create(slug="acme", name="Acme")
    for seconds in (120, 5):
        DirtyMark.objects.create(
            organization=organization, bucket=NOW, created_at=NOW - timedelta(seconds=seconds)
        )
    assert readiness(NOW).rollup_lag == 120
    assert readiness(NOW).ready
    assert not readiness(NOW + timedelta(seconds=1)).ready


@pytest.mark.django_db
def test_a_missing_migration_is_not_ready() -> None:
    beat(0)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'config'")
    state = readiness(NOW)
    assert (state.migrations, state.ready) == (False, False)


@pytest.mark.django_db
def test_a_missing_queue_is_not_ready() -> None:
    beat(0)
    with connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA pgmq CASCADE")
    assert not readiness(NOW).broker


@pytest.mark.django_db
def test_a_broker_that_is_away_is_not_ready(settings: LazySettings) -> None:
    beat(0)
    settings.CELERY_BROKER_URL = "redis://127.0.0.1:1"
    assert not readiness(NOW).broker
