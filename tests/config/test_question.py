from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from config.dashboards.parsing import read_question
from usage.selectors.access import EVERYTHING

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 22, 9, 40, tzinfo=UTC)


def test_today_is_compared_with_yesterday_up_to_the_same_quarter_of_an_hour() -> None:
    question = read_question({"range": "today", "tz": "Europe/Berlin"}, NOW, EVERYTHING)

    berlin = ZoneInfo("Europe/Berlin")
    assert question.is_today
    assert question.before == (
        datetime(2026, 11, 21, tzinfo=berlin),
        datetime(2026, 11, 21, 10, 30, tzinfo=berlin),
    )


def test_just_after_midnight_a_quarter_of_an_hour_is_compared() -> None:
    question = read_question({"range": "today"}, NOW.replace(hour=0, minute=3), EVERYTHING)

    assert question.before == (
        datetime(2026, 11, 21, tzinfo=UTC),
        datetime(2026, 11, 21, 0, 15, tzinfo=UTC),
    )


def test_other_ranges_are_compared_with_as_many_whole_days_before() -> None:
    question = read_question({"range": "7d"}, NOW, EVERYTHING)

    assert question.before == (date(2026, 11, 9), date(2026, 11, 16))
