"""Stored calls in the order in which they were made, page by page so that memory stays flat."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeAlias

from usage.models import CallKind
from usage.replica import reading
from usage.rollups.columns import IN_SUMS
from usage.selectors.live import MEMBERS, WORDS

PAGE = 20_000
OWNERS = ("organization", *MEMBERS)

PastCall: TypeAlias = tuple[
    int, int, int, int | None, int | None, int | None, int | None, int, int, Decimal | None, int
]
"""When it occurred, in microseconds since 1970, and its id; ids of organization, project, team,
subject, API key and kind; its UsageEvent.State; its cost in the ledger currency, None while
unpriced; its tokens."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
# Times as numbers, which are read ten times as fast.
_COLUMNS = (
    "(extract(epoch FROM occurred_at) * 1000000)::bigint, id, "
    + ", ".join(f"{name}_id" for name in OWNERS)
    + ", kind_id, state, cost, input_tokens::bigint + output_tokens"
)
# The place is said twice, so that an index finds where the page begins.
_PAGE = f"""
    SELECT {_COLUMNS} FROM usage_usageevent
    WHERE occurred_at >= %(since)s AND occurred_at < %(end)s
      AND (occurred_at > %(since)s OR id > %(last)s) AND {IN_SUMS} {{scope}}
    ORDER BY occurred_at, id LIMIT %(page)s
"""


def past_calls(
    scope: Mapping[str, int | str | None], start: datetime, end: datetime, by: str = ""
) -> Iterator[list[PastCall]]:
    """Pages of the calls of a scope that occurred from `start` to before `end`, aware times.

    `scope` is as in `live_sums`; with `by`, one of OWNERS, only calls that name one. What was
    superseded or reversed is left out, as it is of every sum; adjustments of closed months are
    among them.
    """
    narrowing, named = _narrowing(scope, by)
    since, last = start, -1
    while True:
        place: dict[str, Any] = {"since": since, "last": last, "end": end, "page": PAGE}
        with reading().cursor() as cursor:
            cursor.execute(_PAGE.format(scope=narrowing), {**named, **place})
            page: list[PastCall] = cursor.fetchall()
        if page:
            yield page
            since, last = time_of(page[-1][0]), page[-1][1]
        if len(page) < PAGE:
            return


def number_of(at: datetime) -> int:
    """An aware time in microseconds since 1970."""
    return (at - _EPOCH) // _MICROSECOND


def time_of(number: int) -> datetime:
    """The time, aware UTC, that so many microseconds since 1970 are."""
    return _EPOCH + timedelta(microseconds=number)


def _narrowing(scope: Mapping[str, int | str | None], by: str) -> tuple[str, dict[str, Any]]:
    """What narrows a statement to a scope, and its parameters."""
    named: dict[str, Any] = {name: scope[name] for name in OWNERS if scope.get(name)}
    said = [f"{name}_id = %({name})s" for name in named]
    words = {name: scope[name] for name in WORDS if scope.get(name)}
    if words:
        # As ids, because a join would keep the planner from reading in the order of time.
        named["kinds"] = list(CallKind.objects.filter(**words).values_list("pk", flat=True))
        said.append("kind_id = ANY(%(kinds)s::integer[])")
    if by:
        said.append(f"{by}_id IS NOT NULL")
    return "".join(f" AND {condition}" for condition in said), named
