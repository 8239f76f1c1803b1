from decimal import Decimal

import pytest

from usage.forecasting import back_test_error, expected_days, outlook, weighted_median

WEEK = [Decimal(n) for n in (10, 20, 30, 40, 50, 5, 1)]
WHOLE = Decimal(156)


def test_a_weighted_median_has_half_of_the_weight_below_it() -> None:
    values = [Decimal(n) for n in (9, 1, 5)]
    assert weighted_median(values, [1, 1, 1]) == 5
    assert weighted_median(values, [8, 3, 4]) == 9
    assert weighted_median([Decimal(2), Decimal(4)], [1, 1]) == 3


def test_the_same_week_over_and_over_is_expected_to_go_on() -> None:
    assert expected_days(WEEK * 4, 9) == [*WEEK, WEEK[0], WEEK[1]]


def test_a_history_that_ends_within_a_week_goes_on_with_the_next_weekday() -> None:
    assert expected_days((WEEK * 4)[:-3], 4) == [WEEK[4], WEEK[5], WEEK[6], WEEK[0]]


def test_recent_weeks_weigh_more_than_old_ones() -> None:
    grown = [Decimal(n) for n in (1, 2, 3, 4, 5, 6, 7, 8) for _ in range(7)]
    # The weights are 1 to 8, together 36: half of it is passed within the sixth week.
    assert expected_days(grown, 1) == [Decimal(6)]


def test_one_day_that_ran_away_changes_no_expectation() -> None:
    history = WEEK * 8
    history[30] = Decimal(10_000)
    assert expected_days(history, 7) == WEEK


def test_without_deviations_the_band_has_no_width() -> None:
    found = outlook(WEEK * 3, 10)
    assert found.expected == found.low == found.high == WHOLE + 60


def test_days_that_are_skipped_are_not_in_the_sum() -> None:
    assert outlook(WEEK * 3, 10, skip=8).expected == 20 + 30
    assert outlook(WEEK * 3, 10, skip=7).expected == 10 + 20 + 30


def test_the_band_is_made_of_whole_weeks_as_they_deviated() -> None:
    flat, dear, cheap = ([Decimal(n)] * 7 for n in (10, 13, 8))
    found = outlook([*cheap, *cheap, *dear, *dear, *flat, *flat, *flat, *flat], 7)
    # A quarter of the weeks each is 21 above and 14 below the median week of 70.
    assert [found.low, found.expected, found.high] == [56, 70, 91]


def test_equal_histories_give_equal_bands() -> None:
    noisy = [Decimal(n * 7919 % 23) for n in range(60)]
    assert outlook(noisy, 20) == outlook(noisy, 20)
    found = outlook(noisy, 20)
    assert found.low < found.expected < found.high


def test_nothing_is_expected_to_cost_less_than_nothing() -> None:
    history = [Decimal(n) for n in (0, 90) * 28]
    assert outlook(history, 1).low >= 0


def test_the_back_test_tells_by_how_much_forecasts_missed() -> None:
    assert back_test_error(WEEK * 6) == 0
    doubled = WEEK * 5 + [2 * day for day in WEEK]
    # The last week cost twice what was forecast, the three before exactly that.
    assert back_test_error(doubled) == Decimal(50) / 4


def test_too_short_a_history_has_neither_forecast_nor_test() -> None:
    assert back_test_error(WEEK * 2) is None
    assert back_test_error(WEEK * 3) == 0
    with pytest.raises(ValueError, match="14 days"):
        expected_days(WEEK, 1)
