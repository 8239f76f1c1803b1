"""Answering "may it run": windows are read, and what is not yet there is opened."""

from collections.abc import Iterable, Iterator, Sequence
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
from budgets.opening import WindowKey, key_arrays, open_windows
from budgets.recording import record
from budgets.setting import refresh_limits
from usage.ingest.identities import UNKNOWN

_LOOK = """
    SELECT edition, is_there, is_outdated, "limit", spent, reserved, overage, unpriced_events,
           is_overcommitted
    FROM budgets_look(%s, %s, %s, %s, %s, %s, %s)
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
    found = look(ask, now, is_counted=True)
    record(ask, found, Decision.Source.CHECK, now)
    return found


def look(ask: Ask, now: datetime, *, is_counted: bool = False) -> Verdict:
    """What the budgets say to a call at `now`, without keeping it.

    With `is_counted` it is counted as allowed, until `record` says otherwise.
    """
    book = known_book()
    while True:
        matched = list(match(book, ask, now))
        rows = _read(book.edition, ask, matched, now, is_counted=is_counted)
        edition, outdated, missing = _stale(rows, matched)
        if edition != book.edition:
            book = fresh_book()
        elif missing:
            open_windows(missing, now, book.edition)
        elif outdated:
            refresh_limits(now)
        else:
            break
    figures: list[Figures | None] = [row[3:] if row[1] else None for row in rows[: len(matched)]]
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


def _read(
    edition: int, ask: Ask, matched: Sequence[Matched], now: datetime, *, is_counted: bool
) -> list[tuple[Any, ...]]:
    keys = key_arrays([one.key for one in matched])
    with connection.cursor() as cursor:
        cursor.execute(_LOOK, (edition, ask.organization_id, now, is_counted, *keys))
        return list(cursor.fetchall())


def _stale(
    rows: Sequence[tuple[Any, ...]], matched: Sequence[Matched]
) -> tuple[int, bool, list[WindowKey]]:
    """The present edition, whether a limit has run out, and the windows that are missing."""
    missing = [
        one.key
        for one, row in zip(matched, rows, strict=False)
        if not row[1] and one.key.member != UNKNOWN
    ]
    return rows[0][0], any(row[2] for row in rows), missing


def _untouched(matched: Matched, now: datetime) -> Figures:
    """The window of somebody whom nobody has named before; it is opened when that happens."""
    row = Budget.objects.prefetch_related("raises").get(pk=matched.budget.id)
    limit = allowed_at(row, row.raises.all(), UNKNOWN, now, matched.key.start).limit
    nothing = Decimal(0)
    return limit, nothing, nothing, nothing, 0, False
