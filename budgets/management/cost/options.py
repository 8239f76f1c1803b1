"""The options that say which budgets are meant."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated

from typer import Option

from budgets.models import Budget
from usage.management.cost.options import parse_amount


def _limit(period: str) -> object:
    return Option(f"--{period}", metavar="AMOUNT", parser=parse_amount, help=f"{period} limit")


@dataclass(frozen=True, slots=True)
class LimitOptions:
    """Limits, each of one period."""

    daily: Annotated[Decimal | None, _limit("daily")] = None
    weekly: Annotated[Decimal | None, _limit("weekly")] = None
    monthly: Annotated[Decimal | None, _limit("monthly")] = None
    yearly: Annotated[Decimal | None, _limit("yearly")] = None

    @property
    def given(self) -> Mapping[str, Decimal]:
        """The limits given, by period."""
        limits = {
            Budget.Period.DAY: self.daily,
            Budget.Period.WEEK: self.weekly,
            Budget.Period.MONTH: self.monthly,
            Budget.Period.YEAR: self.yearly,
        }
        return {period: limit for period, limit in limits.items() if limit is not None}


def _one(period: str) -> object:
    return Option(f"--{period}", help=f"the {period} one")


@dataclass(frozen=True, slots=True)
class PeriodFlags:
    """Which budgets are meant, by their periods."""

    daily: Annotated[bool, _one("daily")] = False
    weekly: Annotated[bool, _one("weekly")] = False
    monthly: Annotated[bool, _one("monthly")] = False
    yearly: Annotated[bool, _one("yearly")] = False

    @property
    def chosen(self) -> list[str]:
        """The periods named."""
        flags = {
            Budget.Period.DAY: self.daily,
            Budget.Period.WEEK: self.weekly,
            Budget.Period.MONTH: self.monthly,
            Budget.Period.YEAR: self.yearly,
        }
        return [period.value for period, is_named in flags.items() if is_named]


@dataclass(frozen=True, slots=True)
class TargetOptions:
    """What a budget limits."""

    project: Annotated[str, Option("--project", metavar="SLUG", help="only this project")] = ""
    organization: Annotated[
        str, Option("--organization", metavar="SLUG", help="needed where there are several")
    ] = ""


@dataclass(frozen=True, slots=True)
class MeasureOptions:
    """What is counted: cost unless one of these is chosen."""

    tokens: Annotated[bool, Option("--tokens", help="limit tokens instead of cost")] = False
    requests: Annotated[bool, Option("--requests", help="limit requests instead of cost")] = False

    @property
    def measure(self) -> str:
        """The measure; tokens where both are chosen, which commands refuse."""
        if self.tokens:
            return Budget.Measure.TOKENS
        return Budget.Measure.REQUESTS if self.requests else Budget.Measure.COST
