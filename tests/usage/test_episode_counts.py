from datetime import UTC, date, datetime, timedelta

import pytest

from tests.usage.conftest import NOON, event
from usage.ingest.identities import tenant_of
from usage.ingest.pipeline import Caller, ingest
from usage.ingest.prepare import Tenancy
from usage.organizations import ensure_organization
from usage.rollups import roll_up
from usage.selectors.access import EVERYTHING, NOTHING, Viewer
from usage.selectors.episode_counts import count_episodes
from usage.selectors.episodes import EpisodeKind
from usage.selectors.first_calls import first_call_at

pytestmark = pytest.mark.django_db
SESSION, RUN = EpisodeKind.SESSION, EpisodeKind.RUN
FRIDAY, SATURDAY = date(2026, 11, 20), date(2026, 11, 21)


@pytest.fixture
def calls(caller: Caller) -> None:
    """acme: s1 twice, s2 at midnight, a run; other: an s1 of its own."""
    midnight = datetime(2026, 11, 21, tzinfo=UTC)
    ingest(
        [
            event("a", session_id="s1"),
            event("b", session_id="s1", project="api", occurred_at=NOON + timedelta(hours=1)),
            event("c", session_id="s2", occurred_at=midnight),
            event("d", run_id="r1"),
            event("e"),
        ],
        caller,
    )
    other = Caller(Tenancy(tenant_of(ensure_organization("other")), {}))
    ingest([event("a", session_id="s1", occurred_at=NOON - timedelta(hours=1))], other)
    roll_up()


def count(kind: EpisodeKind = SESSION, viewer: Viewer = EVERYTHING, **asked: object) -> int:
    period = {"start": FRIDAY, "end": SATURDAY, "time_zone": "UTC", **asked}
    return count_episodes(viewer, kind, **period)  # type: ignore[arg-type]


def test_a_session_counts_once_in_each_organization(calls: None) -> None:
    assert count() == 2
    assert count(filters={"organization": ["acme"]}) == 1
    assert count(viewer=NOTHING) == 0


def test_days_are_those_of_the_zone(calls: None) -> None:
    assert count(end=date(2026, 11, 22)) == 3
    assert count(start=SATURDAY, end=date(2026, 11, 22)) == 1
    assert count(time_zone="America/New_York") == 3


def test_runs_are_counted_apart(calls: None) -> None:
    assert count(RUN) == 1


def test_filters_count_the_sessions_with_a_call_that_passes(calls: None) -> None:
    assert count(filters={"project": ["api"]}) == 1
    assert count(filters={"project": ["nothing"]}) == 0


def test_bounds_between_quarter_hours_are_exact(calls: None) -> None:
    later = NOON + timedelta(seconds=1)
    assert count(start=NOON, end=later) == 1
    assert count(start=later, end=NOON + timedelta(minutes=59)) == 0


def test_the_first_call_is_found_within_its_bounds_and_scope(calls: None) -> None:
    start, end = NOON - timedelta(days=1), NOON + timedelta(days=1)
    assert first_call_at(EVERYTHING, start, end) == NOON - timedelta(hours=1)
    assert first_call_at(EVERYTHING, start, end, filters={"organization": ["acme"]}) == NOON
    assert first_call_at(EVERYTHING, start, end, filters={"project": ["api"]}) == NOON + timedelta(
        hours=1
    )
    assert first_call_at(EVERYTHING, NOON - timedelta(hours=1), NOON) is not None
    assert first_call_at(EVERYTHING, start, NOON - timedelta(hours=1)) is None
    assert first_call_at(NOTHING, start, end) is None
