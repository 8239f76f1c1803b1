"""A planned question → one SQL statement with parameters.

Everything spelled into the SQL comes from the declared dimensions, sources and sums;
whatever a caller sent travels as a parameter.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from usage.models.rollups import Sums
from usage.rollups.columns import SUM_LIST, SUM_OF_EVENTS, SUM_OF_SUMS, SUMS
from usage.selectors.currency import DayRates
from usage.selectors.dimensions import Dimension
from usage.selectors.filters import Filter, Parameters, condition
from usage.selectors.periods import Bounds, days_between
from usage.selectors.questions import SUM_NAMES, Granularity
from usage.selectors.sources import BUCKETS, EVENTS, Part, Source

_ZEROED = ", ".join(
    [f"coalesce({name}, 0) AS {name}" for name in Sums.COUNTS]
    + [f"coalesce({name}, 0)::numeric(38, 10) AS {name}" for name in Sums.COSTS]
    + ["coalesce(input_tokens + output_tokens, 0) AS total_tokens"]
)
_ALL_SUMS = ", ".join(SUM_NAMES)
_LOCAL_DAY = {
    Granularity.TOTAL: "'epoch'::date",
    Granularity.DAY: "{day}",
    Granularity.WEEK: "date_trunc('week', {day}::timestamp)::date",
    Granularity.MONTH: "date_trunc('month', {day}::timestamp)::date",
}


@dataclass(frozen=True, slots=True)
class Order:
    """The column rows come by first."""

    column: str
    descending: bool


@dataclass(slots=True)
class Plan:
    """All that a statement is built from. `place` holds the order columns of the last row seen.

    With `rates` costs are converted day by day, exactly, and rounded (half up) in each sum shown.
    """

    bounds: Bounds
    granularity: Granularity
    group_by: Sequence[Dimension]
    filters: Sequence[Filter]
    parts: Sequence[Part]
    order: Order
    limit: int
    rates: DayRates | None = None
    place: Sequence[object] = ()
    parameters: Parameters = field(default_factory=Parameters)

    @property
    def groups(self) -> list[str]:
        """The columns that hold the values grouped by."""
        return [f"g{position}" for position in range(len(self.group_by))]

    @property
    def order_columns(self) -> list[str]:
        """The columns that place a row, the leading one first; together they are unique."""
        columns = ["start", *self.groups]
        leading = self.order.column
        return [leading, *(column for column in columns if column != leading)]


def build(plan: Plan) -> tuple[str, Mapping[str, Any]]:
    """The statement and its parameters.

    Its first row has the totals (position 0), then come at most `limit` + 1 rows:
    position, start, one column a group, then the sums in the order of SUM_NAMES.
    """
    groups = "".join(f", {name}" for name in plan.groups)
    nulls = ", NULL" * len(plan.groups)
    ordering = ", ".join(
        f"{column} DESC" if column == plan.order.column and plan.order.descending else column
        for column in plan.order_columns
    )
    limit = plan.parameters.add(plan.limit + 1)
    statement = f"""
    WITH {_rates(plan)}part AS ({_parts(plan)}),
    grouped AS ({_grouped(plan)}),
    total AS (SELECT {_ZEROED} FROM (SELECT {SUM_OF_SUMS} FROM grouped) AS summed),
    line AS ({_lines(plan)}),
    page AS (
        SELECT row_number() OVER (ORDER BY {ordering}) AS position, start{groups}, {_ALL_SUMS}
        FROM line WHERE {_after(plan)} ORDER BY {ordering} LIMIT {limit}
    )
    SELECT 0 AS position, NULL AS start{nulls}, {_ALL_SUMS} FROM total
    UNION ALL SELECT position, start{groups}, {_ALL_SUMS} FROM page
    ORDER BY position
    """
    return statement, plan.parameters.values


def _parts(plan: Plan) -> str:
    """The sums of all parts by ids. They are grouped together: grouping each of a dozen by itself
    takes longer to plan than to do."""
    rows = " UNION ALL ".join(_rows(plan, part) for part in plan.parts)
    names = ", ".join(_key_columns(plan))
    return f"SELECT {names}, {SUM_OF_SUMS} FROM ({rows}) AS row GROUP BY {names}"


def _key_columns(plan: Plan) -> list[str]:
    tags = [f"tag{position}" for position, each in enumerate(plan.group_by) if each.tag]
    return ["start", *tags, *_plain_columns(plan)]


def _rows(plan: Plan, part: Part) -> str:
    source = part.source
    columns = [f"{_period(plan, part)} AS start"]
    columns += [
        f"r.tags ->> {plan.parameters.add(dimension.tag)} AS tag{position}"
        for position, dimension in enumerate(plan.group_by)
        if dimension.tag
    ]
    columns += [f"r.{column}" for column in _plain_columns(plan)]
    conditions = [
        source.only,
        f"r.organization_id = ANY({plan.parameters.add(part.organization_ids)}::int[])",
        *_within(plan, part),
        *(condition(plan.parameters, part.organization_ids, f) for f in plan.filters),
    ]
    selected = (
        f"SELECT {', '.join(columns)}, {_sums(plan, source)} FROM {source.table} r"
        f"{_rate_of_day(plan, part)} WHERE {' AND '.join(conditions)}"
    )
    if source is not EVENTS:
        return selected
    ordinals = ", ".join(str(position + 1) for position in range(len(columns)))
    return f"{selected} GROUP BY {ordinals}"


def _rates(plan: Plan) -> str:
    if plan.rates is None:
        return ""
    days, rates = plan.parameters.add(plan.rates.days), plan.parameters.add(plan.rates.rates)
    return f"rate AS (SELECT * FROM unnest({days}::date[], {rates}::numeric[]) AS of (day, rate)),"


def _rate_of_day(plan: Plan, part: Part) -> str:
    return "" if plan.rates is None else f" LEFT JOIN rate ON rate.day = {_day(plan, part)}"


def _sums(plan: Plan, source: Source) -> str:
    sums = SUM_OF_EVENTS if source is EVENTS else SUM_LIST
    if plan.rates is None:
        return sums
    if source is not EVENTS:
        costs = [f"{name} * rate.rate AS {name}" for name in Sums.COSTS]
        return ", ".join([*Sums.COUNTS, *costs])
    for name in Sums.COSTS:
        sums = sums.replace(f"sum({name})", f"sum({name} * rate.rate)")
    return sums


def _plain_columns(plan: Plan) -> list[str]:
    return list(dict.fromkeys(d.column for d in plan.group_by if not d.tag))


def _within(plan: Plan, part: Part) -> list[str]:
    column, bounds = f"r.{part.source.when}", part.bounds
    if part.pieces:
        return [f"{column} = ANY({_whens(plan, part)})"]
    if part.source.calendar:
        first, last = (plan.parameters.add(day) for day in (bounds.first_day, bounds.last_day))
        return [f"{column} >= {first}", f"{column} <= {last}"]
    first, end = (plan.parameters.add(at) for at in (bounds.start, bounds.end))
    return [f"{column} >= {first}", f"{column} < {end}"]


def _whens(plan: Plan, part: Part) -> str:
    """The times of the rows that fill the pieces of a part, as an array."""
    if part.source.calendar:
        days = [day for piece in part.pieces for day in days_between(piece, Granularity.DAY)]
        return f"{plan.parameters.add(days)}::date[]"
    starts = plan.parameters.add([piece.start for piece in part.pieces])
    ends = plan.parameters.add([piece.end for piece in part.pieces])
    length = "15 minutes" if part.source is BUCKETS else "1 hour"
    return (
        "ARRAY(SELECT at FROM"
        f" unnest({starts}::timestamptz[], {ends}::timestamptz[]) AS piece (first, after),"
        f" generate_series(first, after - interval '{length}', interval '{length}') AS at)"
    )


def _period(plan: Plan, part: Part) -> str:
    source = part.source
    if plan.granularity.is_calendar:
        return _LOCAL_DAY[plan.granularity].format(day=_day(plan, part))
    if plan.granularity is Granularity.HOUR:
        return _hour(plan, f"r.{source.when}")
    return "r.bucket" if source is BUCKETS else f"date_bin('15 minutes', r.{source.when}, 'epoch')"


def _day(plan: Plan, part: Part) -> str:
    """The local day that a row lies in, of a day of another zone the one its noon lies in."""
    when, zone = f"r.{part.source.when}", plan.bounds.zone.key
    if part.source.calendar:
        if part.bounds.zone.key == zone:
            return when
        when = f"(({when} + time '12:00') AT TIME ZONE {plan.parameters.add(part.bounds.zone.key)})"
    return f"({when} AT TIME ZONE {plan.parameters.add(zone)})::date"


def _hour(plan: Plan, instant: str) -> str:
    return f"date_trunc('hour', {instant}, {plan.parameters.add(plan.bounds.zone.key)})"


def _grouped(plan: Plan) -> str:
    values, joins = ["start"], {}
    for position, dimension in enumerate(plan.group_by):
        if dimension.table:
            alias = f"named_{dimension.column}"
            joins[alias] = (
                f"LEFT JOIN {dimension.table} {alias} ON {alias}.id = part.{dimension.column}"
            )
            value = f"{alias}.{dimension.value}"
        else:
            value = f"part.tag{position}" if dimension.tag else f"part.{dimension.column}"
        # Ordered by bytes, so that a cursor means the same whatever the database's locale.
        values.append(f"coalesce({value}, '') COLLATE \"C\" AS g{position}")
    ordinals = ", ".join(str(position + 1) for position in range(len(values)))
    return (
        f"SELECT {', '.join(values)}, {SUM_OF_SUMS} FROM part {' '.join(joins.values())}"
        f" GROUP BY {ordinals}"
    )


def _lines(plan: Plan) -> str:
    if plan.group_by:
        groups = "".join(f", {name}" for name in plan.groups)
        return f"SELECT start{groups}, {_ZEROED} FROM grouped"
    return (
        f"SELECT start, {_ZEROED} FROM ({_periods(plan)}) AS period"
        f" LEFT JOIN (SELECT start, {SUM_LIST} FROM grouped) AS known USING (start)"
    )


def _periods(plan: Plan) -> str:
    if plan.granularity is Granularity.TOTAL:
        return "SELECT 'epoch'::date AS start"
    if plan.granularity.is_calendar:
        days = plan.parameters.add(days_between(plan.bounds, plan.granularity))
        return f"SELECT unnest({days}::date[]) AS start"
    first, end = plan.parameters.add(plan.bounds.start), plan.parameters.add(plan.bounds.end)
    buckets = (
        f"generate_series(date_bin('15 minutes', {first}, 'epoch'),"
        f" {end}::timestamptz - interval '1 microsecond', interval '15 minutes') AS bucket"
    )
    period = _hour(plan, "bucket") if plan.granularity is Granularity.HOUR else "bucket"
    return f"SELECT DISTINCT {period} AS start FROM {buckets}"


def _after(plan: Plan) -> str:
    if not plan.place:
        return "true"
    leading, *rest = [
        f"{plan.parameters.add(value)}{_cast(plan, column)}"
        for column, value in zip(plan.order_columns, plan.place, strict=True)
    ]
    column, *columns = plan.order_columns
    beyond = f"{column} {'<' if plan.order.descending else '>'} {leading}"
    if not rest:
        return beyond
    return f"({beyond} OR ({column} = {leading} AND ({', '.join(columns)}) > ({', '.join(rest)})))"


def _cast(plan: Plan, column: str) -> str:
    if column == "start":
        return "::date" if plan.granularity.is_calendar else "::timestamptz"
    if column in SUMS or column == "total_tokens":
        return "::numeric"
    return "::text"
