"""Answering "may it run": windows are read, and what is not yet there is opened."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeAlias

from django.db import connection

from budgets.asking import Ask
from budgets.book import Book, fresh_book, known_book
from budgets.deciding import Verdict, WindowState, decide
from budgets.limits import allowed_at
from budgets.matching import BudgetValue
from budgets.models import Budget, Decision
from budgets.opening import WindowKey, open_windows
from budgets.recording import record
from budgets.setting import refresh_limits
from usage.ingest.identities import UNKNOWN

_READ = """
    SELECT coalesce((SELECT max(number) FROM budgets_edition), 0), k.place, w.id IS NOT NULL,
           w."limit", w.spent, w.reserved, w.overage, w.unpriced_events, w.is_overcommitted,
           w.limit_until
    FROM (SELECT 1) AS always
    LEFT JOIN unnest(%s::bigint[], %s::bigint[], %s::timestamptz[])
        WITH ORDINALITY AS k (budget_id, member, start, place) ON true
    LEFT JOIN budgets_budgetwindow w USING (budget_id, member, start)
    ORDER BY k.place
"""

Figures: TypeAlias = tuple[Decimal | None, Decimal, Decimal, Decimal, int, bool]
"""limit, spent, reserved, overage, unpriced events, overcommitted."""


@dataclass(frozen=True, slots=True)
class Matched:
    """A budget that a call counts against at some time, and the window it counts in."""

    budget: BudgetValue
    key: WindowKey


def check_call(ask: Ask, now: datetime) -> Verdict:
    """What the budgets say to a call at `now`, an aware time; holds nothing.

    Warnings and refusals are kept, the rest counted.
    """
    found = look(ask, now)
    record(ask, found, Decision.Source.CHECK, now)
    return found


def look(ask: Ask, now: datetime) -> Verdict:
    """What the budgets say to a call at `now`, without keeping it."""
    book = known_book()
    while True:
        matched = list(match(book, ask, now))
        rows = _read([one.key for one in matched])
        edition, outdated, missing = _stale(rows, matched, now)
        if edition != book.edition:
            book = fresh_book()
        elif missing:
            open_windows(missing, now, book.edition)
        elif outdated:
            refresh_limits(now)
        else:
            break
    figures: list[Figures | None] = [row[3:9] if row[2] else None for row in rows[: len(matched)]]
    return decide(ask.call, states_of(book, ask, matched, figures, now))


def match(book: Book, ask: Ask, now: datetime) -> Iterator[Matched]:
    """The budgets that a call at `now` counts against, by id."""
    for budget in book.index.match(ask.scope):
        member, span = budget.member_of(ask.scope), budget.span(now)
        if member is not None and span.contains(now):
            yield Matched(budget, WindowKey(budget.id, member, span.start))


def states_of(
    book: Book,
    ask: Ask,
    matched: Iterable[Matched],
    figures: Iterable[Figures | None],
    now: datetime,
) -> list[WindowState]:
    """The windows of matched budgets, with their `figures` in the same order; None: untouched."""
    return [
        _state(book, ask, one, found or _untouched(one, now))
        for one, found in zip(matched, figures, strict=True)
    ]


def _state(book: Book, ask: Ask, matched: Matched, figures: Figures) -> WindowState:
    budget, key = matched.budget, matched.key
    limit, spent, reserved, overage, unpriced_events, is_overcommitted = figures
    return WindowState(
        facts=book.facts[budget.id],
        start=key.start,
        end=budget.span(key.start).end,
        limit=limit,
        spent=spent,
        reserved=reserved,
        overage=overage,
        unpriced_events=unpriced_events,
        is_overcommitted=is_overcommitted,
        member=key.member,
        member_name=ask.name_of(budget.per) if budget.per else "",
    )


def _read(keys: list[WindowKey]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(
            _READ,
            (
                [key.budget for key in keys],
                [key.member for key in keys],
                [key.start for key in keys],
            ),
        )
        return list(cursor.fetchall())


def _stale(
    rows: list[tuple[Any, ...]], matched: list[Matched], now: datetime
) -> tuple[int, bool, list[WindowKey]]:
    """The present edition, whether a limit has run out, and the windows that are missing."""
    missing = [
        one.key
        for one, row in zip(matched, rows, strict=False)
        if not row[2] and one.key.member != UNKNOWN
    ]
    return rows[0][0], any(row[9] is not None and row[9] <= now for row in rows), missing


def _untouched(matched: Matched, now: datetime) -> Figures:
    """The window of somebody whom nobody has named before; it is opened when that happens."""
    row = Budget.objects.prefetch_related("raises").get(pk=matched.budget.id)
    limit = allowed_at(row, row.raises.all(), UNKNOWN, now, matched.key.start).limit
    nothing = Decimal(0)
    return limit, nothing, nothing, nothing, 0, False
