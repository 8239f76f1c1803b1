"""What windows held at some time of the past, summed from records."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from uuid import UUID

from budgets.counting import amount_of
from budgets.matching import BudgetValue, CallScope
from budgets.models import Reservation
from budgets.opening import WindowKey
from budgets.redefining import scope_of
from budgets.replay.editions import Edition
from budgets.replay.records import Stored

_ZERO = Decimal(0)


@dataclass(slots=True)
class Sum:
    """What one window held: used and reserved in its measure."""

    used: Decimal = _ZERO
    reserved: Decimal = _ZERO
    unpriced: int = 0


@dataclass(frozen=True, slots=True)
class Held:
    """An open reservation, and what it took of the budgets that it was made against, by id."""

    row: Reservation
    scope: CallScope
    amounts: Mapping[int, Decimal]


@dataclass(slots=True)
class Sums:
    """The windows of one edition, and what they are summed from."""

    edition: Edition
    stored: list[Stored] = field(default_factory=list)
    held: dict[UUID, Held] = field(default_factory=dict)
    windows: dict[WindowKey, Sum] = field(default_factory=dict)

    def turn_to(self, edition: Edition) -> None:
        """Sum everything anew for the budgets of another edition."""
        self.edition = edition
        self.windows.clear()
        for stored in self.stored:
            self._count(stored)
        for held in self.held.values():
            self._hold(held, 1)

    def store(self, stored: Stored) -> None:
        """Count usage."""
        self.stored.append(stored)
        self._count(stored)

    def hold(self, row: Reservation, amounts: Mapping[int, Decimal]) -> None:
        """Hold what a reservation takes of budgets."""
        held = self.held[row.pk] = Held(row, scope_of(row), amounts)
        self._hold(held, 1)

    def free(self, row: Reservation) -> None:
        """Let go of what a reservation holds, if it still does."""
        held = self.held.pop(row.pk, None)
        if held is not None:
            self._hold(held, -1)

    def at(self, key: WindowKey) -> Sum:
        """A window."""
        return self.windows.setdefault(key, Sum())

    def _count(self, stored: Stored) -> None:
        for budget, member in self._matching(stored.scope):
            window = self.at(WindowKey(budget.id, member, budget.span(stored.occurred_at).start))
            window.used += _amount(budget.measure, stored)
            window.unpriced += stored.unpriced

    def _hold(self, held: Held, sign: int) -> None:
        at = held.row.held_at
        for budget, member in self._matching(held.scope):
            window = self.at(WindowKey(budget.id, member, budget.span(at).start))
            window.reserved += sign * self._taken(held, budget)

    def _taken(self, held: Held, budget: BudgetValue) -> Decimal:
        """What a reservation takes of a budget; of one that counts otherwise since, anew."""
        if held.row.held_at >= self.edition.versions[budget.id].defined_at:
            return held.amounts.get(budget.id, _ZERO)
        return amount_of(budget.measure, held.row.amount, held.row.tokens)

    def _matching(self, scope: CallScope) -> Iterable[tuple[BudgetValue, int]]:
        for budget in self.edition.book.index.match(scope):
            member = budget.member_of(scope)
            if member is not None:
                yield budget, member


def _amount(measure: str, stored: Stored) -> Decimal:
    """As for calls, but for a change of any size."""
    if measure == "cost":
        return stored.cost
    return Decimal(stored.tokens if measure == "tokens" else stored.events)
