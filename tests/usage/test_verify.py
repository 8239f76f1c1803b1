from collections.abc import Callable
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from tests.usage.conftest import NOON, event
from usage.ingest.pipeline import Caller, ingest
from usage.rollups import roll_up
from usage.verification import verify

HOURS, DAYS, MONTHS = "facets of hours", "facets of days", "facets of months"
LOSSES = {"buckets", "days", HOURS, "sessions", "runs"}

pytestmark = pytest.mark.django_db


@pytest.fixture
def stored(caller: Caller) -> None:
    ingest(
        [
            event("a", session_id="s1", run_id="r1"),
            event("b", project="api", session_id="s1", model="nobody-knows-9"),
            event("c", occurred_at=NOON.replace(month=10)),
            event("d", corrects="c", occurred_at=NOON.replace(month=9)),
        ],
        caller,
    )
    roll_up()


def change(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        assert cursor.rowcount > 0


def test_what_was_rolled_up_agrees_on_every_level(stored: None) -> None:
    found = verify()
    assert (found.drifts, found.pending_buckets, found.events) == ([], 0, 4)


def test_buckets_that_wait_are_left_out_and_counted(stored: None, caller: Caller) -> None:
    ingest([event("late"), event("later", occurred_at=NOON.replace(day=1))], caller)
    found = verify()
    assert (found.drifts, found.pending_buckets) == ([], 2)


@pytest.mark.parametrize(
    ("statement", "checks"),
    [
        ("UPDATE usage_usagerollup SET cost = cost + 1 WHERE cost > 0", LOSSES),
        ("UPDATE usage_usagerollup SET project_id = NULL", {"buckets", "days", HOURS}),
        ("UPDATE usage_usagerollup SET bucket = bucket + interval '1 hour'", {"buckets", HOURS}),
        ("DELETE FROM usage_usagerollup WHERE session_id IS NULL", {"buckets", "days", HOURS}),
        ("UPDATE usage_dailyrollup SET input_tokens = input_tokens + 1", {"days", "months", DAYS}),
        ("UPDATE usage_dailyrollup SET day = day + 1", {"days", DAYS}),
        ("DELETE FROM usage_monthlyrollup", {"months"}),
        ("UPDATE usage_monthlyrollup SET errors = 5", {"months"}),
        ("DELETE FROM usage_hourlyfacet WHERE facet = 4", {HOURS}),
        ("UPDATE usage_dailyfacet SET cost = 7", {DAYS, MONTHS}),
        ("UPDATE usage_monthlyfacet SET member_id = member_id + 99 WHERE facet = 1", {MONTHS}),
        ("UPDATE usage_sessionrollup SET duration_ms = 7", {"sessions"}),
        ("UPDATE usage_sessionrollup SET session_id = 's2'", {"sessions"}),
        ("DELETE FROM usage_runrollup", {"runs"}),
    ],
)  # fmt: skip
def test_a_corrupted_level_is_found_and_repaired_by_rebuilding(
    stored: None, statement: str, checks: set[str]
) -> None:
    change(statement)
    assert {drift.check for drift in verify().drifts} == checks
    call_command("rollup", "--rebuild", stdout=StringIO())
    assert verify().drifts == []


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM usage_eventkey WHERE occurred_at < '2026-10-01'",
        "UPDATE usage_eventkey SET occurred_at = occurred_at + interval '1 minute'",
        "INSERT INTO usage_eventkey VALUES (gen_random_uuid(), 1, '2026-11-20T12:00:00Z')",
    ],
)
def test_keys_without_their_events_are_found(stored: None, statement: str) -> None:
    change(statement)
    assert {drift.check for drift in verify().drifts} == {"keys"}


def test_lost_and_doubled_events_are_found(stored: None) -> None:
    change("DELETE FROM usage_usageevent WHERE event_id = 'a'")
    assert {drift.check for drift in verify().drifts} == {"buckets", "keys"}


def test_the_command_says_in_one_line_that_all_is_well(stored: None) -> None:
    out = StringIO()
    call_command("verify", stdout=out)
    assert out.getvalue() == "4 events and all their sums agree\n"


def test_the_command_shows_drift_in_a_table_and_fails(stored: None) -> None:
    change("UPDATE usage_monthlyrollup SET events = events + 1 WHERE month = '2026-11-01'")
    out = StringIO()
    with pytest.raises(CommandError, match="2 figures differ") as failure:
        call_command("verify", stdout=out)
    assert failure.value.returncode == 1
    assert "months" in out.getvalue()
    assert "acme" in out.getvalue()
    assert "2026-11" in out.getvalue()


def test_verifying_costs_a_fixed_number_of_statements(
    stored: None, django_assert_max_num_queries: Callable[..., object]
) -> None:
    with django_assert_max_num_queries(13):  # type: ignore[attr-defined]
        verify()
