from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from budgets.models import Budget
from budgets.setting import Actor, Level, save_budget
from usage.models import Organization, Project

ACTOR = Actor(name="tests")


def budget(
    organization: str | None = "acme",
    limit: str | None = "5",
    project: str | None = None,
    *,
    warns_at: Sequence[str] | None = None,
    now: datetime | None = None,
    **fields: Any,
) -> Budget:
    owner = Organization.objects.get(slug=organization) if organization else None
    part = Project.objects.get(organization=owner, slug=project) if project else None
    row = Budget(
        organization=owner, project=part, limit=None if limit is None else Decimal(limit), **fields
    )
    levels = None if warns_at is None else [Level(percent=Decimal(text)) for text in warns_at]
    return save_budget(row, levels, ACTOR, now=now)
