"""What the windows of budgets say: of several in one period, the most used one."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from django.db import connection

from budgets.counting import NOTHING, Counted, count_members, count_usage
from budgets.matching import BudgetValue
from budgets.spans import Span

# Of a limit of 0 all is used by any use; where there is no limit, who used most comes first.
_MOST_USED = """
    SELECT DISTINCT ON (w.budget_id) w.budget_id, w.member, w."limit", w.spent, w.reserved,
           w.overage, w.unpriced_events, count(*) OVER (PARTITION BY w.budget_id)
    FROM unnest(%s::bigint[], %s::timestamptz[], %s::bigint[]) AS k (budget_id, start, member)
    JOIN budgets_budgetwindow w
      ON w.budget_id = k.budget_id AND w.start = k.start
     AND (k.member IS NULL OR w.member = k.member)
    ORDER BY w.budget_id,
             CASE WHEN w."limit" = 0 AND w.spent + w.overage > 0 THEN 'infinity'
                  ELSE (w.spent + w.overage) / nullif(w."limit", 0) END DESC NULLS LAST,
             w.spent + w.overage DESC, w.member
"""


class Wanted(NamedTuple):
    """The window of a budget that begins at `start`, aware UTC: of `member`, or of any (None)."""

    budget: int
    start: datetime
    member: int | None


class Found(NamedTuple):
    """What a window says, in the unit it counts in; `members` windows came into question."""

    member: int
    limit: Decimal | None
    spent: Decimal
    reserved: Decimal
    overage: Decimal
    unpriced_events: int
    members: int


def find_windows(wanted: Iterable[Wanted]) -> dict[int, Found]:
    """The windows that are open, by budget; of several the one that used most of its limit."""
    asked = list(wanted)
    with connection.cursor() as cursor:
        cursor.execute(
            _MOST_USED,
            ([w.budget for w in asked], [w.start for w in asked], [w.member for w in asked]),
        )
        return {budget: Found(*rest) for budget, *rest in cursor.fetchall()}


def count_most_used(
    budget: BudgetValue, span: Span, member: int | None = None
) -> tuple[int, Counted, int]:
    """What usage says that a budget has used in a span: of `member`, else of the one that used
    most (0 where all share the limit); with who that is, and of how many."""
    if budget.per and member is None:
        counted = count_members(budget, span)
    else:
        counted = count_usage(budget, span, (member or 0,))
    most = max(counted, key=lambda each: counted[each].used, default=0)
    return most, counted.get(most, NOTHING), len(counted)
