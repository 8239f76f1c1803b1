from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from budgets.watching.rhythm import broken_rhythm

BERLIN = ZoneInfo("Europe/Berlin")
MONDAY = datetime(2026, 11, 16, tzinfo=BERLIN)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def office_hours(until: datetime = MONDAY) -> set[datetime]:
    """Every hour from 9 to before 17 o'clock of four weeks' workdays in Berlin."""
    days = (until - n * DAY for n in range(1, 29))
    workdays = [day for day in days if day.weekday() < 5]
    return {day.replace(hour=hour).astimezone(UTC) for day in workdays for hour in range(9, 17)}


def gap_at(hours: set[datetime], now: datetime) -> int | None:
    return broken_rhythm(hours, max(hours) + timedelta(minutes=50), BERLIN, now.astimezone(UTC))


def test_nights_and_week_ends_are_no_silence_but_the_next_morning_is() -> None:
    hours = office_hours()

    assert gap_at(hours, MONDAY + 9 * HOUR) is None
    # Three of the hours in which it always was heard have passed.
    assert gap_at(hours, MONDAY + 12 * HOUR) is None
    assert gap_at(hours, MONDAY + 13 * HOUR) == 1


def test_one_failure_does_not_hide_the_next_and_two_are_usual() -> None:
    once = office_hours() - {MONDAY - 4 * DAY + hour * HOUR for hour in range(9, 14)}
    twice = once - {MONDAY - 11 * DAY + hour * HOUR for hour in range(9, 14)}

    assert gap_at(once, MONDAY + 13 * HOUR) == 1
    assert gap_at(twice, MONDAY + 16 * HOUR) is None
    # The usual gap is then six hours; 18 are 8 on Monday, 8 on Tuesday and 2 on Wednesday.
    assert gap_at(twice, MONDAY + 2 * DAY + 11 * HOUR) is None
    assert gap_at(twice, MONDAY + 2 * DAY + 12 * HOUR) == 6


def test_nothing_is_said_of_young_sources_and_of_those_given_up() -> None:
    hours = office_hours()
    twelve_days = {hour for hour in hours if hour.astimezone(BERLIN) >= MONDAY - 18 * DAY}
    assert len({hour.astimezone(BERLIN).date() for hour in twelve_days}) == 12

    assert gap_at(twelve_days, MONDAY + 16 * HOUR) is None
    assert gap_at(hours, MONDAY + 10 * DAY) == 1
    assert gap_at(hours, MONDAY + 13 * DAY) is None


def test_what_is_heard_all_the_time_may_be_silent_for_two_hours() -> None:
    hours = {(MONDAY - n * HOUR).astimezone(UTC) for n in range(1, 24 * 28)}

    assert gap_at(hours, MONDAY + 3 * HOUR) is None
    assert gap_at(hours, MONDAY + 4 * HOUR) == 1
