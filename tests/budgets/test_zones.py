import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from rest_framework.test import APIClient

from budgets.models import BudgetWindow
from budgets.spans import span_at
from tests.budgets.spending import set_budget, spend
from usage.keys import create_key
from usage.organizations import change_time_zone, change_week_start, ensure_organization


def utc(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "period", "at", "start", "end"),
    [
        ("Asia/Kathmandu", "day", utc(2026, 11, 20, 18, 14), utc(2026, 11, 19, 18, 15), 24),
        ("Asia/Kathmandu", "day", utc(2026, 11, 20, 18, 15), utc(2026, 11, 20, 18, 15), 24),
        ("America/New_York", "day", utc(2026, 3, 8, 12), utc(2026, 3, 8, 5), 23),
        ("America/New_York", "day", utc(2026, 11, 1, 12), utc(2026, 11, 1, 4), 25),
        ("America/New_York", "week", utc(2026, 11, 1), utc(2026, 10, 26, 4), 7 * 24 + 1),
        ("America/New_York", "month", utc(2026, 3, 31), utc(2026, 3, 1, 5), 31 * 24 - 1),
        ("Australia/Lord_Howe", "day", utc(2026, 10, 4), utc(2026, 10, 3, 13, 30), 23.5),
        ("Australia/Lord_Howe", "day", utc(2026, 4, 5), utc(2026, 4, 4, 13), 24.5),
        # Here the clock goes from midnight to one.
        ("Africa/Cairo", "day", utc(2026, 4, 24, 12), utc(2026, 4, 23, 22), 23),
        ("Asia/Kathmandu", "quarter", utc(2026, 12, 31, 18, 14), utc(2026, 9, 30, 18, 15), 92 * 24),
        ("Asia/Kathmandu", "year", utc(2026, 12, 31, 18, 15), utc(2026, 12, 31, 18, 15), 365 * 24),
    ],
)
def test_periods_begin_at_midnights_of_the_zone(
    zone: str, period: str, at: datetime, start: datetime, end: float
) -> None:
    assert span_at(at, period, zone) == (start, start + timedelta(hours=end))


def test_weeks_begin_on_the_day_that_the_organization_names() -> None:
    sunday = utc(2026, 11, 22, 5)
    late = span_at(sunday - timedelta(seconds=1), "week", "America/New_York", week_start=7)
    assert late == (utc(2026, 11, 15, 5), sunday)
    assert span_at(sunday, "week", "America/New_York", week_start=7).start == sunday
    assert span_at(sunday, "week", "America/New_York").start == utc(2026, 11, 16, 5)


def test_a_total_counts_from_its_first_day_and_never_ends() -> None:
    at = utc(2026, 11, 20)
    assert span_at(at, "total", "Asia/Kathmandu", starts_on=date(2026, 1, 1)) == (
        utc(2025, 12, 31, 18, 15),
        None,
    )
    assert span_at(at, "total", "UTC") == (utc(1970, 1, 1), None)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("zone", "week_start", "period", "last", "told"),
    [
        ("Asia/Kathmandu", 1, "day", utc(2026, 11, 20, 18, 14), "2026-11-21T00:00:00+05:45"),
        ("America/New_York", 1, "day", utc(2026, 3, 9, 3, 59), "2026-03-09T00:00:00-04:00"),
        ("America/New_York", 1, "day", utc(2026, 11, 2, 4, 59), "2026-11-02T00:00:00-05:00"),
        ("Australia/Lord_Howe", 1, "day", utc(2026, 10, 4, 12, 59), "2026-10-05T00:00:00+11:00"),
        ("America/New_York", 7, "week", utc(2026, 11, 22, 4, 59), "2026-11-22T00:00:00-05:00"),
    ],
)
def test_a_full_budget_blocks_until_the_reset_that_the_answer_names(
    catalogue: None,
    monkeypatch: pytest.MonkeyPatch,
    zone: str,
    week_start: int,
    period: str,
    last: datetime,
    told: str,
) -> None:
    acme = ensure_organization("acme")
    change_time_zone(acme, zone)
    change_week_start(acme, week_start)
    now = [last - timedelta(hours=1)]
    monkeypatch.setattr("django.utils.timezone.now", lambda: now[0])
    row = set_budget(now[0], period=period, limit=Decimal(3))
    _, key = create_key("acme", ("check",), "test")
    client = APIClient(headers={"Authorization": f"Bearer {key}"})

    def asked() -> tuple[str, str | None, str]:
        body = json.dumps({"amount": "0.5"})
        answer = client.post("/api/v1/budgets/check/", body, content_type="application/json")
        said = answer.json()
        return said["decision"], said["retry_at"], said["message"]

    spend("3", "before", now[0])
    now[0] = last + timedelta(seconds=59)
    decision, retry_at, message = asked()
    assert (decision, retry_at) == ("block", told)
    assert f"00:00 ({zone})" in message
    now[0] = last + timedelta(minutes=1)
    assert asked()[:2] == ("allow", None)
    assert datetime.fromisoformat(told) == now[0]
    spend("1.2", "after", now[0])
    windows = BudgetWindow.objects.filter(budget=row).order_by("start")
    assert [(w.start, w.end, w.spent) for w in windows] == [
        (windows[0].start, now[0], 3),
        (now[0], windows[1].end, Decimal("1.2")),
    ]
