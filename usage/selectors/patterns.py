"""When usage happens: by hour of the day and by day of the week, as clocks of a zone show them."""

from collections.abc import Collection, Mapping
from datetime import date, datetime

from usage.replica import reading
from usage.rollups.columns import SUM_OF_SUMS
from usage.selectors.access import Viewer
from usage.selectors.questions import Granularity, UsageQuery, UsageSums
from usage.selectors.statements import build
from usage.selectors.sums import total_of
from usage.selectors.usage import plan_usage

HOURS, WEEKDAYS = 24, 7
_HOUR = "extract(hour FROM {clock})::int"
_WEEKDAY = "extract(isodow FROM {clock})::int - 1"


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
    sums = _folded(question, _HOUR)
    return [(hour, sums.get((hour,), _NOTHING)) for hour in range(HOURS)]


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
    sums = _folded(question, _WEEKDAY)
    return [(weekday, sums.get((weekday,), _NOTHING)) for weekday in range(WEEKDAYS)]


def by_hour_of_week(question: UsageQuery) -> list[list[UsageSums]]:
    """Seven days of the week (Monday first) of 24 hours each with what was used in them.

    The question comes in hours, ungrouped; bounds, clocks, costs and errors are as in
    `by_hour_of_day`.
    """
    sums = _folded(question, _WEEKDAY, _HOUR)
    return [[sums.get((day, hour), _NOTHING) for hour in range(HOURS)] for day in range(WEEKDAYS)]


_NOTHING = total_of(())


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


def _folded(question: UsageQuery, *places: str) -> dict[tuple[int, ...], UsageSums]:
    """The sums of the periods in which anything was used, by the places of their starts."""
    plan = plan_usage(question)
    statement, parameters = build(plan)
    clock = "start"
    if not plan.granularity.is_calendar:
        clock = f"start AT TIME ZONE {plan.parameters.add(plan.bounds.zone.key)}"
    columns = ", ".join(place.format(clock=clock) for place in places)
    ordinals = ", ".join(str(position + 1) for position in range(len(places)))
    folded = (
        f"SELECT {columns}, {SUM_OF_SUMS}, sum(total_tokens)::bigint FROM ({statement}) AS period"
        f" WHERE position > 0 AND (events <> 0 OR cost <> 0) GROUP BY {ordinals}"
    )
    with reading().cursor() as cursor:
        cursor.execute(folded, parameters)
        rows = cursor.fetchall()
    return {row[: len(places)]: UsageSums(*row[len(places) :]) for row in rows}
