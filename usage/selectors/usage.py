"""`query_usage`: every question about usage, answered by one statement."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from usage.replica import held_until, reading
from usage.selectors.currency import DayRates, day_rates, ledger_currency, unrated_day
from usage.selectors.cursors import bad_cursor, fingerprint, pack, read_instant, unpack
from usage.selectors.dimensions import find_dimension
from usage.selectors.filters import ORGANIZATION, read_filters
from usage.selectors.periods import Bounds, bounds_of, check_count, midnight
from usage.selectors.questions import (
    COST_NAMES,
    MAX_GROUPS,
    MAX_ROWS,
    SUM_NAMES,
    Granularity,
    QuestionError,
    UsageAnswer,
    UsageQuery,
    UsageRow,
    UsageSums,
)
from usage.selectors.sources import EVENTS, choose
from usage.selectors.statements import Order, Plan, build

_BIGGEST = Decimal(10) ** 30


def query_usage(query: UsageQuery) -> UsageAnswer:
    """Answer a question in three statements. Raises QuestionError if it makes no sense, or
    if a day with costs has no exchange rate to the currency asked for.

    Values that nobody may see, or that do not exist, match nothing.
    """
    plan = plan_usage(query)
    question = _fingerprint(query, plan.bounds)
    if query.cursor:
        plan.place = _read_place(plan, unpack(query.cursor, question, len(plan.order_columns)))
    everyone = {pk for part in plan.parts for pk in part.organization_ids}
    direct = any(part.source is EVENTS for part in plan.parts)
    fresh = held_until() if direct else query.moment.as_of(everyone)
    statement, parameters = build(plan)
    with reading().cursor() as cursor:
        cursor.execute(statement, parameters)
        totals, *found = cursor.fetchall()
    page = found[: plan.limit]
    last = pack(question, _place_of(plan, page[-1])) if len(found) > plan.limit else None
    rows = [_row(query, plan, columns) for columns in page]
    currency = query.currency or ledger_currency()
    return UsageAnswer(rows, _sums(plan, totals), fresh, last, currency)


def check_usage(query: UsageQuery) -> None:
    """Raise QuestionError if a question makes no sense, without answering it."""
    plan_usage(query)


def plan_usage(query: UsageQuery) -> Plan:
    """What a question's statement is built from. Raises QuestionError as `query_usage` does."""
    bounds = bounds_of(query.start, query.end, query.time_zone)
    check_count(bounds, query.granularity)
    if len(query.group_by) > MAX_GROUPS or len(set(query.group_by)) < len(query.group_by):
        raise QuestionError(
            "group_by", "invalid", f"Group by at most {MAX_GROUPS} names, each of them once."
        )
    group_by = [find_dimension(name, "group_by") for name in query.group_by]
    filters = read_filters(query.filters)
    limit = query.limit or MAX_ROWS
    if not 0 < limit <= MAX_ROWS:
        raise QuestionError("limit", "out_of_range", f"The limit lies between 1 and {MAX_ROWS}.")
    dimensions = [*group_by, *(dimension for dimension, _ in filters)]
    scope = query.moment.scope(query.viewer, query.filters.get(ORGANIZATION))
    rates = day_rates(bounds, query.currency)
    if rates is not None:
        _check_days(query, bounds, rates)
    parts = choose(bounds, query.granularity, dimensions, scope, need_days=rates is not None)
    order = _order(query)
    return Plan(bounds, query.granularity, group_by, filters, parts, order, limit, rates)


def _check_days(query: UsageQuery, bounds: Bounds, rates: DayRates) -> None:
    if rates.since <= bounds.first_day:
        return
    days = UsageQuery(
        viewer=query.viewer,
        start=bounds.start,
        end=min(bounds.end, midnight(rates.since, bounds.zone)),
        time_zone=query.time_zone,
        granularity=Granularity.DAY,
        filters=query.filters,
        moment=query.moment,
    )
    for row in query_usage(days).rows:
        if any(getattr(row.sums, name) for name in COST_NAMES):
            raise unrated_day(query.currency, row.start)


def _order(query: UsageQuery) -> Order:
    name = query.order_by.removeprefix("-") or "start"
    descending = query.order_by.startswith("-")
    if name in query.group_by:
        return Order(f"g{query.group_by.index(name)}", descending)
    if name == "start" or name in SUM_NAMES:
        return Order(name, descending)
    raise QuestionError(
        "order_by",
        "unknown_order",
        f"{name!r} is none of start, {', '.join(SUM_NAMES)} or a name in group_by.",
    )


def _fingerprint(query: UsageQuery, bounds: Bounds) -> str:
    filters = sorted((name, sorted(values)) for name, values in query.filters.items())
    currency = query.currency or ledger_currency()
    periods = (query.time_zone, query.granularity.value)
    asked = (*periods, query.group_by, query.order_by, currency)
    return fingerprint(bounds.start.isoformat(), bounds.end.isoformat(), asked, filters)


def _place_of(plan: Plan, columns: tuple[Any, ...]) -> list[str]:
    names = ["position", "start", *plan.groups, *SUM_NAMES]
    values = dict(zip(names, columns, strict=True))
    place = [values[column] for column in plan.order_columns]
    return [value.isoformat() if isinstance(value, date) else str(value) for value in place]


def _read_place(plan: Plan, texts: list[str]) -> list[object]:
    try:
        return [
            _read_value(plan, column, text)
            for column, text in zip(plan.order_columns, texts, strict=True)
        ]
    except (ValueError, ArithmeticError) as error:
        raise bad_cursor() from error


def _read_value(plan: Plan, column: str, text: str) -> object:
    if column in SUM_NAMES:
        number = Decimal(text)
        if not (number.is_finite() and abs(number) < _BIGGEST):
            raise bad_cursor()
        return number
    if column != "start":
        return text
    if plan.granularity.is_calendar:
        return date.fromisoformat(text)
    return read_instant(text)


def _row(query: UsageQuery, plan: Plan, columns: tuple[Any, ...]) -> UsageRow:
    _, start, *values = columns
    if query.granularity is Granularity.TOTAL:
        start = query.start
    elif isinstance(start, datetime):
        start = start.astimezone(plan.bounds.zone)
    group = dict(zip(query.group_by, (value or None for value in values), strict=False))
    return UsageRow(start, group, _sums(plan, columns))


def _sums(plan: Plan, columns: tuple[Any, ...]) -> UsageSums:
    return UsageSums(*columns[2 + len(plan.group_by) :])


def sums_as_json(sums: UsageSums) -> dict[str, int | str]:
    """Sums as the interface shows them: money as decimal strings."""
    return {
        name: f"{getattr(sums, name):f}" if name in COST_NAMES else getattr(sums, name)
        for name in SUM_NAMES
    }
