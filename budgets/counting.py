"""What windows should say, counted anew from usage and open reservations."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from django.db import connection

from budgets.locks import share
from budgets.matching import NAMES, BudgetValue
from budgets.models import Budget, BudgetWindow, Hold
from budgets.spans import Span
from usage.selectors.live import LiveSums, live_sums

_PUT = """
    UPDATE budgets_budgetwindow w SET
        spent = budgets_spent(w.is_hard, w."limit", d.used, d.reserved),
        overage = d.used - budgets_spent(w.is_hard, w."limit", d.used, d.reserved),
        reserved = d.reserved,
        unpriced_events = d.unpriced,
        is_overcommitted = w.is_hard AND d.reserved > coalesce(w."limit", d.reserved),
        alert_at = 0
    FROM unnest(%s::bigint[], %s::numeric[], %s::bigint[], %s::numeric[])
        AS d (id, used, unpriced, reserved)
    WHERE w.id = d.id
"""


class Counted(NamedTuple):
    """What was used of a window, in its measure, and how many calls without a price are not
    in it."""

    used: Decimal
    unpriced_events: int


_FEW = 3
"""So many members are counted one by one, more of them all at once."""
NOTHING = Counted(Decimal(0), 0)


def count_usage(
    budget: BudgetValue, span: Span, members: Collection[int] = (0,)
) -> dict[int, Counted]:
    """What `members` of a budget used in a span, as committed or stored in this transaction."""
    if not budget.per or len(members) <= _FEW:
        return {member: _count_one(budget, span, member) for member in members}
    counted = count_members(budget, span)
    return {member: counted.get(member, NOTHING) for member in members}


def count_members(budget: BudgetValue, span: Span) -> dict[int, Counted]:
    """What every member of a budget that has a limit for each used in a span."""
    sums = live_sums(_scope(budget), *span, by=budget.per)
    return {
        member: _counted(budget.measure, found)
        for member, found in sums.items()
        if member is not None
    }


def recount(window_ids: Collection[int]) -> None:
    """Count windows anew, from usage and from what reservations hold of them.

    Runs in a transaction: the windows are locked first, so that whatever was stored and is not
    seen here is added after it.
    """
    owned = Budget.objects.filter(windows__in=window_ids, organization__isnull=False)
    share(set(owned.values_list("organization_id", flat=True)))
    windows = list(
        BudgetWindow.objects.select_for_update(no_key=True, of=("self",))
        .filter(pk__in=window_ids)
        .select_related("budget__organization")
        .order_by("pk")
    )
    held = held_of([window.pk for window in windows])
    counted = count_windows(windows)
    put((w.pk, counted[w.pk], held.get(w.pk, Decimal(0))) for w in windows)


def count_windows(windows: Iterable[BudgetWindow]) -> dict[int, Counted]:
    """What windows should say was used, by id; they come with budget and organization."""
    together: dict[tuple[int, Span], list[BudgetWindow]] = defaultdict(list)
    for window in windows:
        together[window.budget_id, Span(window.start, window.end)].append(window)
    found: dict[int, Counted] = {}
    for (_, span), group in together.items():
        budget = BudgetValue.from_budget(group[0].budget)
        counted = count_usage(budget, span, {window.member for window in group})
        found |= {window.pk: counted[window.member] for window in group}
    return found


def held_of(window_ids: Collection[int]) -> dict[int, Decimal]:
    """What open reservations hold of windows, by window."""
    held: dict[int, Decimal] = {}
    rows = Hold.objects.filter(window__in=window_ids)
    for window_id, amount in rows.values_list("window_id", "amount"):
        held[window_id] = held.get(window_id, Decimal(0)) + amount
    return held


def put(counted: Iterable[tuple[int, Counted, Decimal]]) -> None:
    """Let windows (by id) say what was counted, and what is reserved of them."""
    rows = list(counted)
    with connection.cursor() as cursor:
        cursor.execute(
            _PUT,
            (
                [window for window, _, _ in rows],
                [found.used for _, found, _ in rows],
                [found.unpriced_events for _, found, _ in rows],
                [reserved for _, _, reserved in rows],
            ),
        )


def amount_of(measure: str, cost: Decimal | None, tokens: int) -> Decimal:
    """What one call counts for in a measure; nothing of an unknown cost."""
    if measure == Budget.Measure.COST:
        return cost or Decimal(0)
    return Decimal(tokens if measure == Budget.Measure.TOKENS else 1)


def _count_one(budget: BudgetValue, span: Span, member: int) -> Counted:
    share_of = {budget.per: member} if budget.per else {}
    found = live_sums({**_scope(budget), **share_of}, *span).get(None)
    return _counted(budget.measure, found) if found else NOTHING


def _counted(measure: str, sums: LiveSums) -> Counted:
    if measure == Budget.Measure.COST:
        return Counted(sums.cost, sums.unpriced_events)
    used = sums.tokens if measure == Budget.Measure.TOKENS else sums.events
    return Counted(Decimal(used), sums.unpriced_events)


def _scope(budget: BudgetValue) -> dict[str, int | str | None]:
    return dict(zip(NAMES, budget.scope, strict=True))


def windows_over(organization_ids: Collection[int], start: datetime, end: datetime) -> list[int]:
    """Ids of the windows that count usage of organizations between two aware times, the end
    exclusive; history left out."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT w.id FROM budgets_budgetwindow w JOIN budgets_budget b ON b.id = w.budget_id
            WHERE b.enabled AND w.start >= b.counts_since AND w.start < %s
              AND (w."end" IS NULL OR w."end" > %s)
              AND (b.organization_id IS NULL OR b.organization_id = ANY(%s))
            ORDER BY w.id
            """,
            (end, start, list(organization_ids)),
        )
        return [row[0] for row in cursor.fetchall()]
