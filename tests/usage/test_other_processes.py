from typing import NoReturn

import psycopg
import pytest
from django.db import connection
from django.db.backends.utils import CursorWrapper
from rest_framework.test import APIClient

from tests.usage.conftest import NOON, body, event
from usage.ingest.pipeline import Caller, ingest
from usage.models import DailyRollup, Organization, UsageEvent
from usage.organizations import change_time_zone
from usage.rollups import roll_up, stage

pytestmark = pytest.mark.django_db


def test_a_month_dropped_by_another_process_is_made_again(caller: Caller) -> None:
    ingest([event("a", occurred_at=NOON.replace(year=2021))], caller)
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE usage_usageevent_2021_11")

    report = ingest([event("b", occurred_at=NOON.replace(year=2021))], caller)

    assert report.accepted == 1
    assert UsageEvent.objects.get().event_id == "b"


def test_a_roll_up_heeds_a_time_zone_changed_since_it_began(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    ingest([event("a", occurred_at=NOON.replace(hour=23))], caller)
    roll_up(wait=True)
    stale = Organization.objects.get()
    change_time_zone(Organization.objects.get(), "Asia/Kathmandu")
    monkeypatch.setattr(stage, "_dirty_organizations", lambda: [stale])

    roll_up(wait=True)

    assert [row.day.day for row in DailyRollup.objects.all()] == [21]


def test_a_connection_lost_while_rows_are_copied_is_503(
    client: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(*_: object) -> NoReturn:
        raise psycopg.OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(CursorWrapper, "copy", lost, raising=False)

    response = client.post("/api/v1/events/", body(), format="json")

    assert (response.status_code, response["Retry-After"]) == (503, "1")
    assert not UsageEvent.objects.exists()
