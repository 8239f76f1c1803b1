"""How a budget stands in one of its periods, in figures and in words."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum

from budgets.amounts import NO_LIMIT, amount_text, limit_text, remaining_text, used_percent
from budgets.models import Budget
from budgets.models.budgets import RELATIONS, WORDS
from usage.formats import bar, day, length, quantity, share

FULL = 100
_SOON = timedelta(hours=48)
_OWNER_AND_PART = 2


class Level(StrEnum):
    """Whether a budget is below all its thresholds, from the lowest on, or from its limit on."""

    OK = "ok"
    WARN = "warn"
    OVER = "over"

    @property
    def word(self) -> str:
        """What stands beside its colour."""
        return "near" if self is Level.WARN else self.value


def percent_of(limit: Decimal | None, used: Decimal) -> Decimal | None:
    """What is used of a limit as `BudgetState.percent` tells it."""
    if limit is None:
        return None
    if not limit:
        return Decimal(FULL) if used > 0 else None
    return share(used, limit)


@dataclass(frozen=True, slots=True)
class BudgetState:
    """A budget in the period from `start` to before `end` (None: for ever), days of its zone.

    Amounts are in the ledger currency, or tokens or requests: `limit` None means none, `spent`
    is what fits into it beside what is `reserved`, `overage` what was used beyond that; they
    leave out the cost of `unpriced_events`. `left` is the time until the period ends. `warns_at`
    are its thresholds, ascending. Where each member has the limit to itself, this is the one of
    `members` that used most of its own, by id and by name.
    """

    budget: Budget
    start: date
    end: date | None
    limit: Decimal | None
    spent: Decimal
    unpriced_events: int
    left: timedelta | None
    reserved: Decimal = Decimal(0)
    overage: Decimal = Decimal(0)
    warns_at: tuple[Decimal, ...] = ()
    member: int = 0
    member_name: str = ""
    members: int = 0

    @property
    def used(self) -> Decimal:
        """All that was used, within the limit and beyond."""
        return self.spent + self.overage

    @property
    def remaining(self) -> Decimal | None:
        """What is left beside what is reserved, less than zero when more is used; None without
        a limit."""
        return None if self.limit is None else self.limit - self.used - self.reserved

    @property
    def percent(self) -> Decimal | None:
        """Used of the limit, exact; of a limit of 0 all is used by any use, None by none."""
        return percent_of(self.limit, self.used)

    @property
    def level(self) -> Level:
        """The level that exactly what is used has reached."""
        if self.percent is not None and self.percent >= FULL:
            return Level.OVER
        return Level.WARN if self.warns_at and self.used >= self.warns_at[0] else Level.OK

    @property
    def whole(self) -> str:
        """What all usage of is limited together: "site", "organization", "project", "team",
        "subject" or "api_key"; "" where only a part of it is, or each of many is."""
        budget = self.budget
        if budget.per or any(getattr(budget, word) for word in WORDS):
            return ""
        named = [name for name in RELATIONS if getattr(budget, f"{name}_id")]
        if len(named) > _OWNER_AND_PART:
            return ""
        return named[-1] if named else "site"

    @property
    def zone(self) -> str | None:
        """The IANA zone of its organization, None for a budget of all organizations."""
        return self.budget.organization.time_zone if self.budget.organization else None

    @property
    def percent_text(self) -> str:
        """The percentage rounded down, so that it never names a level not yet reached."""
        return used_percent(self.percent)

    @property
    def ticks(self) -> list[int]:
        """The percentages of the limit at which it warns, as far as the bar goes."""
        limit = self.limit
        if not limit:
            return []
        return [int(amount * FULL / limit) for amount in self.warns_at if amount < limit]

    @property
    def spent_text(self) -> str:
        """Such as $46.10 of $50, with $2.00 held where some is reserved, and $12.08 over."""
        is_money = self.budget.measure == Budget.Measure.COST
        bare = self.used_text if is_money else quantity(int(self.used))
        with_limit = f"{bare} of {self.limit_text}"
        parts = [f"{self.used_text}, {NO_LIMIT}" if self.limit is None else with_limit]
        if self.reserved:
            parts.append(f"{self.reserved_text} held")
        if self.remaining is not None and self.remaining < 0:
            parts.append(self.remaining_text)
        return " · ".join(parts)

    @property
    def used_text(self) -> str:
        """Such as $46.10 or 1,200 tokens."""
        return self._shown(self.used)

    @property
    def reserved_text(self) -> str:
        """What is held, "" for nothing."""
        return self._shown(self.reserved) if self.reserved else ""

    @property
    def remaining_text(self) -> str:
        """Such as $3.90, or $12.08 over; "" without a limit."""
        return remaining_text(self.remaining, self.budget.measure)

    @property
    def limit_text(self) -> str:
        """The limit, without cents where it has none."""
        return limit_text(self.limit, self.budget.measure)

    @property
    def reset_text(self) -> str:
        """What happens next: resets in 8 h 23 m, resets 1 Dec, or never resets."""
        if self.end is None or self.left is None:
            return "never resets"
        if self.left < _SOON:
            return f"resets in {length(self.left)}"
        return f"resets {day(self.end)}"

    @property
    def member_text(self) -> str:
        """Such as ann, the most used of 12; "" where all share the limit."""
        if not self.member_name:
            return ""
        others = f", the most used of {self.members}" if self.members > 1 else ""
        return self.member_name + others

    @property
    def bar(self) -> int:
        """The part of the bar that is filled, 0 to 100."""
        return bar(self.percent)

    def _shown(self, amount: Decimal) -> str:
        return amount_text(amount, self.budget.measure)
