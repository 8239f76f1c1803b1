"""What budgets add to the reports, lines and quotas of `cost`."""

from decimal import Decimal

from django.utils import timezone

from budgets.models import Budget
from budgets.selectors.own import own_budget
from budgets.selectors.remainders import share_left
from budgets.selectors.states import BudgetState, states_of
from usage.management.cost.live import Live
from usage.management.cost.reporting import Reporting
from usage.models import Organization
from usage.reports.month_budget import MonthBudget
from usage.reports.quotas import PlanLimits
from usage.reports.scope import Scope
from usage.selectors.currency import ledger_currency
from usage.selectors.episodes import Episode

_WINDOWS = (Budget.Period.DAY, Budget.Period.WEEK, Budget.Period.MONTH)


class Standing(Live, Reporting):
    """Budgets where nobody has named a limit: those of the organization asked for or of the only
    one there is, else of all together."""

    def month_budget(self, scope: Scope) -> MonthBudget | None:
        """The monthly budget; None where its limit is in another currency than the report."""
        state = _state(scope, Budget.Measure.COST, Budget.Period.MONTH)
        if state is None or state.limit is None:
            return None
        if scope.currency == ledger_currency():
            return MonthBudget(state.limit)
        is_same = scope.currency == state.budget.currency and state.budget.limit is not None
        return MonthBudget(state.budget.limit or Decimal(0)) if is_same else None

    def budget_left(self, scope: Scope, episode: Episode) -> Decimal | None:
        """What the budget leaves that leaves least, in percent."""
        return share_left(scope.viewer, episode, timezone.now())

    def plan_limits(self, scope: Scope) -> PlanLimits:
        """The limits of requests, of the shortest period, and of tokens a day."""
        tokens = _state(scope, Budget.Measure.TOKENS, Budget.Period.DAY)
        daily = None if tokens is None or tokens.limit is None else int(tokens.limit)
        for period in _WINDOWS:
            found = _state(scope, Budget.Measure.REQUESTS, period)
            if found is not None and found.limit:
                return PlanLimits(int(found.limit), period, daily)
        return PlanLimits(daily_tokens=daily)


def _state(scope: Scope, measure: str, period: str) -> BudgetState | None:
    if len(scope.organizations) > 1:
        return None
    rows = Organization.objects.filter(archived_at=None)
    owners = rows.filter(slug=scope.organization) if scope.organization else rows
    found = list(owners[:2])
    budget = own_budget(found[0] if len(found) == 1 else None, period=period, measure=measure)
    return None if budget is None else states_of([budget], scope.now)[0]
