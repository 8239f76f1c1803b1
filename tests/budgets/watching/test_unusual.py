import numpy as np

from budgets.watching.unusual import Hours, Stretch, unusual_stretch

DAYS = 58
TODAY = DAYS - 1


def office_hours(spend: float = 10) -> Hours:
    """The same from 9 to before 17 o'clock of days that end with a Monday; nothing at week-ends."""
    hours = np.zeros((DAYS, 24))
    hours[:, 9:17] = spend
    hours[[day for day in range(DAYS) if (day - TODAY) % 7 in (5, 6)]] = 0
    return hours


def test_more_than_usual_is_found_where_it_is_most() -> None:
    hours = office_hours()
    hours[TODAY, 2:4] = 100

    # By 4 o'clock nothing is usual; later the 200 are still all that is more than usual.
    assert unusual_stretch(hours, TODAY, 4, 50) == Stretch(1, 4)
    assert unusual_stretch(hours, TODAY, 24, 50) is not None
    assert unusual_stretch(hours, TODAY, 24, 201) is None
    assert unusual_stretch(hours, TODAY - 7, 24, 50) is None


def test_what_was_in_the_night_is_still_found_at_the_end_of_the_day() -> None:
    hours = office_hours()
    hours[TODAY, 2] = 40
    hours[TODAY, 9:17] = 0

    # 40 of a usual 80: of the whole day that is too little, of the night it is not.
    assert unusual_stretch(hours, TODAY, 24, 35) == Stretch(0, 3)


def test_a_high_day_among_the_past_counts_as_usual_only_when_there_were_two() -> None:
    hours = office_hours()
    hours[TODAY] = 0
    hours[TODAY, 10] = 300
    hours[TODAY - 20, 10] = 400
    assert unusual_stretch(hours, TODAY, 24, 50) is not None

    hours[TODAY - 30, 10] = 400
    assert unusual_stretch(hours, TODAY, 24, 50) is None


def test_what_began_lately_has_no_usual() -> None:
    hours = np.zeros((DAYS, 24))
    hours[TODAY - 27, 0] = 1
    hours[TODAY, 2] = 1000
    assert unusual_stretch(hours, TODAY, 24, 10) is None

    hours[TODAY - 28, 0] = 1
    assert unusual_stretch(hours, TODAY, 24, 10) == Stretch(0, 3)


def test_noise_is_unusual_about_once_in_a_thousand_days() -> None:
    chance = np.random.default_rng(7)
    found = 0
    for _ in range(400):
        calls = chance.poisson(0.5, (DAYS + 4, 24))
        hours = chance.lognormal(0, 0.7, calls.shape) * calls
        found += sum(
            unusual_stretch(hours, day, 24, 1) is not None for day in range(DAYS - 1, DAYS + 4)
        )

    assert found <= 4
