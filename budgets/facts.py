"""What people are told of a budget, kept beside what counting needs of it. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from zoneinfo import ZoneInfo

from budgets.models import Budget

_WHOLE = 100


@dataclass(frozen=True, slots=True)
class BudgetFacts:
    """A budget in words. `organization` is the id of the one it belongs to, None the site;
    `percents` and `amounts` are what it warns from, amounts in the unit of its windows."""

    id: int
    organization: int | None
    name: str
    scope: str
    per: str
    enforcement: str
    measure: str
    period: str
    unpriced: str
    contact: str
    percents: tuple[Decimal, ...]
    amounts: tuple[Decimal, ...]
    zone: str

    @classmethod
    def from_budget(
        cls,
        budget: Budget,
        percents: Sequence[Decimal],
        amounts: Sequence[Decimal],
        zone: str,
    ) -> "BudgetFacts":
        """The facts of a budget whose scope has been read; `zone` is where its days begin."""
        return cls(
            budget.pk or 0,
            budget.organization_id,
            budget.name or budget.scope,
            budget.scope,
            budget.per,
            budget.enforcement,
            budget.measure,
            budget.period,
            budget.unpriced,
            budget.contact,
            tuple(percents),
            tuple(amounts),
            zone,
        )

    @property
    def is_hard(self) -> bool:
        """Whether it blocks."""
        return self.enforcement == Budget.Enforcement.HARD

    @property
    def time_zone(self) -> ZoneInfo:
        """Where its days begin."""
        return ZoneInfo(self.zone)

    def warns_from(self, limit: Decimal | None) -> Decimal | None:
        """The lowest amount it warns from where the limit is `limit`; None: from none."""
        levels = warning_levels(limit, self.percents, self.amounts)
        return levels[0] if levels else None


def warning_levels(
    limit: Decimal | None, percents: Iterable[Decimal], amounts: Iterable[Decimal]
) -> tuple[Decimal, ...]:
    """The amounts that `percents` of a limit and `amounts` come to, ascending; of no limit, or of
    one of 0, there are no percentages."""
    shares = [limit * percent / _WHOLE for percent in percents] if limit else []
    return tuple(sorted([*amounts, *shares]))
