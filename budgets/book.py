"""What this process remembers of the budgets that are switched on, for one edition of them."""

from collections.abc import Iterable
from datetime import datetime
from threading import Lock

from django.db import connection
from django.utils import timezone

from budgets.facts import BudgetFacts
from budgets.limits import in_ledger
from budgets.matching import BudgetIndex, BudgetValue
from budgets.models import Budget, Edition, Threshold
from budgets.models.budgets import RELATIONS


class Book:
    """The enabled budgets of one edition: an index for counting, and facts for telling."""

    def __init__(self, edition: int, index: BudgetIndex, facts: dict[int, BudgetFacts]) -> None:
        """Keep what was read when `edition` was the present one; `facts` are by id."""
        self.edition = edition
        self.index = index
        self.facts = facts


_lock = Lock()
_known: list[Book] = []


def forget() -> None:
    """Drop what is remembered."""
    _known.clear()


def known_book() -> Book:
    """The budgets as last read: whoever uses them finds out whether their edition still holds."""
    return _known[0] if _known else fresh_book()


def fresh_book() -> Book:
    """The budgets as they are now."""
    with _lock:
        # The edition is read first: a change between the two is noticed at the next use.
        edition = present_edition()
        if not _known or _known[0].edition != edition:
            _known[:] = [_read(edition)]
        return _known[0]


def _read(edition: int) -> Book:
    rows = list(
        Budget.objects.filter(enabled=True)
        .select_related(*RELATIONS)
        .prefetch_related("thresholds")
    )
    values = {row.pk: BudgetValue.from_budget(row) for row in rows}
    now = timezone.now()
    facts = {row.pk: facts_of(row, values[row.pk].zone, row.thresholds.all(), now) for row in rows}
    return Book(edition, BudgetIndex(values.values()), facts)


def facts_of(budget: Budget, zone: str, levels: Iterable[Threshold], at: datetime) -> BudgetFacts:
    """What people are told at an aware time of a budget that warns from `levels` and whose days
    begin in `zone`; its scope has been read."""
    found = list(levels)
    amounts = [in_ledger(budget, level.amount, at, at) for level in found]
    return BudgetFacts.from_budget(
        budget,
        [level.percent for level in found if level.percent is not None],
        [amount for amount in amounts if amount is not None],
        zone,
    )


def present_edition() -> int:
    """The number of the present edition; 0 before the first budget."""
    return Edition.objects.values_list("number", flat=True).first() or 0


def new_edition() -> None:
    """Let every process read the budgets again once the present transaction is committed."""
    with connection.cursor() as cursor:
        # Transaction ids rise for ever, so that no number comes twice.
        cursor.execute(
            "INSERT INTO budgets_edition (id, number)"
            " VALUES (1, pg_current_xact_id()::text::bigint) ON CONFLICT (id)"
            " DO UPDATE SET number = greatest(budgets_edition.number + 1, excluded.number)"
        )
