"""Usage of acme, a million input tokens for a dollar, and budgets that limit it."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from budgets.models import Budget, BudgetWindow
from budgets.setting import Actor, save_budget
from tests.usage.conftest import NOON, event
from usage.ingest.identities import tenant_of
from usage.ingest.pipeline import Caller, ingest
from usage.ingest.prepare import Tenancy
from usage.ingest.values import EventValue, Report
from usage.organizations import ensure_organization

MODEL = "claude-haiku-4-5"
ACTOR = Actor(None, "the test")


def caller() -> Caller:
    return Caller(Tenancy(tenant_of(ensure_organization("acme")), {}))


def worth(dollars: str, event_id: str, at: datetime = NOON, **fields: Any) -> EventValue:
    tokens = int(Decimal(dollars) * 1_000_000)
    said = {"model": MODEL, "input_tokens": tokens, "output_tokens": 0, **fields}
    return event(event_id, occurred_at=at, **said)


def spend(dollars: str, event_id: str, at: datetime = NOON, **fields: Any) -> Report:
    report = ingest([worth(dollars, event_id, at, **fields)], caller(), now=at)
    assert report.accepted == 1, report
    return report


def set_budget(now: datetime = NOON, **fields: Any) -> Budget:
    said = {"period": "day", "enforcement": "hard", "limit": Decimal(10), **fields}
    owner = ensure_organization("acme")
    return save_budget(Budget(organization=owner, **said), None, ACTOR, now=now)


def change(budget: Budget, now: datetime = NOON, **fields: Any) -> None:
    for name, value in fields.items():
        setattr(budget, name, value)
    save_budget(budget, None, ACTOR, now=now)


def window_of(budget: Budget, at: datetime = NOON) -> Any:
    budget.refresh_from_db()
    return BudgetWindow.objects.get(
        budget=budget, start__gte=budget.counts_since, start__lte=at, end__gt=at
    )


def used(budget: Budget, at: datetime = NOON) -> Any:
    row = window_of(budget, at)
    return row.spent + row.overage
