"""What many parts of usage came to day by day: a statement for each set of parts they name."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from django.db.models import Sum

from usage.forecasting import HISTORY_DAYS, Histories
from usage.models import MonthlyRollup
from usage.replica import reading
from usage.selectors.live import MEMBERS, WORDS
from usage.selectors.periods import find_zone, midnight

_NAMES = ("organization", *MEMBERS, *WORDS)
_VALUES = {
    "cost": "r.cost",
    "tokens": "r.input_tokens + r.output_tokens",
    "requests": "r.events",
}
_AT_ONCE = 2_000
_HOURLY_DAYS = 56

_BY_DAYS = """
    SELECT w.n, w.today - r.day AS ago, sum({value})::float8 AS value
    FROM unnest(%(n)s::int[], %(today)s::date[]{arrays}) AS w (n, today{columns})
    JOIN usage_dailyrollup r ON r.day <= w.today AND r.day >= w.today - %(days)s::int {join}
    WHERE r.day >= %(first)s GROUP BY 1, 2
"""
_LATER = """
    SELECT w.n, w.today - at.local::date AS ago,
           coalesce(sum({value}) FILTER (WHERE at.local::time >= w.clock), 0)::float8 AS value
    FROM unnest(%(n)s::int[], %(today)s::date[], %(clock)s::time[], %(zone)s::text[],
                %(midnight)s::timestamptz[]{arrays})
        AS w (n, today, clock, zone, midnight{columns})
    JOIN usage_usagerollup r ON r.bucket < w.midnight
        AND r.bucket >= w.midnight - %(days)s * interval '1 day' {join}
    CROSS JOIN LATERAL (SELECT r.bucket AT TIME ZONE w.zone AS local) AS at
    WHERE r.bucket >= %(first)s GROUP BY 1, 2
"""


class DaySeries(NamedTuple):
    """Usage by day, as of a moment of the day `today` of an IANA zone.

    `parts` are ids of organization, project, team, subject and api_key, and words: provider,
    model, action and agent_type, in this order; None is any. Days are those of the organization
    that usage belongs to. `measure` is cost (in the ledger currency), tokens or requests.
    """

    parts: tuple[int | str | None, ...]
    measure: str
    today: date
    zone: str


class Known(NamedTuple):
    """What is known of series: their past days, and what today has come to so far."""

    histories: Histories
    today: list[float]


def parts_of(**named: int | str | None) -> tuple[int | str | None, ...]:
    """The parts of a series, by name."""
    return tuple(named.get(name) for name in _NAMES)


def read_days(series: Sequence[DaySeries]) -> Known:
    """The days of each of `series`, as far as they are rolled up."""
    known = Known(Histories.empty(len(series)), [0.0] * len(series))
    for row, sums in _read(series, _BY_DAYS, HISTORY_DAYS, None):
        known.today[row] = sums.pop(0, 0.0)
        known.histories.put(row, _from_first_use(sums))
    return known


def read_rests_of_days(series: Sequence[DaySeries], now: datetime) -> Histories:
    """What each of `series` came to on past days from the present time of the day on."""
    histories = Histories.empty(len(series))
    for row, sums in _read(series, _LATER, _HOURLY_DAYS, now):
        histories.put(row, sums)
    return histories


def month_costs(by: str, months: Collection[date]) -> dict[tuple[int, date], Decimal]:
    """What calendar months, named by their first days, cost so far by `by`, organization or
    project: in the ledger currency, by id and month, as far as it is rolled up."""
    rows = MonthlyRollup.objects.filter(month__in=months, **{f"{by}__isnull": False})
    summed = rows.order_by().values_list(by, "month").annotate(Sum("cost"))
    return {(owner, month): cost for owner, month, cost in summed}


def _from_first_use(sums: dict[int, float]) -> dict[int, float]:
    first = max((ago for ago, value in sums.items() if value), default=0)
    return {ago: value for ago, value in sums.items() if ago <= first}


def _read(
    series: Sequence[DaySeries], statement: str, days: int, now: datetime | None
) -> Iterator[tuple[int, dict[int, float]]]:
    """The sums of each row by how many days ago they were; equal series are read once."""
    rows: dict[DaySeries, list[int]] = defaultdict(list)
    for row, one in enumerate(series):
        rows[one].append(row)
    alike: dict[tuple[tuple[str, ...], str], list[DaySeries]] = defaultdict(list)
    for one in rows:
        alike[_named(one), one.measure].append(one)
    for (names, measure), group in alike.items():
        for number, sums in _ask(statement, names, measure, group, days, now):
            for row in rows[group[number]]:
                yield row, dict(sums)


def _named(one: DaySeries) -> tuple[str, ...]:
    return tuple(name for name, part in zip(_NAMES, one.parts, strict=True) if part is not None)


def _ask(
    statement: str,
    names: tuple[str, ...],
    measure: str,
    group: Sequence[DaySeries],
    days: int,
    now: datetime | None,
) -> Iterator[tuple[int, dict[int, float]]]:
    """The number within the group and the sums of each series that has any."""
    arrays, columns, join = _by_parts(names)
    inner = statement.format(value=_VALUES[measure], arrays=arrays, columns=columns, join=join)
    found = f"SELECT n, array_agg(ago), array_agg(value) FROM ({inner}) AS by_day GROUP BY n"
    with reading().cursor() as cursor:
        cursor.execute(found, _parameters(names, group, days, now))
        while part := cursor.fetchmany(_AT_ONCE):
            for number, ago, values in part:
                yield number, dict(zip(ago, values, strict=True))


def _by_parts(names: Iterable[str]) -> tuple[str, str, str]:
    """How the parts of series are given, called, and found in usage."""
    arrays = columns = kinds = join = ""
    for name in names:
        is_word = name in WORDS
        arrays += f", %({name})s::{'text' if is_word else 'bigint'}[]"
        columns += f", {name}"
        if is_word:
            kinds += f" AND k.{name} = w.{name}"
        else:
            join += f" AND r.{name}_id = w.{name}"
    if kinds:
        join += f" JOIN usage_callkind k ON k.id = r.kind_id{kinds}"
    return arrays, columns, join


def _parameters(
    names: Sequence[str], group: Sequence[DaySeries], days: int, now: datetime | None
) -> dict[str, Any]:
    first = min(one.today for one in group) - timedelta(days=days)
    given: dict[str, Any] = {
        "n": list(range(len(group))),
        "today": [one.today for one in group],
        "days": days,
        "first": first,
        **{name: [one.parts[_NAMES.index(name)] for one in group] for name in names},
    }
    if now is not None:
        zones = [find_zone(one.zone) for one in group]
        midnights = [midnight(one.today, zone) for one, zone in zip(group, zones, strict=True)]
        given["first"] = min(midnights) - timedelta(days=days)
        given["midnight"] = midnights
        given["zone"] = [one.zone for one in group]
        given["clock"] = [now.astimezone(zone).time() for zone in zones]
    return given
