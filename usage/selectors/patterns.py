"""When usage happens: by hour of the day and by day of the week, as clocks of a zone show them."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from datetime import date, datetime

from usage.selectors.access import Viewer
from usage.selectors.questions import Granularity, UsageQuery, UsageRow, UsageSums
from usage.selectors.sums import total_of
from usage.selectors.usage import query_usage

HOURS, WEEKDAYS = 24, 7


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
    sums: dict[int, list[UsageSums]] = defaultdict(list)
    for row in _rows(question):
        if isinstance(row.start, datetime):
            sums[row.start.hour].append(row.sums)
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
    sums: dict[int, list[UsageSums]] = defaultdict(list)
    for row in _rows(question):
        sums[row.start.weekday()].append(row.sums)
    return [(weekday, total_of(sums[weekday])) for weekday in range(WEEKDAYS)]


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


def _rows(question: UsageQuery) -> Iterator[UsageRow]:
    """The periods in which anything was used: empty ones add nothing."""
    yield from (row for row in query_usage(question).rows if row.sums.events or row.sums.cost)
