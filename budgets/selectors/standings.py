"""How a budget stands in its current period, in figures and in words."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_DOWN, Decimal
from enum import StrEnum

from budgets.models import Budget
from usage.formats import bar, day, duration, money, percent, share
from usage.selectors.currency import ledger_currency

FULL = 100
_SOON = timedelta(hours=48)


class Level(StrEnum):
    """Whether a budget is below its warning threshold, from it on, or from its limit on."""

    OK = "ok"
    WARN = "warn"
    OVER = "over"

    @property
    def word(self) -> str:
        """What stands beside its colour."""
        return "near" if self is Level.WARN else self.value


@dataclass(frozen=True, slots=True)
class BudgetState:
    """A budget in the period from `start` to before `end`, local days of its organization.

    `spent` is in the ledger currency and leaves out `unpriced_events`. `left` is the time until
    the period ends.
    """

    budget: Budget
    start: date
    end: date
    spent: Decimal
    unpriced_events: int
    left: timedelta

    @property
    def limit(self) -> Decimal:
        """What may be spent in the period."""
        return self.budget.limit

    @property
    def remaining(self) -> Decimal:
        """What is left to spend; less than zero when more was spent."""
        return self.limit - self.spent

    @property
    def percent(self) -> Decimal | None:
        """Spent of the limit, exact; of a limit of 0 all is used by any spend, None by none."""
        if not self.limit:
            return Decimal(FULL) if self.spent > 0 else None
        return share(self.spent, self.limit)

    @property
    def level(self) -> Level:
        """The level that the exact percentage has reached."""
        used = self.percent
        if used is None or used < self.budget.warn_percent:
            return Level.OK
        return Level.OVER if used >= FULL else Level.WARN

    @property
    def percent_text(self) -> str:
        """The percentage rounded down, so that it never names a level not yet reached."""
        used = self.percent
        if used is None or used < 1:
            return percent(used)
        return percent(used.quantize(Decimal(1), ROUND_DOWN))

    @property
    def spent_text(self) -> str:
        """Such as $46.10 of $50, with $12.08 over or $3.90 left."""
        spent = f"{money(self.spent, ledger_currency())} of {self.limit_text}"
        return spent if self.remaining >= 0 else f"{spent} · {self.remaining_text}"

    @property
    def remaining_text(self) -> str:
        """Such as $3.90, or $12.08 over."""
        left = money(abs(self.remaining), ledger_currency())
        return left if self.remaining >= 0 else f"{left} over"

    @property
    def limit_text(self) -> str:
        """The limit, without cents where it has none."""
        whole = self.limit == self.limit.to_integral_value()
        return money(self.limit, ledger_currency(), 0 if whole else 2)

    @property
    def reset_text(self) -> str:
        """What happens next: resets in 8 h 23 m, or resets 1 Dec."""
        if self.left < _SOON:
            return f"resets in {duration(int(self.left.total_seconds() * 1000))}"
        return f"resets {day(self.end)}"

    @property
    def bar(self) -> int:
        """The part of the bar that is filled, 0 to 100."""
        return bar(self.percent)
