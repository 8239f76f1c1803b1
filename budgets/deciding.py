"""May a call run? The rules, on figures that somebody else has read. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from budgets.facts import BudgetFacts
from budgets.models import Budget, Decision

ALLOW, WARN, BLOCK = (outcome.value for outcome in Decision.Outcome)
_SEVERITY = {ALLOW: 0, WARN: 1, BLOCK: 2}
_NEVER = datetime.max.replace(tzinfo=UTC)
_NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class WindowState:
    """A window as it stands, in the unit of its budget's measure; `limit` None is none.

    `member_name` is whose share it is, "" where all share it.
    """

    facts: BudgetFacts
    start: datetime
    end: datetime | None
    limit: Decimal | None
    spent: Decimal = _NOTHING
    reserved: Decimal = _NOTHING
    overage: Decimal = _NOTHING
    unpriced_events: int = 0
    is_overcommitted: bool = False
    member: int = 0
    member_name: str = ""

    @property
    def used(self) -> Decimal:
        """What calls have come to."""
        return self.spent + self.overage

    @property
    def taken(self) -> Decimal:
        """What calls have come to or are held for."""
        return self.used + self.reserved

    @property
    def remaining(self) -> Decimal | None:
        """What is left to use; less than zero where more was used, None without a limit."""
        return None if self.limit is None else self.limit - self.taken

    @property
    def percent(self) -> Decimal | None:
        """Used of the limit, exact; None without a limit, or with one of 0 and nothing used."""
        if self.limit is None or (not self.limit and not self.used):
            return None
        return self.used * 100 / self.limit if self.limit else Decimal(100)


@dataclass(frozen=True, slots=True)
class Call:
    """What a call is expected to come to. `cost` is in the ledger currency, None where no price
    is known; `dearest` is what it would cost at the dearest price of its provider, if any."""

    cost: Decimal | None
    tokens: int = 0
    dearest: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Tested:
    """What one budget says to a call that would take `amount` of it; None: its price is unknown
    and the budget does not allow that."""

    state: WindowState
    amount: Decimal | None
    outcome: str

    @property
    def percent(self) -> Decimal:
        """How full the window would be, for comparing windows."""
        limit, amount = self.state.limit, self.amount or _NOTHING
        if limit is None:
            return Decimal(-1)
        return (self.state.taken + amount) * 100 / limit if limit else Decimal(100)

    @property
    def waiting_helps(self) -> bool:
        """Whether the call would fit into an empty window: if not, the next one blocks it too."""
        return self.amount is not None and fits(self.state.limit, _NOTHING, _NOTHING, self.amount)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a call may run, and what every budget said, the binding one first."""

    outcome: str
    tested: tuple[Tested, ...]
    call: Call

    @property
    def binding(self) -> Tested | None:
        """The budget that decided: blocked, or else warned."""
        return None if self.outcome == ALLOW else self.tested[0]

    @property
    def retry_at(self) -> datetime | None:
        """When all that block have begun anew; None where nothing blocks, or for ever."""
        if self.outcome != BLOCK:
            return None
        return self.tested[0].state.end

    @property
    def estimated_cost(self) -> Decimal | None:
        """What the call is expected to cost; None where no price is known."""
        if self.call.cost is None and any(_is_estimated(one) for one in self.tested):
            return self.call.dearest
        return self.call.cost


def decide(call: Call, states: Iterable[WindowState]) -> Verdict:
    """What the budgets in these states say to a call."""
    return verdict(call, [test(call, state) for state in states])


def verdict(call: Call, tested: Sequence[Tested]) -> Verdict:
    """The decision that what each budget said amounts to: the most restrictive counts."""
    ordered = tuple(sorted(tested, key=_binding_first))
    return Verdict(ordered[0].outcome if ordered else ALLOW, ordered, call)


def test(call: Call, state: WindowState) -> Tested:
    """What one budget says to a call.

    A hard one blocks what does not fit; any warns from its lowest threshold on, and beyond its
    limit.
    """
    amount = amount_taken(call, state.facts)
    full = amount is None or not fits(state.limit, state.used, state.reserved, amount)
    if full or state.is_overcommitted:
        return Tested(state, amount, BLOCK if state.facts.is_hard else WARN)
    level = state.facts.warns_from(state.limit)
    near = level is not None and state.taken + (amount or _NOTHING) >= level
    return Tested(state, amount, WARN if near else ALLOW)


def fits(limit: Decimal | None, used: Decimal, reserved: Decimal, amount: Decimal) -> bool:
    """Whether a window admits `amount` more; the same rule as the function of migration 0003.

    A limit of 0 admits nothing, and a full window not even a call that counts for nothing.
    """
    if limit is None:
        return True
    taken = used + reserved
    return limit > 0 and taken + amount <= limit and (amount > 0 or taken < limit)


def amount_taken(call: Call, facts: BudgetFacts) -> Decimal | None:
    """What a call would take of a budget; None where its price is unknown and that blocks."""
    if facts.measure == Budget.Measure.TOKENS:
        return Decimal(call.tokens)
    if facts.measure == Budget.Measure.REQUESTS:
        return Decimal(1)
    if call.cost is not None:
        return call.cost
    if facts.unpriced == Budget.Unpriced.ALLOW:
        return _NOTHING
    return call.dearest if facts.unpriced == Budget.Unpriced.ESTIMATE else None


def _is_estimated(tested: Tested) -> bool:
    facts = tested.state.facts
    return facts.measure == Budget.Measure.COST and facts.unpriced == Budget.Unpriced.ESTIMATE


def _binding_first(tested: Tested) -> tuple[int, float, Decimal, int]:
    # Of several that block, the one that blocks longest says when to try again.
    end = (tested.state.end or _NEVER).timestamp() if tested.outcome == BLOCK else 0
    return -_SEVERITY[tested.outcome], -end, -tested.percent, tested.state.facts.id
