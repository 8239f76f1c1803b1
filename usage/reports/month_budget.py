"""How a month's spend stands against a limit, and where it leads at the pace so far."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from usage.forecasting import projected_total, run_rate
from usage.formats import money, percent, share
from usage.reports.documents import Fact, Facts, Kind
from usage.reports.periods import Period, month_of
from usage.reports.scope import Scope


@dataclass(frozen=True, slots=True)
class MonthBudget:
    """What may be spent in a calendar month, in the report's currency."""

    limit: Decimal


@dataclass(frozen=True, slots=True)
class Standing:
    """A budget on one day of its month; today counts as gone, and `days_left` come after it."""

    limit: Decimal
    used: Decimal
    days_gone: int
    days_left: int

    @property
    def remaining(self) -> Decimal:
        """What is left; less than zero when more was spent."""
        return self.limit - self.used

    @property
    def projected(self) -> Decimal | None:
        """What the month comes to at the pace so far; None before it has begun."""
        rate = run_rate(self.used, self.days_gone)
        return None if rate is None else projected_total(self.used, rate, self.days_left)

    @property
    def verdict(self) -> str:
        """Whether the month stays within the limit."""
        if self.used > self.limit:
            return "over budget"
        if self.projected is None or self.projected <= self.limit:
            return "within budget"
        return "heading over budget"


def standing(budget: MonthBudget, period: Period, scope: Scope) -> Standing:
    """Where the budget stands in the month that `period` ends in, or in the current one where
    the period goes on into the future. Raises QuestionError."""
    month = month_of(min(period.end - timedelta(days=1), scope.today))
    return stand(budget, month, scope.ask(month).totals.cost, scope.today)


def stand(budget: MonthBudget, month: Period, used: Decimal, today: date) -> Standing:
    """Where a month's budget stands on `today`, when `used` is spent in all of the month."""
    gone = min(max((today - month.start).days + 1, 0), month.length)
    return Standing(budget.limit, used, gone, month.length - gone)


def budget_facts(standing: Standing, currency: str) -> Facts:
    """The figures of a budget."""
    facts = (
        Fact("limit", "Monthly budget", Kind.MONEY, standing.limit),
        Fact("used", "Used", Kind.MONEY, standing.used, share=share(standing.used, standing.limit)),
        Fact(
            "remaining",
            "Remaining",
            Kind.MONEY,
            standing.remaining,
            share=share(standing.remaining, standing.limit),
        ),
        Fact("days_remaining", "Days remaining", Kind.COUNT, standing.days_left),
        Fact(
            "projected",
            "Projected total",
            Kind.MONEY,
            standing.projected,
            note=_excess(standing, currency),
        ),
        Fact("verdict", "Verdict", Kind.TEXT, standing.verdict),
    )
    return Facts(facts, "budget", "Budget")


def _excess(standing: Standing, currency: str) -> str:
    projected = standing.projected
    if projected is None or projected <= standing.limit:
        return ""
    excess = projected - standing.limit
    over = share(excess, standing.limit)
    return f"{money(excess, currency)} over" + (f", {percent(over)}" if over is not None else "")
