"""What tests of alerts read of them, and windows moved in the simplest way."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.utils import timezone

from budgets.alerts.resolving import settle_alerts
from budgets.models import Alert, Budget, BudgetWindow
from budgets.setting import Level, save_budget
from tests.budgets.spending import ACTOR
from usage.organizations import ensure_organization


def leveled(*levels: str, **fields: Any) -> Budget:
    """A yearly budget of acme that warns at percentages (80%) and amounts (50)."""
    said = {"period": "year", "limit": Decimal(100), **fields}
    row = Budget(organization=ensure_organization("acme"), **said)
    return save_budget(row, [level(text) for text in levels], ACTOR)


def level(text: str) -> Level:
    number = Decimal(text.rstrip("%"))
    return Level(percent=number) if text.endswith("%") else Level(amount=number)


def use(budget: Budget, spent: str, **columns: Any) -> None:
    BudgetWindow.objects.filter(budget=budget).update(spent=Decimal(spent), **columns)


def settle(hours: int = 0) -> int:
    return settle_alerts(timezone.now() + timedelta(hours=hours))


def told(budget: Budget, kind: str = Alert.Kind.THRESHOLD) -> dict[str, str]:
    """How its alerts stand, by level: open, or what they were resolved for."""
    return {
        alert.key.split(":")[-1]: str(alert.resolution or alert.state)
        for alert in Alert.objects.filter(budget=budget, kind=kind).order_by("pk")
    }


def alert_of(budget: Budget, level: str) -> Alert:
    return Alert.objects.get(budget=budget, kind="threshold", key__endswith=f":{level}")
