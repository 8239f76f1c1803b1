import json
from datetime import UTC, datetime, timedelta

import pytest
from pytest_django import Settings

from tests.usage.conftest import event
from tests.usage.cost_reports import cost, lines_of, message_calls, scope_at, text_of
from usage.ingest.pipeline import Caller, ingest
from usage.reports.plan_windows import current_window
from usage.reports.quotas import QuotaPlan, QuotaReport, quota_document, quota_report
from usage.rollups import roll_up

NOW = datetime(2026, 11, 20, 14, tzinfo=UTC)
FIVE = timedelta(hours=5)


def report(requests: int, window: str = "5h", now: datetime = NOW) -> QuotaReport:
    return quota_report(scope_at(now), QuotaPlan("Claude Max", requests, window))


@pytest.mark.django_db
def test_the_quota_report_has_the_golden_numbers(caller: Caller) -> None:
    ingest(list(message_calls(NOW)), caller)
    roll_up()
    lines = lines_of(text_of(quota_document(report(300)), unicode=False))
    for line in (
        "Quota: Claude Max",
        "Plan Claude Max",
        "Messages used 45 15 % of 300 per 5h",
        "Messages remaining 255",
        "Resets at 2026-11-20 17:00 in 3 h 0 m",
        "Tokens today 850,000 of unlimited",
        f"web {'#' * 24} 28 62 %",
        f"api {'#' * 15} 17 38 %",
        f"web {'#' * 24} 620,000 73 %",
        f"api {'#' * 9} 230,000 27 %",
    ):
        assert line in lines
    assert any(line.startswith("1 talk-web $1.86 620,000 28 web") for line in lines)


@pytest.mark.django_db
def test_more_messages_than_the_plan_has_leave_none(caller: Caller) -> None:
    ingest(list(message_calls(NOW)), caller)
    roll_up()
    told = report(40)
    assert (told.used, told.remaining) == (45, 0)
    assert "113 %" in text_of(quota_document(told))


@pytest.mark.django_db
def test_a_window_of_hours_opens_with_the_first_call_after_the_one_before(caller: Caller) -> None:
    first = NOW - timedelta(hours=12, minutes=7)
    times = [first, first + FIVE - timedelta(seconds=1), first + FIVE + timedelta(minutes=31)]
    times += [NOW - timedelta(minutes=1)]
    ingest([event(f"e{n}", occurred_at=at) for n, at in enumerate(times)], caller)
    roll_up()
    told = report(10)
    # The third call opened the second window, which was over by the time of the fourth.
    assert told.window.start == NOW - timedelta(minutes=1)
    assert told.used == 1
    earlier = report(10, now=times[2] + timedelta(hours=1))
    assert (earlier.window.start, earlier.used) == (times[2], 1)
    before = report(10, now=times[1] + timedelta(milliseconds=500))
    assert (before.window.start, before.used) == (first, 2)


@pytest.mark.django_db
def test_no_window_is_open_until_somebody_calls(caller: Caller) -> None:
    ingest([event(occurred_at=NOW - FIVE)], caller)
    roll_up()
    told = report(10)
    assert (told.used, told.window.start) == (0, None)
    assert "the next call opens a window" in text_of(quota_document(told))


@pytest.mark.parametrize(
    ("window", "start", "end"),
    [
        ("day", datetime(2026, 11, 20, 5, tzinfo=UTC), datetime(2026, 11, 21, 5, tzinfo=UTC)),
        ("week", datetime(2026, 11, 16, 5, tzinfo=UTC), datetime(2026, 11, 23, 5, tzinfo=UTC)),
        ("month", datetime(2026, 11, 1, 4, tzinfo=UTC), datetime(2026, 12, 1, 5, tzinfo=UTC)),
    ],
)
def test_days_weeks_and_months_begin_at_midnight_of_the_zone(
    window: str, start: datetime, end: datetime
) -> None:
    found = current_window(window, NOW, "America/New_York", lambda *_: None)
    assert (found.start, found.end) == (start, end)


@pytest.mark.django_db
def test_a_plan_comes_from_the_environment(caller: Caller, settings: Settings) -> None:
    settings.TALLYMAN_PLAN, settings.TALLYMAN_PLAN_REQUESTS = "Pro", 45
    settings.TALLYMAN_PLAN_WINDOW = "week"
    told = json.loads(cost("quota", "report", "--format", "json"))
    assert (told["plan"], told["limit"], told["window"]) == ("Pro", 45, "week")
    assert "of 9 per day" in " ".join(
        lines_of(cost("quota", "report", "--requests", "9", "--window", "day"))
    )
