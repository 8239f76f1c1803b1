"""What trying a budget out found: per day, per window, and for whom."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from budgets.deciding import ALLOW, BLOCK
from budgets.models import Budget

_ZERO = Decimal(0)


@dataclass(slots=True)
class Tally:
    """How calls were answered. Warned calls run; what blocked calls cost is not spent.

    Costs are in the ledger currency and leave out the calls without a price, of which `unpriced`
    counts those that ran, `refused_unpriced` those that were blocked.
    """

    allowed: int = 0
    warned: int = 0
    blocked: int = 0
    unpriced: int = 0
    refused_unpriced: int = 0
    spent: Decimal = _ZERO
    prevented: Decimal = _ZERO

    @property
    def calls(self) -> int:
        """How many asked."""
        return self.allowed + self.warned + self.blocked

    def count(self, outcome: str, cost: Decimal | None) -> None:
        """Count one call and what it came to, None where nobody knows."""
        if outcome == BLOCK:
            self.blocked += 1
            self.refused_unpriced += cost is None
            self.prevented += cost or _ZERO
            return
        if outcome == ALLOW:
            self.allowed += 1
        else:
            self.warned += 1
        if cost is None:
            self.unpriced += 1
        else:
            self.spent += cost

    def add(self, other: "Tally") -> None:
        """Count those of another tally too."""
        self.allowed += other.allowed
        self.warned += other.warned
        self.blocked += other.blocked
        self.unpriced += other.unpriced
        self.refused_unpriced += other.refused_unpriced
        self.spent += other.spent
        self.prevented += other.prevented


@dataclass(frozen=True, slots=True)
class Moment:
    """The first call that was answered so: when, and what its caller would have read."""

    at: datetime
    message: str


@dataclass(slots=True)
class TriedWindow:
    """One window, or one member's, from `start` to before `end` (None: for ever).

    `limit`, `before` (used in it before the first call) and `used` are in the ledger currency,
    tokens or requests; it admits what stays below `calm` without a warning.
    """

    member: int
    start: datetime
    end: datetime | None
    limit: Decimal | None
    calm: Decimal
    before: Decimal
    used: Decimal
    unpriced: int
    tally: Tally = field(default_factory=Tally)
    warned_at: datetime | None = None
    blocked_at: datetime | None = None
    member_name: str = ""


@dataclass(frozen=True, slots=True)
class Affected:
    """Somebody or something whose calls were warned about or blocked; "" where none is named."""

    organization: str
    name: str
    tally: Tally


@dataclass(frozen=True, slots=True)
class Findings:
    """What a budget would have done from `start` to before `end`, aware times.

    `days` has every day of the budget's `zone`. `windows` are the ones with most blocked calls,
    out of `opened` that saw any call. `affected` maps subject, project and model to whoever had
    calls warned about or blocked, most blocked first, with how many there are.
    """

    budget: Budget
    zone: str
    start: datetime
    end: datetime
    total: Tally
    days: Mapping[date, Tally]
    windows: list[TriedWindow]
    opened: int
    affected: Mapping[str, tuple[list[Affected], int]]
    warned: Moment | None
    blocked: Moment | None
