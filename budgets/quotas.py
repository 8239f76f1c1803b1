"""Quotas that another system keeps for an organization, made its cost policy."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation

from budgets.models.budgets import WARN_PERCENT
from budgets.policies import Policy, PolicyEntry, ScopeType, limit_of, set_policy
from budgets.setting import Actor
from usage.models import Organization

DAILY = "llm_daily_cost_limit"
MONTHLY = "llm_monthly_cost_limit"
WARN = "llm_cost_warn_threshold_pct"
_EUR, _MICRO_EUR = "_eur", "_micro_eur"


def sync_quotas(
    organization: Organization, quotas: Mapping[str, object], actor: Actor
) -> PolicyEntry | None:
    """Set the organization's policy, in EUR, to what `quotas` say of it; None where they say
    nothing, which changes nothing.

    Limits are DAILY and MONTHLY with _eur or, in millionths, with _micro_eur, which wins; WARN is
    a percentage, 80 unless given. Only numbers above 0 count: of two limits one that does not
    count is none. Raises ValidationError, such as without an exchange rate from EUR.
    """
    daily, monthly = (_limit(quotas, name) for name in (DAILY, MONTHLY))
    if daily is None and monthly is None:
        return None
    percent = _above_zero(quotas.get(WARN)) or WARN_PERCENT
    policy = Policy(daily, monthly, warn_percent=percent)
    return set_policy(ScopeType.ORGANIZATION, organization, policy, actor)


def _limit(quotas: Mapping[str, object], name: str) -> Decimal | None:
    micro = _above_zero(quotas.get(name + _MICRO_EUR))
    return limit_of(None if micro is None else int(micro), _above_zero(quotas.get(name + _EUR)))


def _above_zero(value: object) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        return None
    try:
        # As it was written: a float holds 8.03 only nearly.
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() and number > 0 else None
