from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.backtest import SHAPES, START, back_test, made, together
from usage.forecasting import (
    HISTORY_DAYS,
    Ending,
    Histories,
    Horizon,
    Outlook,
    at_daily_pace,
    chance_above,
    day_above,
    in_the_end,
    look_ahead,
    outlook,
)
from usage.forecasting.histories import tamed
from usage.selectors.forecasts import month_after, this_month

WEEK = [Decimal(n) for n in (10, 20, 30, 40, 50, 5, 1)]
WHOLE = Decimal(156)
AMOUNTS = st.lists(st.decimals(0, 1000, places=2), min_size=14, max_size=90)
ENDS = st.integers(1, 62)


def ahead(costs: list[Decimal], end: int, first: int = 0) -> Outlook:
    found = outlook(costs, end, first=first)
    assert found is not None
    return found


def test_the_same_week_over_and_over_is_expected_to_go_on_exactly() -> None:
    found = ahead(WEEK * 4, 9)
    assert found.days == pytest.approx([float(cost) for cost in [*WEEK, WEEK[0], WEEK[1]]])
    assert found.expected == found.low == found.high == WHOLE + 30
    assert found.error == 0


def test_a_history_that_ends_within_a_week_goes_on_with_the_next_weekday() -> None:
    found = ahead((WEEK * 4)[:-3], 4)
    assert found.days == pytest.approx([50, 5, 1, 10])


def test_days_that_are_skipped_are_not_in_the_sum() -> None:
    assert ahead(WEEK * 3, 10, first=8).expected == 20 + 30
    assert ahead(WEEK * 3, 10, first=7).expected == 10 + 20 + 30


def test_with_less_than_two_weeks_nothing_is_expected() -> None:
    assert outlook(WEEK * 2, 7) is not None
    assert outlook((WEEK * 2)[1:], 7) is None
    assert outlook([], 7) is None


def test_growth_goes_on_for_a_while() -> None:
    grown = [Decimal(100 + 5 * (day // 7)) for day in range(84)]
    # The last week has 7 * 155; the next ones, as they grow by 35 a week, 1,120 and 1,155.
    assert 7 * 155 < ahead(grown, 7).expected <= 1_120
    assert 2 * 7 * 155 < ahead(grown, 14).expected <= 1_120 + 1_155


def test_a_new_level_is_believed_within_three_weeks() -> None:
    doubled = [Decimal(10)] * 150 + [Decimal(20)] * 21
    assert ahead(doubled, 20).expected == pytest.approx(400, rel=Decimal("0.1"))


def test_one_day_that_ran_away_changes_little() -> None:
    history = WEEK * 8
    history[30] = Decimal(10_000)
    found = ahead(history, 7)
    assert found.expected == pytest.approx(WHOLE, rel=Decimal("0.05"))
    assert found.high < 2 * WHOLE


def test_what_is_far_above_all_but_two_days_counts_as_the_highest_of_the_others() -> None:
    days = np.full((1, HISTORY_DAYS), 10.0)
    days[0, -10] = 1_000
    assert tamed(days)[0, -10] == 10
    days[0, -34:-31] = 900
    assert tamed(days)[0, -34] == 900


@settings(max_examples=20, deadline=None)
@given(AMOUNTS, ENDS)
def test_a_band_holds_what_is_expected_and_nothing_is_below_zero(
    costs: list[Decimal], end: int
) -> None:
    found = ahead(costs, end)
    assert 0 <= found.low <= found.expected <= found.high
    assert min(found.days) >= 0
    assert float(found.expected) == pytest.approx(sum(found.days), rel=1e-9, abs=1e-9)
    assert found == ahead(costs, end)


@settings(max_examples=10, deadline=None)
@given(AMOUNTS, ENDS, st.integers(2, 1_000_000))
def test_k_times_the_history_gives_k_times_the_forecast(
    costs: list[Decimal], end: int, k: int
) -> None:
    one, many = ahead(costs, end), ahead([k * cost for cost in costs], end)
    for name in ("expected", "low", "high"):
        assert float(getattr(many, name)) == pytest.approx(k * float(getattr(one, name)), rel=1e-6)
    assert many.error == one.error


def test_many_series_at_once_are_forecast_as_each_alone() -> None:
    rng = np.random.default_rng(3)
    series = [[Decimal(int(n)) for n in rng.integers(0, 90, 20 + 3 * row)] for row in range(60)]
    histories = Histories.empty(len(series))
    for row, costs in enumerate(series):
        histories.put(row, {len(costs) - n: float(cost) for n, cost in enumerate(costs)})
    first, end = np.arange(60) % 3, 3 + np.arange(60) % 40
    found = look_ahead(histories, Horizon(first, end))
    for row in range(0, 60, 7):
        alone = outlook(series[row], int(end[row]), first=int(first[row]))
        assert found[row] == (alone,)


@pytest.mark.parametrize("shape", SHAPES)
def test_bands_hold_and_forecasts_beat_the_run_rate(shape: str) -> None:
    score = together(back_test(made(shape, seed=77, series=20), START, months=5))
    assert 70 <= 100 * np.mean(score.held) <= 90
    assert np.mean(score.missed) < np.mean(score.run_rate_missed)


def test_todays_use_counts_where_it_is_above_what_was_expected() -> None:
    rest = ahead(WEEK * 4, 3)
    # 10 + 20 + 30 are to come, of them 10 today.
    assert in_the_end(Decimal(100), Decimal(4), rest).expected == 100 - 4 + 60
    ending = in_the_end(Decimal(100), Decimal(25), rest)
    assert ending.expected == 100 - 25 + 60 + 15
    assert ending.low == ending.high == ending.expected


def test_a_limit_is_passed_on_the_day_on_which_the_sums_are_above_it() -> None:
    rest, today = ahead(WEEK * 4, 7), this_month(START)[0]
    days = [
        day_above(Decimal(limit), Decimal(100), Decimal(0), rest, today)
        for limit in (105, 110, 129, 131, 256, 99)
    ]
    assert [day and day.day for day in days] == [1, 2, 2, 3, None, None]


def test_the_chance_is_one_in_two_at_what_is_expected_and_one_in_ten_at_the_upper_end() -> None:
    ending = Ending(Decimal(100), Decimal(90), Decimal(140))
    chances = [chance_above(Decimal(limit), ending) for limit in (100, 140, 90, 1000, 0)]
    assert chances == [Decimal("50.00"), Decimal("10.00"), Decimal("90.00"), 0, 100]
    sure = Ending(Decimal(7), Decimal(7), Decimal(7))
    assert [chance_above(Decimal(limit), sure) for limit in (6, 7, 8)] == [100, 0, 0]


def test_the_pace_so_far_is_that_of_the_days_gone_today_included() -> None:
    start, end = this_month(START)
    tenth = START.replace(day=10)
    assert at_daily_pace(Decimal(50), start, end, tenth, []) == 50 + 21 * 5
    ahead_of = month_after(START)
    assert at_daily_pace(Decimal(0), *ahead_of, tenth, [Decimal(2)] * 28) == 2 * 28
    assert at_daily_pace(Decimal(9), start, end, end, []) == 9
