"""What was answered to calls: how often, and the warnings and refusals that were kept."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import QuerySet, Sum

from budgets.messages import SITE, hidden_message
from budgets.models import Budget, Decision, DecisionCount
from budgets.models.budgets import read_as
from usage.selectors.access import Viewer
from usage.selectors.overview import visible

RECENT = 10


@dataclass(slots=True)
class Answers:
    """How many calls of a day were answered in each way."""

    day: date
    allow: int = 0
    warn: int = 0
    block: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return self.allow + self.warn + self.block


@dataclass(frozen=True, slots=True)
class TestedBudget:
    """A budget as it stood when a call was tested against it, with what it said to the call.

    Amounts are in the unit of its measure; `amount` is what the call would have taken, None
    where its price was unknown. Times are of its own zone. Of one that the reader may not see
    (`is_hidden`) only what it said is told.
    """

    id: int
    name: str
    outcome: str
    is_hidden: bool
    member: str = ""
    enforcement: str = ""
    measure: str = ""
    start: datetime | None = None
    end: datetime | None = None
    zone: str = ""
    limit: Decimal | None = None
    spent: Decimal = Decimal(0)
    overage: Decimal = Decimal(0)
    reserved: Decimal = Decimal(0)
    remaining: Decimal | None = None
    amount: Decimal | None = None

    @property
    def used(self) -> Decimal:
        """What calls had come to."""
        return self.spent + self.overage


def tested_budgets(viewer: Viewer, decision: Decision) -> list[TestedBudget]:
    """Every budget that a call was tested against, the binding one first."""
    return [_tested(viewer, said) for said in decision.tested]


def call_facts(call: dict[str, Any]) -> list[tuple[str, Any]]:
    """What was said of a call, by name; without its amount, which stands for itself."""
    said = {name: value for name, value in call.items() if name != "amount" and value}
    return sorted((read_as(name), value) for name, value in said.items())


def told_message(viewer: Viewer, decision: Decision) -> str:
    """What the caller was told, without the figures of a budget that is not a viewer's to see."""
    first = decision.tested[0] if decision.tested else None
    if first is None or may_see_tested(viewer, first):
        return decision.message
    return hidden_message(decision.outcome)


def name_binding(viewer: Viewer, decision: Decision) -> str:
    """The name of the budget that decided, "" where none is known any more."""
    first = decision.tested[0] if decision.tested else None
    if first is None:
        return ""
    return str(first["name"]) if may_see_tested(viewer, first) else SITE


def may_see_tested(viewer: Viewer, said: Mapping[str, Any]) -> bool:
    """Whether a budget that a call was tested against, as JSON values, is a viewer's to see."""
    owner = said["organization"]
    return viewer.organization_ids is None if owner is None else viewer.may_see(owner)


def _tested(viewer: Viewer, said: dict[str, Any]) -> TestedBudget:
    if not may_see_tested(viewer, said):
        return TestedBudget(0, SITE, said["decision"], is_hidden=True)
    ends = (said["start"], said["end"])
    start, end = (at and datetime.fromisoformat(at) for at in ends)
    return TestedBudget(
        said["id"],
        said["name"],
        said["decision"],
        is_hidden=False,
        member=said["member"] or "",
        enforcement=said["enforcement"],
        measure=said["measure"],
        start=start,
        end=end,
        zone=said["time_zone"],
        limit=_decimal(said["limit"]),
        spent=Decimal(said["spent"]),
        overage=Decimal(said["overage"]),
        reserved=Decimal(said["reserved"]),
        remaining=_decimal(said["remaining"]),
        amount=_decimal(said["amount"]),
    )


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def recent_decisions(viewer: Viewer, budget: Budget) -> QuerySet[Decision]:
    """The latest warnings and refusals that a budget brought about, as far as a viewer may see."""
    rows = visible(Decision.objects.filter(binding=budget), viewer)
    return rows.select_related("organization", "project", "subject")[:RECENT]


def count_answers(
    viewer: Viewer, start: datetime, end: datetime, zone: ZoneInfo, organization: str = ""
) -> list[Answers]:
    """How many calls were answered in each way, by days of `zone`, the latest first.

    Only days with any, from `start` to before `end`, aware times. An hour belongs to the day that
    it begins in; answers of the last minute may be missing.
    """
    rows = visible(DecisionCount.objects.filter(hour__gte=start, hour__lt=end), viewer)
    if organization:
        rows = rows.filter(organization__slug=organization)
    found: dict[date, Answers] = {}
    sums: dict[tuple[date, str], int] = defaultdict(int)
    hours = rows.order_by().values_list("hour", "outcome").annotate(total=Sum("count"))
    for hour, outcome, total in hours:
        sums[hour.astimezone(zone).date(), outcome] += total
    for (day, outcome), total in sums.items():
        setattr(found.setdefault(day, Answers(day)), outcome, total)
    return sorted(found.values(), key=lambda answers: answers.day, reverse=True)
