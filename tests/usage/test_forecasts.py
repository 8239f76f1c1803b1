from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from rest_framework.test import APIClient

from tests.config.site_data import event, send
from usage.api.schema.forecast import ForecastBody
from usage.selectors.access import EVERYTHING, Viewer
from usage.selectors.forecasts import Forecast, forecast_spend, month_after, this_month

pytestmark = pytest.mark.django_db
TODAY = date(2026, 11, 20)
WEEKDAY, WEEKEND = Decimal("0.3"), Decimal("0.03")


def days(first: date, last: date, **fields: Any) -> None:
    """100,000 input tokens of Sonnet ($0.30) on weekdays, a tenth of that at weekends."""
    made = []
    for n in range((last - first).days + 1):
        day = first + timedelta(days=n)
        tokens = 10_000 if day.weekday() >= 5 else 100_000
        when = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
        made.append(event(f"{day}-{fields}", when, input_tokens=tokens, **fields))
    send(made)


def ask(**fields: Any) -> Forecast:
    start, end = this_month(TODAY)
    asked: dict[str, Any] = {"start": start, "end": end, "today": TODAY, "time_zone": "UTC"}
    return forecast_spend(EVERYTHING, **{**asked, **fields})


def test_months_begin_on_their_first_day() -> None:
    assert this_month(date(2026, 12, 31)) == (date(2026, 12, 1), date(2027, 1, 1))
    assert month_after(date(2026, 12, 31)) == (date(2027, 1, 1), date(2027, 2, 1))


def test_a_month_goes_on_by_its_weekdays(catalogue: None) -> None:
    days(TODAY - timedelta(days=28), TODAY - timedelta(days=1))
    found = ask()
    # 1 to 19 November: 14 weekdays, 5 days of weekends; all of it has 21 and 9.
    assert found.spent == 14 * WEEKDAY + 5 * WEEKEND
    assert found.expected == found.low == found.high == 21 * WEEKDAY + 9 * WEEKEND
    assert found.run_rate == ((14 * WEEKDAY + 5 * WEEKEND) * 30 / 20).quantize(Decimal("1E-10"))
    assert found.back_test_error == 0
    assert found.days_of_history == 28


def test_the_next_month_is_forecast_without_what_is_left_of_this_one(catalogue: None) -> None:
    days(TODAY - timedelta(days=28), TODAY - timedelta(days=1))
    start, end = month_after(TODAY)
    found = ask(start=start, end=end)
    # December 2026 has 23 weekdays and 8 days of weekends.
    assert found.spent == 0
    assert found.expected == 23 * WEEKDAY + 8 * WEEKEND
    assert found.run_rate == ((20 * WEEKDAY + 8 * WEEKEND) * 31 / 28).quantize(Decimal("1E-10"))


def test_what_today_cost_beyond_expectation_is_added(catalogue: None) -> None:
    days(TODAY - timedelta(days=28), TODAY - timedelta(days=1))
    noon = datetime(2026, 11, 20, 9, tzinfo=UTC)
    send([event("half", noon, input_tokens=50_000)])
    assert ask().expected == 21 * WEEKDAY + 9 * WEEKEND
    send([event("more", noon, input_tokens=150_000)])
    assert ask().expected == 21 * WEEKDAY + 9 * WEEKEND + WEEKDAY


def test_with_less_than_two_weeks_there_is_only_a_run_rate(catalogue: None) -> None:
    days(date(2026, 11, 9), date(2026, 11, 19))
    found = ask()
    assert found.days_of_history == 11
    assert (found.expected, found.low, found.high, found.back_test_error) == (None,) * 4
    assert found.run_rate == (found.spent * 30 / 20).quantize(Decimal("1E-10"))


def test_nothing_used_is_nothing_spent(catalogue: None) -> None:
    found = ask()
    assert found.spent == found.run_rate == found.days_of_history == 0
    assert found.expected is None


def test_a_period_that_is_over_is_what_it_cost(catalogue: None) -> None:
    days(TODAY - timedelta(days=28), TODAY - timedelta(days=1))
    found = ask(start=date(2026, 11, 2), end=date(2026, 11, 9))
    assert found.spent == found.expected == found.run_rate == 5 * WEEKDAY + 2 * WEEKEND


def test_a_forecast_is_about_what_the_viewer_sees_and_filters_for(catalogue: None) -> None:
    first, last = TODAY - timedelta(days=28), TODAY - timedelta(days=1)
    days(first, last, project="web")
    days(first, last, organization="globex")
    start, end = this_month(TODAY)
    one = 21 * WEEKDAY + 9 * WEEKEND
    assert ask().expected == 2 * one
    assert ask(filters={"project": ["web"]}).expected == one
    none = forecast_spend(Viewer(frozenset()), start=start, end=end, today=TODAY, time_zone="UTC")
    assert none.spent == 0


def test_the_endpoint_answers_for_the_callers_organization(
    client_for: Callable[..., APIClient],
) -> None:
    today = datetime.now(UTC).date()
    days(today - timedelta(days=30), today - timedelta(days=1), organization="globex")
    client = client_for("globex")
    answer = client.get("/api/v1/forecast/", {"period": "next-month"})
    body = msgspec.json.decode(answer.content, type=ForecastBody)
    assert (body.period, body.timezone, body.budget) == ("next-month", "UTC", None)
    assert (body.from_, body.to) == month_after(today)
    assert body.days_of_history == 30
    assert body.expected is not None
    other = client_for("acme").get("/api/v1/forecast").json()
    assert (other["spent"], other["expected"]) == ("0.0000000000", None)
    assert client.get("/api/v1/forecast/?period=year").status_code == 400
    assert client.get("/api/v1/forecast/?from=2026-01-01").status_code == 400
