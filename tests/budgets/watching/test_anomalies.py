from datetime import timedelta
from decimal import Decimal
from typing import Any

from budgets.models import Alert
from budgets.watching.anomalies import watch_anomalies
from tests.budgets.watching.seen import live, spent, store
from tests.usage.conftest import NOON
from usage.models import Project, Subject

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
ANOMALY = Alert.Kind.ANOMALY
# Noon is that of Friday, 20 November 2026, UTC.
MIDNIGHT = NOON - 12 * HOUR


def every_day(dollars: str, **fields: Any) -> None:
    """The same at 10 o'clock of each of the 60 days before."""
    store(spent(dollars, NOON - n * DAY - 2 * HOUR, **fields) for n in range(1, 61))


def test_what_one_person_makes_of_a_day_is_told_once_with_the_cause(catalogue: None) -> None:
    every_day("20")
    watch_anomalies(NOON)
    assert not live(ANOMALY)

    store([spent("90", MIDNIGHT + 3 * HOUR, project="api", subject="bot")])
    store([spent("30", MIDNIGHT + 4 * HOUR, project="api", subject="bot")])
    watch_anomalies(MIDNIGHT + 5 * HOUR)
    (alert,) = live(ANOMALY)
    project, subject = Project.objects.get(slug="api"), Subject.objects.get(key="bot")

    assert alert.organization == project.organization
    assert (alert.severity, alert.occasion) == (Alert.Severity.WARNING, 1)
    assert alert.facts == {
        "what": "organization acme", "dimension": "organization", "id": alert.organization_id,
        "day": "2026-11-20", "start": "2026-11-20T02:00:00Z", "end": "2026-11-20T05:00:00Z",
        "spent": "120.0000000000", "usual": "0", "factor": None,
        "causes": [
            {"what": "project api", "dimension": "project", "id": project.pk,
             "spent": "120.0000000000"},
            {"what": "model anthropic/claude-haiku-4-5", "dimension": "model", "id": 0,
             "spent": "120.0000000000"},
            {"what": "person bot", "dimension": "person", "id": subject.pk,
             "spent": "120.0000000000"},
        ],
    }  # fmt: skip

    store([spent("20", NOON - 2 * HOUR)])
    for now in (NOON, NOON + DAY, NOON + DAY + 11 * HOUR):
        watch_anomalies(now)
        assert [each.pk for each in live(ANOMALY)] == [alert.pk]
    assert live(ANOMALY)[0].occasion == 1

    watch_anomalies(MIDNIGHT + 2 * DAY)
    assert not live(ANOMALY)


def test_a_part_is_told_where_the_whole_is_not_unusual(catalogue: None) -> None:
    every_day("1000")
    every_day("5", project="api", subject="bot", model="claude-opus-4-5", input_tokens=1_000_000)
    store([spent("1000", NOON - 2 * HOUR)])
    store([spent("140", NOON - 3 * HOUR, project="api", subject="bot")])
    watch_anomalies(NOON)

    (alert,) = live(ANOMALY)
    assert alert.facts["what"] == "project api"
    assert (alert.facts["spent"], alert.facts["usual"]) == ("140.0000000000", "0")
    assert [cause["what"] for cause in alert.facts["causes"]] == [
        "model anthropic/claude-haiku-4-5", "person bot",
    ]  # fmt: skip


def test_what_was_told_of_a_person_is_not_told_again_of_the_organization(catalogue: None) -> None:
    every_day("100")
    every_day("0.01", subject="bot")
    store([spent("100", NOON - 2 * HOUR), spent("40", NOON - 3 * HOUR, subject="bot")])
    watch_anomalies(NOON)
    assert [alert.facts["what"] for alert in live(ANOMALY)] == ["person bot"]

    store([spent("300", NOON - HOUR, subject="bot")])
    watch_anomalies(NOON + HOUR)

    assert [alert.facts["what"] for alert in live(ANOMALY)] == ["person bot"]
    assert Decimal(live(ANOMALY)[0].facts["spent"]) == 340


def test_late_usage_of_yesterday_is_seen_and_small_amounts_are_not(catalogue: None) -> None:
    every_day("0.50")
    store([spent("9.99", NOON - DAY - HOUR)])
    watch_anomalies(NOON)
    assert not live(ANOMALY)

    store([spent("0.02", NOON - DAY)])
    watch_anomalies(NOON)

    (alert,) = live(ANOMALY)
    assert (alert.facts["day"], alert.facts["factor"]) == ("2026-11-19", "21.0")
    assert Decimal(alert.facts["spent"]) == Decimal("10.51")
