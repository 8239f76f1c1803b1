"""Today, this week and this month, each beside the same part of the period before."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from config.dashboards.question import Question
from config.dashboards.reading import Reading, unless_unrated
from usage.formats import days
from usage.selectors.frames import months_before
from usage.selectors.periods import first_of_period
from usage.selectors.questions import Granularity, UsageSums
from usage.selectors.sums import total_of


@dataclass(frozen=True, slots=True)
class PresentPeriod:
    """What a period has used so far, and what the one before had used by the same time.

    `first` is its first day; `against` says in words which part of the period before that is.
    """

    label: str
    first: date
    now: UsageSums
    before: UsageSums
    against: str


def read_periods(reading: Reading) -> list[PresentPeriod]:
    """The present day, week and month under the question's filters, whatever its range.

    Whole days come from one answer; the day on which the period before is cut off counts up to
    the same quarter of an hour as now. Empty where a day has no exchange rate.
    """
    return unless_unrated(lambda: _read(reading)) or []


def _read(reading: Reading) -> list[PresentPeriod]:
    question = reading.question
    today = question.today
    monday, first = first_of_period(today, Granularity.WEEK), today.replace(day=1)
    spans = (
        ("Today", today, today - timedelta(days=1)),
        ("Week", monday, monday - timedelta(days=7)),
        ("Month", first, months_before(first, 1)),
    )
    tomorrow = today + timedelta(days=1)
    answer = reading.between(min(before for *_, before in spans), tomorrow, Granularity.DAY)
    by_day = {row.start: row.sums for row in answer.rows}
    found = []
    for label, start, before in spans:
        # The month before may be too short to have this day at all: then it counts in full.
        cut = min(before + (today - start), start)
        sums = _days(by_day, before, cut)
        if cut < start:
            sums.append(reading.between(*question.until_now(cut)).totals)
        against = _against(question, before, cut, start)
        now = total_of(_days(by_day, start, tomorrow))
        found.append(PresentPeriod(label, start, now, total_of(sums), against))
    return found


def _days(by_day: Mapping[date, UsageSums], start: date, end: date) -> list[UsageSums]:
    return [by_day[start + timedelta(days=n)] for n in range((end - start).days)]


def _against(question: Question, before: date, cut: date, start: date) -> str:
    if cut == start:
        return days(before, start - timedelta(days=1))
    return f"{days(before, cut)} until {question.until_now(cut)[1]:%H:%M}"
