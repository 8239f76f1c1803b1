from decimal import Decimal
from typing import Any

from budgets.models import Budget
from usage.models import Organization, Project


def budget(
    organization: str = "acme", limit: str = "5", project: str | None = None, **fields: Any
) -> Budget:
    owner = Organization.objects.get(slug=organization)
    part = project and Project.objects.get(organization=owner, slug=project)
    return Budget.objects.create(
        organization=owner, project=part or None, limit=Decimal(limit), **fields
    )
