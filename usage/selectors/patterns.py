"""When usage happens: by hour of the day and by day of the week, as clocks of a zone show them."""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from datetime import date, datetime, time
from typing import TypeVar

from usage.selectors.access import Viewer
from usage.selectors.questions import Granularity, UsageQuery, UsageSums
from usage.selectors.sums import total_of
from usage.selectors.usage import query_usage

HOURS, WEEKDAYS = 24, 7
Place = TypeVar("Place")


def by_hour_of_day(
    viewer: Viewer,
    *,
    start: date | datetime,
    end: date | datetime,
    time_zone: str,
    filters: Mapping[str, Collection[str]] | None = None,
    currency: str = "",
) -> list[tuple[int, UsageSums]]:
    """All 24 hours of the day (0 to 23 of `time_zone`) with what was used in each of them.

    `start` is inclusive, `end` exclusive; costs are in `currency`, by default the ledger's. An
    hour that clocks show twice counts both times. Raises QuestionError for a question that makes
    no sense.
    """
    question = _question(viewer, start, end, time_zone, filters, Granularity.HOUR, currency)
    sums = _folded(question, lambda begin: begin.hour)
    return [(hour, total_of(sums[hour])) for hour in range(HOURS)]


def by_weekday(
    viewer: Viewer,
    *,
    start: date | datetime,
    end: date | datetime,
    time_zone: str,
    filters: Mapping[str, Collection[str]] | None = None,
    currency: str = "",
) -> list[tuple[int, UsageSums]]:
    """All seven days of the week (Monday is 0) with what was used on them.

    Days are those of `time_zone`; bounds, costs and errors are as in `by_hour_of_day`.
    """
    question = _question(viewer, start, end, time_zone, filters, Granularity.DAY, currency)
    sums = _folded(question, lambda begin: begin.weekday())
    return [(weekday, total_of(sums[weekday])) for weekday in range(WEEKDAYS)]


def by_hour_of_week(
    viewer: Viewer,
    *,
    start: date | datetime,
    end: date | datetime,
    time_zone: str,
    filters: Mapping[str, Collection[str]] | None = None,
    currency: str = "",
) -> list[list[UsageSums]]:
    """Seven days of the week (Monday first) of 24 hours each with what was used in them.

    It costs one question; bounds, clocks, costs and errors are as in `by_hour_of_day`.
    """
    question = _question(viewer, start, end, time_zone, filters, Granularity.HOUR, currency)
    sums = _folded(question, lambda begin: (begin.weekday(), begin.hour))
    return [[total_of(sums[weekday, hour]) for hour in range(HOURS)] for weekday in range(WEEKDAYS)]


def _question(
    viewer: Viewer,
    start: date | datetime,
    end: date | datetime,
    time_zone: str,
    filters: Mapping[str, Collection[str]] | None,
    granularity: Granularity,
    currency: str,
) -> UsageQuery:
    return UsageQuery(
        viewer=viewer,
        start=start,
        end=end,
        time_zone=time_zone,
        granularity=granularity,
        filters=filters or {},
        currency=currency,
    )


def _folded(
    question: UsageQuery, place_of: Callable[[datetime], Place]
) -> dict[Place, list[UsageSums]]:
    """The periods in which anything was used, by where `place_of` puts their start."""
    sums: dict[Place, list[UsageSums]] = defaultdict(list)
    for row in query_usage(question).rows:
        if row.sums.events or row.sums.cost:
            begin = row.start
            if not isinstance(begin, datetime):
                begin = datetime.combine(begin, time())
            sums[place_of(begin)].append(row.sums)
    return sums
