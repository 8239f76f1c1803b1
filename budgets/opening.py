"""Opening windows: at their first use, at the turn of a period, or when a budget is set.

A window is inserted before it is counted. Whoever stores usage for it meanwhile waits for the
insert, then adds to what was counted; what was stored earlier has been counted. So nothing is
missed and nothing is counted twice.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from django.db import connection, transaction

from budgets.book import present_edition
from budgets.counting import Counted, count_usage, put
from budgets.limits import allowed_at, ledger_rate
from budgets.locks import share
from budgets.matching import BudgetValue
from budgets.models import Budget, BudgetWindow
from usage.ingest.claims import array_of

_INSERT = """
    INSERT INTO budgets_budgetwindow (
        budget_id, member, start, "end", is_hard, "limit", limit_until, rate, spent, reserved,
        overage, unpriced_events, is_overcommitted, opened_at
    )
    SELECT budget_id, member, start, "end", is_hard, "limit", until, rate, 0, 0, 0, 0, false, now()
    FROM unnest(%s::bigint[], %s::bigint[], %s::timestamptz[], %s::timestamptz[], %s::boolean[],
                %s::numeric[], %s::timestamptz[], %s::numeric[])
        AS t (budget_id, member, start, "end", is_hard, "limit", until, rate)
    ORDER BY budget_id, member, start
    ON CONFLICT (budget_id, member, start) DO NOTHING
    RETURNING id, budget_id, member, start
"""


class WindowKey(NamedTuple):
    """Names one window; `start` is aware UTC."""

    budget: int
    member: int
    start: datetime


def key_arrays(keys: Collection[WindowKey]) -> tuple[str, str, str]:
    """The budgets, members and starts of keys as arrays of the database."""
    budgets, members, starts = zip(*keys, strict=True) if keys else ((), (), ())
    return (
        array_of(budgets),
        array_of(members),
        array_of([start.isoformat() for start in starts]),
    )


def open_windows(
    keys: Iterable[WindowKey], now: datetime, edition: int | None = None
) -> set[WindowKey]:
    """Open the windows that are missing; return those that this call has opened.

    They count all usage that is committed or stored in this transaction. Keys of budgets that
    are gone or switched off are left out. `edition` is the one of the budgets that the keys were
    made from: of another than the present one nothing is opened. `now` is an aware time.
    """
    wanted = sorted(set(keys))
    rows = Budget.objects.filter(pk__in={key.budget for key in wanted}, enabled=True)
    with transaction.atomic():
        owners = set(rows.values_list("organization_id", flat=True))
        # Read only then, so that no window is opened for what a budget has just ceased to be.
        if not share(owners, edition or 0) and edition is not None:
            return set()
        found = rows.select_related("organization").prefetch_related("raises")
        budgets = {row.pk: row for row in found}
        present = [key for key in wanted if key.budget in budgets]
        opened = _insert(present, budgets, now)
        put((opened[key], counted, Decimal(0)) for key, counted in _count(opened, budgets))
    return set(opened)


def roll_over(now: datetime) -> int:
    """Open the present window of every budget that has one for all; how many were opened."""
    edition = present_edition()
    rows = Budget.objects.filter(enabled=True, per="").select_related("organization")
    keys = {WindowKey(row.pk, 0, BudgetValue.from_budget(row).span(now).start) for row in rows}
    starts = {key.start for key in keys}
    known = BudgetWindow.objects.filter(start__in=starts, member=0)
    there = {WindowKey(*key) for key in known.values_list("budget_id", "member", "start")}
    return len(open_windows(keys - there, now, edition)) if keys - there else 0


def _insert(
    keys: Sequence[WindowKey], budgets: dict[int, Budget], now: datetime
) -> dict[WindowKey, int]:
    values = {pk: BudgetValue.from_budget(row) for pk, row in budgets.items()}
    allowed = [
        allowed_at(
            budgets[key.budget], budgets[key.budget].raises.all(), key.member, now, key.start
        )
        for key in keys
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            _INSERT,
            (
                [key.budget for key in keys],
                [key.member for key in keys],
                [key.start for key in keys],
                [values[key.budget].span(key.start).end for key in keys],
                [budgets[key.budget].is_hard for key in keys],
                [limit for limit, _ in allowed],
                [until for _, until in allowed],
                [ledger_rate(budgets[key.budget], key.start, now) for key in keys],
            ),
        )
        return {WindowKey(*key): pk for pk, *key in cursor.fetchall()}


def _count(
    opened: Iterable[WindowKey], budgets: dict[int, Budget]
) -> Iterable[tuple[WindowKey, Counted]]:
    together: dict[tuple[int, datetime], list[WindowKey]] = defaultdict(list)
    for key in opened:
        together[key.budget, key.start].append(key)
    for (budget_id, start), keys in together.items():
        budget = BudgetValue.from_budget(budgets[budget_id])
        counted = count_usage(budget, budget.span(start), {key.member for key in keys})
        yield from ((key, counted[key.member]) for key in keys)
