from datetime import date, datetime
from decimal import Decimal

import pytest

from pricing.exchange import DatedRate, set_rates
from pricing.publishing import Provenance
from tests.usage.conftest import event
from tests.usage.summaries import frame, store
from usage.ingest.pipeline import Caller
from usage.selectors.cards import Series, daily, monthly, weekly
from usage.selectors.frames import months_before

pytestmark = pytest.mark.django_db

MOMENTS = (
    "2026-11-20T03:00Z", "2026-11-19T20:00Z", "2026-11-15T23:00Z", "2026-11-01T02:00Z",
    "2026-10-31T23:00Z",
)  # fmt: skip


def pair(series: Series) -> tuple[int, int]:
    return series.present.sums.events, series.previous.sums.events


@pytest.mark.parametrize(
    ("zone", "days", "weeks", "months"),
    [
        ("UTC", (1, 1), (2, 1), (4, 1)),
        ("Asia/Kathmandu", (2, 0), (3, 0), (5, 0)),
        ("America/New_York", (0, 2), (2, 1), (3, 2)),
    ],
)
def test_days_weeks_and_months_begin_at_midnight_of_the_zone(
    caller: Caller,
    zone: str,
    days: tuple[int, int],
    weeks: tuple[int, int],
    months: tuple[int, int],
) -> None:
    store(caller, *(event(at, occurred_at=datetime.fromisoformat(at)) for at in MOMENTS))
    asked = frame(time_zone=zone)
    assert (pair(daily(asked)), pair(weekly(asked)), pair(monthly(asked))) == (days, weeks, months)


def test_series_have_every_period_ascending_up_to_today(caller: Caller) -> None:
    days = [point.start for point in daily(frame()).points]
    assert (len(days), days[0], days[-1]) == (30, date(2026, 10, 22), date(2026, 11, 20))
    assert days == sorted(set(days))
    weeks = weekly(frame()).points
    assert len(weeks) == 12
    assert {point.start.weekday() for point in weeks} == {0}
    assert (weeks[-1].start, weeks[-1].end) == (date(2026, 11, 16), date(2026, 11, 23))
    months = monthly(frame()).points
    assert [(point.start, point.end) for point in (months[0], months[-1])] == [
        (date(2025, 12, 1), date(2026, 1, 1)),
        (date(2026, 11, 1), date(2026, 12, 1)),
    ]
    assert len(months) == 12


def test_each_period_is_divided_by_who_pays(caller: Caller) -> None:
    store(caller, event("org"), event("own", billing_scope="user", output_tokens=200))
    for series in (daily(frame()), weekly(frame()), monthly(frame())):
        now = series.present
        assert (now.org_cost, now.user_cost) == (Decimal("0.0045"), Decimal("0.006"))
        assert now.sums.cost == Decimal("0.0105")
        assert not series.previous.org_cost


def test_unpriced_calls_are_counted_and_cost_nothing(caller: Caller) -> None:
    store(caller, event("a"), event("b", model="nobody-knows-9"))
    series = monthly(frame())
    assert series.unpriced_events == series.present.sums.unpriced_events == 1
    assert series.present.sums.cost == Decimal("0.0045")


def test_months_are_counted_back_over_new_year() -> None:
    assert months_before(date(2026, 2, 28), 2) == date(2025, 12, 1)
    assert months_before(date(2026, 12, 31), 11) == date(2026, 1, 1)
    assert months_before(date(2026, 1, 1), 0) == date(2026, 1, 1)


def test_converted_costs_are_those_that_the_query_endpoint_shows(caller: Caller) -> None:
    rates = [DatedRate("USD", "EUR", date(2025, 12, 1), Decimal("0.9123456789"))]
    set_rates(rates, Provenance("test"))
    store(
        caller,
        *(
            event(f"e{i}", billing_scope=payer, input_tokens=i, output_tokens=0)
            for i, payer in enumerate(("org", "user", "org", "user"), start=1)
        ),
    )
    euros = frame(currency="EUR")
    whole = euros.ask(*euros.month).totals
    # Each part is rounded: 0.000012 and 0.000018 dollars, 0.00003 as a whole.
    assert (whole.cost, daily(euros).present.sums) == (Decimal("0.0000273704"), whole)
    point = monthly(euros).present
    assert (point.org_cost, point.user_cost) == (Decimal("0.0000109481"), Decimal("0.0000164222"))
