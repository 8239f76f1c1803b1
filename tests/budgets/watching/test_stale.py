from datetime import timedelta

from budgets.models import Alert
from budgets.watching.stale import watch_stale
from tests.budgets.watching.seen import live, spent, store
from tests.usage.conftest import NOON
from usage.keys import create_key
from usage.models import APIKey, DailyRollup, Project, UsageRollup

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
STALE = Alert.Kind.STALE


def heard_until(days_ago: int, **fields: str) -> None:
    """Each hour from 9 to 12 o'clock, for four weeks until a day before that of noon."""
    store(
        spent("0.01", NOON - n * DAY - hour * HOUR, **fields)
        for n in range(days_ago, days_ago + 28)
        for hour in range(4)
    )


def test_what_reports_every_day_is_missed_until_it_is_heard(catalogue: None) -> None:
    heard_until(1)
    watch_stale(NOON)
    assert not live(STALE)

    for now in (NOON + 2 * HOUR, NOON + 3 * HOUR):
        watch_stale(now)
    (alert,) = live(STALE)
    project = Project.objects.get(slug="web")
    assert (alert.key, alert.organization_id) == (f"project:{project.pk}", project.organization_id)
    assert alert.facts == {
        "what": "project", "name": "project web", "usual_gap_hours": "1",
        "last_seen": "2026-11-19T12:00:00Z",
    }  # fmt: skip
    assert alert.occasion == 1

    store([spent("0.01", NOON + 3 * HOUR)])
    watch_stale(NOON + 4 * HOUR)
    assert not live(STALE)


def test_a_key_is_told_of_rather_than_its_projects_and_a_revoked_one_is_not(
    catalogue: None,
) -> None:
    heard_until(3)
    heard_until(3, project="api")
    heard_until(3, project="old")
    create_key("acme", ("ingest",), "collector")
    key = APIKey.objects.get()
    Project.objects.filter(slug="old").update(archived_at=NOON)
    for rollups in (UsageRollup.objects, DailyRollup.objects):
        rollups.exclude(project__slug="api").update(api_key_id=key.pk)

    watch_stale(NOON)
    assert {alert.facts["name"] for alert in live(STALE)} == {"API key collector", "project api"}

    APIKey.objects.update(revoked=True)
    watch_stale(NOON)
    assert {alert.facts["name"] for alert in live(STALE)} == {"project web", "project api"}

    watch_stale(NOON + 12 * DAY)
    assert not live(STALE)
