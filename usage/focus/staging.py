"""Adding up charges in PostgreSQL, so that memory does not grow with events or their variety."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import count
from typing import Any, NamedTuple

from django.db import connection

from pricing.compiled import EXACT
from pricing.meters import Quantity
from usage.focus.listing import ListPrice
from usage.focus.splitting import Basis, EventRow, Part, Split, Splitter, Words
from usage.models import UsageEvent
from usage.rerating.copying import copy_rows

EVENTS_AT_ONCE = 5_000
SUMS_AT_ONCE = 20_000
GROUPS_AT_ONCE = 2_000

_numbers = count()
_KEYS = {
    "day": "date",
    "project_id": "bigint",
    "team_id": "bigint",
    "provider": "text",
    "model": "text",
    "service_tier": "text",
    "billing_scope": "text",
    "tags": "text",
    "basis": "text",
    "version_id": "bigint",
    "exchange_rate": "numeric",
    "meter": "text",
    "unit_price": "numeric",
    "per": "bigint",
    "currency": "text",
    "list_price": "numeric",
    "list_price_priced": "numeric",
}
_SUMS = {"quantity": "numeric", "cost": "numeric", "calls": "bigint"}
_COLUMNS = (*_KEYS, *_SUMS)
_COLLATED = {"text": 'text COLLATE "C"'}
# Through an index; the margin is for zones where midnight comes twice in a night.
NEAR_DAYS = """
    e.organization_id = %(organization)s
    AND e.occurred_at >= (%(first)s::timestamp AT TIME ZONE %(zone)s) - interval '3 hours'
    AND e.occurred_at < (%(end)s::timestamp AT TIME ZONE %(zone)s) + interval '3 hours'
"""
# A day is that of the bucket an event is summed in, as in the rollups.
_EVENTS = f"""
    SELECT * FROM (
        SELECT (date_bin('15 minutes', e.occurred_at, 'epoch') AT TIME ZONE %(zone)s)::date AS day,
               e.state, e.project_id, e.team_id, e.kind_id, e.price_version_id, e.exchange_rate,
               e.cost, (extract(epoch FROM e.occurred_at) * 1000000)::bigint, e.input_tokens,
               e.output_tokens, e.cache_read_tokens, e.cache_write_tokens, e.cache_write_1h_tokens,
               e.reasoning_tokens, e.meters, e.tags, e.reported_cost, e.reported_currency
        FROM usage_usageevent e
        WHERE {NEAR_DAYS} AND e.cost IS NOT NULL
          AND e.state IN ({UsageEvent.State.COUNTED.value}, {UsageEvent.State.ADJUSTMENT.value})
    ) AS event WHERE day >= %(first)s AND day < %(end)s
"""


class Days(NamedTuple):
    """Days of an organization in its time zone, `first` inclusive, `end` exclusive."""

    organization_id: int
    time_zone: str
    first: date
    end: date

    def as_parameters(self) -> dict[str, Any]:
        """What statements about events of these days are given."""
        return {
            "organization": self.organization_id,
            "zone": self.time_zone,
            "first": self.first,
            "end": self.end,
        }


@dataclass(frozen=True, slots=True)
class Group:
    """Calls of one day that were charged the same way; `cost` is in the ledger currency.

    `quantity` is what the unit price is multiplied with, before it is divided by `part.per`.
    """

    day: date
    project_id: int | None
    team_id: int | None
    words: Words
    tags: str | None
    part: Part
    quantity: Decimal
    cost: Decimal
    calls: int


@contextmanager
def temporary_table(columns: dict[str, str]) -> Iterator[str]:
    """The name of a new table of this transaction, which ends at the latest with it."""
    name = f"usage_focus_{next(_numbers)}"
    described = ", ".join(
        f"{column} {_COLLATED.get(kind, kind)}" for column, kind in columns.items()
    )
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMPORARY TABLE {name} ({described}) ON COMMIT DROP")
        yield name
        cursor.execute(f"DROP TABLE {name}")


def grouped_charges(days: Days, splitter: Splitter) -> Iterator[Sequence[Group]]:
    """The charges of all priced events of `days`, added up, some at a time, by day.

    Runs in a transaction, and sees what was stored when it began to read.
    """
    with ExitStack() as stack:
        # Most months of most organizations have nothing to add up.
        table = _fill(days, splitter, lambda: stack.enter_context(temporary_table(_KEYS | _SUMS)))
        if table is None:
            return
        keys = ", ".join(_KEYS)
        sums = ", ".join(f"sum({name})" for name in _SUMS)
        with connection.chunked_cursor() as cursor:
            cursor.execute(f"SELECT {keys}, {sums} FROM {table} GROUP BY {keys} ORDER BY {keys}")
            while rows := cursor.fetchmany(GROUPS_AT_ONCE):
                yield [_group(row) for row in rows]


def _fill(days: Days, splitter: Splitter, make_table: Callable[[], str]) -> str | None:
    """Put the charges of `days` into a table; None, and no table, when there are none."""
    sums = _Sums(make_table)
    with connection.chunked_cursor() as cursor:
        cursor.execute(_EVENTS, days.as_parameters())
        while found := cursor.fetchmany(EVENTS_AT_ONCE):
            rows = [EventRow._make(row) for row in found]
            splitter.learn(rows)
            for row in rows:
                sums.add(row, splitter.words_of(row), splitter.split(row))
            if sums.size > SUMS_AT_ONCE:
                sums.flush()
    sums.flush()
    return sums.table


_Owner = tuple[date, int | None, int | None, Words, str | None]


class _Sums:
    """Sums held in memory until there are too many."""

    def __init__(self, make_table: Callable[[], str]) -> None:
        self.size = 0
        self.table: str | None = None
        self._make_table = make_table
        self._sums: dict[_Owner, dict[Part, list[Any]]] = {}

    def add(self, row: EventRow, words: Words, splits: Sequence[Split]) -> None:
        """Add the charges of one event."""
        owner = (row.day, row.project_id, row.team_id, words, row.tags)
        of_owner = self._sums.get(owner)
        if of_owner is None:
            of_owner = self._sums[owner] = {}
        calls = int(row.state != UsageEvent.State.ADJUSTMENT)
        for part, quantity, amount in splits:
            known = of_owner.get(part)
            if known is None:
                of_owner[part] = [quantity, amount, calls]
                self.size += 1
            else:
                known[0] = _sum(known[0], quantity)
                known[1] = EXACT.add(known[1], amount)
                known[2] += calls

    def flush(self) -> None:
        """Write down what there is, if anything, and begin anew."""
        if not self.size:
            return
        if self.table is None:
            self.table = self._make_table()
        copy_rows(self.table, _COLUMNS, self._rows())
        self.size = 0
        self._sums = {}

    def _rows(self) -> Iterator[tuple[object, ...]]:
        for (day, project_id, team_id, words, tags), of_owner in self._sums.items():
            for part, figures in of_owner.items():
                listed = part.list_price or (None, None)
                yield (
                    day, project_id, team_id, *words,
                    None if part.basis is Basis.ADJUSTMENT else tags,
                    part.basis.value, part.version_id, part.exchange_rate, part.meter,
                    part.unit_price, part.per, part.currency, *listed, *figures,
                )  # fmt: skip


def _sum(left: Quantity, right: Quantity) -> Quantity:
    if isinstance(left, int) and isinstance(right, int):
        return left + right
    return EXACT.add(Decimal(left), Decimal(right))


def _group(row: tuple[Any, ...]) -> Group:
    day, project_id, team_id, *rest = row
    words, tags = Words(*rest[:4]), rest[4]
    basis, version_id, exchange_rate, meter, unit_price, per, currency, billed, priced = rest[5:14]
    listed = None if billed is None else ListPrice(billed, priced)
    part = Part(Basis(basis), version_id, exchange_rate, meter, unit_price, per, currency, listed)
    quantity, cost, calls = rest[14:]
    return Group(day, project_id, team_id, words, tags, part, quantity, cost, int(calls))
