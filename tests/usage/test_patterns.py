from datetime import UTC, date, datetime
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from tests.config.site_data import event, send
from usage.selectors.access import EVERYTHING, Viewer
from usage.selectors.patterns import by_hour_of_day, by_hour_of_week, by_weekday
from usage.selectors.questions import Granularity, UsageQuery
from usage.selectors.sums import total_of

pytestmark = pytest.mark.django_db
NOVEMBER: Any = {"start": date(2026, 11, 1), "end": date(2026, 12, 1)}


def hours(time_zone: str) -> UsageQuery:
    return UsageQuery(
        viewer=EVERYTHING, **NOVEMBER, time_zone=time_zone, granularity=Granularity.HOUR
    )


def at(day: int, hour: int, minute: int) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


@pytest.fixture
def calls(catalogue: None) -> None:
    send(
        [
            event(1, at(2, 3, 10), input_tokens=1_000_000, project="web"),
            event(2, at(3, 3, 35), input_tokens=100, project="web"),
            event(3, at(9, 3, 29), input_tokens=10, project="api"),
            event(4, at(8, 18, 40), input_tokens=1, organization="globex"),
        ]
    )


def test_hours_are_those_of_clocks_half_an_hour_off(calls: None) -> None:
    # 03:10 and 03:29 UTC are 08:40 and 08:59 in Kolkata, 03:35 is 09:05, 18:40 is 00:10.
    hours = by_hour_of_day(EVERYTHING, **NOVEMBER, time_zone="Asia/Kolkata")
    assert [hour for hour, _ in hours] == list(range(24))
    used = {hour: (sums.events, sums.input_tokens) for hour, sums in hours if sums.events}
    assert used == {8: (2, 1_000_010), 9: (1, 100), 0: (1, 1)}


def test_weekdays_begin_on_monday_in_the_zone_asked_for(calls: None) -> None:
    utc = by_weekday(EVERYTHING, **NOVEMBER, time_zone="UTC")
    assert [(day, sums.events) for day, sums in utc] == [
        (0, 2), (1, 1), (2, 0), (3, 0), (4, 0), (5, 0), (6, 1),
    ]  # fmt: skip
    # Sunday 18:40 UTC is Monday in Kolkata.
    kolkata = dict(by_weekday(EVERYTHING, **NOVEMBER, time_zone="Asia/Kolkata"))
    assert (kolkata[0].events, kolkata[6].events) == (3, 0)


def test_an_hour_that_clocks_show_twice_counts_both_times(catalogue: None) -> None:
    twice = [datetime(2026, 10, 25, hour, 30, tzinfo=UTC) for hour in (0, 1)]
    send([event(n, when, input_tokens=1) for n, when in enumerate(twice)])
    hours = dict(
        by_hour_of_day(
            EVERYTHING,
            start=date(2026, 10, 25), end=date(2026, 10, 26), time_zone="Europe/Berlin",
        )
    )  # fmt: skip
    assert hours[2].events == 2
    assert sum(sums.events for sums in hours.values()) == 2


def test_patterns_show_only_what_a_viewer_may_see_and_filters_let_through(calls: None) -> None:
    nobody = Viewer(frozenset())
    assert not any(s.events for _, s in by_weekday(nobody, **NOVEMBER, time_zone="UTC"))
    web = by_hour_of_day(EVERYTHING, **NOVEMBER, time_zone="UTC", filters={"project": ["web"]})
    assert sum(sums.events for _, sums in web) == 2


def test_hours_of_the_week_agree_with_hours_and_weekdays(calls: None) -> None:
    for zone in ("UTC", "Asia/Kolkata"):
        week = by_hour_of_week(hours(zone))
        assert [len(day) for day in week] == [24] * 7
        day_hours = by_hour_of_day(EVERYTHING, **NOVEMBER, time_zone=zone)
        folded = [total_of(day[hour] for day in week) for hour in range(24)]
        assert folded == [sums for _, sums in day_hours]
        weekdays = by_weekday(EVERYTHING, **NOVEMBER, time_zone=zone)
        assert [total_of(day) for day in week] == [sums for _, sums in weekdays]
    # Sunday 18:40 UTC is Monday 00:10 in Kolkata.
    assert week[0][0].events == 1


def test_hours_of_the_week_cost_one_statement_and_come_summed_up(
    calls: None, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(2):
        by_hour_of_week(hours("UTC"))
