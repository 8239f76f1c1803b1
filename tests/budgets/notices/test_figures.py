from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from budgets.models import Budget, BudgetWindow
from budgets.notices.advising import advice_lines, rate_text
from budgets.notices.figures import Figures, figures_of
from budgets.selectors.pace import Pace, pace_of
from budgets.selectors.standings import BudgetState
from budgets.spans import Span
from tests.config.site_data import at
from usage.formats import dated
from usage.models import Organization

BERLIN = ZoneInfo("Europe/Berlin")
NOVEMBER = Span(datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC))


def figures(used: str, limit: str | None, pace: Pace | None, **said: Any) -> Figures:
    row = Budget(limit=None, **said)
    allowed = None if limit is None else Decimal(limit)
    state = BudgetState(
        row, NOVEMBER.start.date(), NOVEMBER.end and NOVEMBER.end.date(), allowed, Decimal(used), 0,
        timedelta(days=12),
    )  # fmt: skip
    return Figures(state, NOVEMBER, ZoneInfo("UTC"), at(18), pace)


def test_the_projected_total_is_what_is_used_plus_the_rate_times_the_days_left() -> None:
    found = figures("160", "200", Pace(24, 12, Decimal("6.67"), is_hourly=False))
    assert found.projected == Decimal("240.04")
    assert found.excess == Decimal("40.04")
    # Of the 80.04 that 12 such days take, 40 are left: 49.98 % of it, so 50.02 % are too much.
    assert found.cut == 51
    assert advice_lines(found, None, [])[0] == (
        "Use 51 % less from now on, $3.33 a day in place of $6.67 a day, and what is left lasts"
        " until the end."
    )


def test_nothing_is_to_be_cut_where_the_rest_fits_or_where_nothing_is_left() -> None:
    slow = Pace(18, 12, Decimal(1), is_hourly=False)
    assert figures("18", "30", slow).cut is None
    assert figures("18", "30", slow).excess == 0
    assert figures("30", "30", slow).cut is None
    assert figures("18", None, slow).excess is None
    assert advice_lines(figures("18", "30", slow), None, []) == []


def test_at_the_limit_it_says_what_ends_it() -> None:
    pace = Pace(18, 12, Decimal(2), is_hourly=False)
    assert advice_lines(figures("36", "30", pace, enforcement="hard"), None, []) == [
        "Raise the limit if calls cannot wait until 1 Dec 2026 00:00 (UTC)."
    ]
    assert advice_lines(figures("36", "30", pace), None, []) == [
        "Let wait until 1 Dec 2026 00:00 (UTC) what can, or raise the limit."
    ]


def test_few_requests_a_day_are_not_rounded_away() -> None:
    few = Pace(3, 4, Decimal(10) / 3, is_hourly=False)
    assert rate_text(figures("10", "20", few, measure="requests")) == "3.33 requests a day"
    whole = Pace(2, 5, Decimal(5), is_hourly=False)
    assert rate_text(figures("10", "20", whole, measure="requests")) == "5 requests a day"
    assert rate_text(figures("10", "20", None)) == ""


@pytest.mark.parametrize("hour", [0, 11, 12, 22])
@pytest.mark.parametrize("minute", [0, 30])
def test_days_or_hours_gone_and_left_are_all_there_are(hour: int, minute: int) -> None:
    now = at(18, hour, minute)
    month = pace_of(Decimal(9), NOVEMBER, ZoneInfo("UTC"), now)
    day = pace_of(Decimal(9), Span(at(18, 0), at(19, 0)), ZoneInfo("UTC"), now)
    assert month is not None
    assert (month.gone, month.left) == (18, 12)
    assert day is not None
    assert (day.gone, day.left) == (hour + 1, 23 - hour)
    # The day on which Berlin's clocks go back has 25 hours.
    long = Span(datetime(2026, 10, 24, 22, tzinfo=UTC), datetime(2026, 10, 25, 23, tzinfo=UTC))
    found = pace_of(Decimal(9), long, BERLIN, long.start + timedelta(hours=hour, minutes=minute))
    assert found is not None
    assert found.gone + found.left == 25


def test_periods_are_named_by_their_days_in_their_own_zone() -> None:
    owner = Organization(slug="acme", time_zone="Europe/Berlin")
    row = Budget(organization=owner, period="total")
    start = datetime(2026, 10, 31, 23, tzinfo=UTC)
    ends = {datetime(2026, 11, 30, 23, tzinfo=UTC): dated(at(1).date(), at(30).date()),
            datetime(2026, 11, 1, 23, tzinfo=UTC): "1 Nov 2026",
            None: "All time since 1 Nov 2026"}  # fmt: skip
    for end, text in ends.items():
        found = figures_of(row, BudgetWindow(budget=row, start=start, end=end), "", at(18))
        assert found.period_text == text
    always = BudgetWindow(budget=row, start=datetime(1970, 1, 1, tzinfo=UTC))
    assert figures_of(row, always, "", at(18)).period_text == "All time"
