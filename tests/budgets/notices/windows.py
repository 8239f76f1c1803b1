"""Windows of budgets of acme and globex as alerts find them, in November 2026."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from budgets.models import Alert, Budget, BudgetWindow
from budgets.selectors.bell import ALERT_PARTS
from budgets.setting import Actor, Level, save_budget
from tests.config.site_data import at
from usage.models import Organization, Project

NOW = at(18)
ACTOR = Actor(name="tests")


def budget(
    project: str = "", limit: str | None = "200", levels: Sequence[str] = ("80",), **said: Any
) -> Budget:
    owner = said.pop("organization", None) or Organization.objects.get(slug="acme")
    part = Project.objects.get(organization=owner, slug=project) if project else None
    row = Budget(
        organization=owner, project=part, limit=None if limit is None else Decimal(limit), **said
    )
    return save_budget(row, [Level(percent=Decimal(each)) for each in levels], ACTOR, now=NOW)


def reach(row: Budget, used: str, **said: Any) -> Alert:
    """The alert of the highest level that the budget's window reaches with so much used."""
    BudgetWindow.objects.filter(budget=row).update(spent=Decimal(used), **said)
    rows = Alert.objects.filter(budget=row).select_related(*ALERT_PARTS)
    return max(rows, key=lambda alert: Decimal(alert.facts["level"]))


def window(row: Budget, start: datetime, end: datetime | None, **said: Any) -> BudgetWindow:
    given = {"limit": row.limit, "is_hard": row.is_hard, **said}
    return BudgetWindow.objects.create(budget=row, start=start, end=end, **given)
