"""What a budget has used: period by period, member by member, and who changed it how."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from django.db.models import Count, F, Q, QuerySet, Sum
from django.db.models.functions import NullIf

from budgets.matching import BudgetValue
from budgets.models import Budget, BudgetChange, BudgetWindow, Hold
from budgets.selectors.scopes import name_members
from budgets.selectors.standings import BudgetState
from budgets.thresholds import warning_amounts
from usage.formats import UNKNOWN
from usage.selectors.periods import find_zone

_USED = F("spent") + F("overage")


@dataclass(frozen=True, slots=True)
class SharedPeriod:
    """A period of a budget in which each member has the limit to itself.

    `used`, `reserved` and `overage` are those of all `members` together, in the ledger currency,
    or tokens or requests; `reached` of them have used all they may.
    """

    start: date
    end: date | None
    members: int
    reached: int
    used: Decimal
    reserved: Decimal
    overage: Decimal


@dataclass(frozen=True, slots=True)
class Difference:
    """What a change made of one thing that a budget says; "" where it said nothing."""

    name: str
    before: str
    after: str


def zone_of(budget: Budget) -> str:
    """The IANA zone that its periods begin in."""
    return BudgetValue.from_budget(budget).zone


def windows_of(budget: Budget) -> QuerySet[BudgetWindow]:
    """The windows of a budget whose limit all share, the latest first."""
    return budget.windows.filter(member=0).order_by("-start")


def shared_periods(budget: Budget) -> QuerySet[BudgetWindow, Any]:
    """The periods of a budget with a limit for each, the latest first, for `as_periods`."""
    return (
        budget.windows.values("start", "end")
        .annotate(
            members=Count("pk"),
            reached=Count("pk", filter=Q(limit__lte=_USED)),
            used=Sum(_USED),
            held=Sum("reserved"),
            beyond=Sum("overage"),
        )
        .order_by("-start")
    )


def as_periods(budget: Budget, rows: Iterable[dict[str, Any]]) -> list[SharedPeriod]:
    """Rows of `shared_periods` in days of the budget's zone."""
    zone = find_zone(zone_of(budget))
    return [
        SharedPeriod(
            row["start"].astimezone(zone).date(),
            row["end"] and row["end"].astimezone(zone).date(),
            row["members"],
            row["reached"],
            row["used"],
            row["held"],
            row["beyond"],
        )
        for row in rows
    ]


def member_windows(budget: Budget, now: datetime) -> QuerySet[BudgetWindow]:
    """The windows that members of a budget have at `now`, an aware time, most used first."""
    span = BudgetValue.from_budget(budget).span(now)
    part = _USED / NullIf(F("limit"), Decimal(0))
    ordered = budget.windows.filter(start=span.start).annotate(part=part, used=_USED)
    return ordered.order_by(F("part").desc(nulls_last=True), "-used", "member")


def as_states(budget: Budget, windows: Iterable[BudgetWindow], now: datetime) -> list[BudgetState]:
    """How a budget stands, or stood, in its windows; with the names of their members."""
    rows, zone = list(windows), find_zone(zone_of(budget))
    members = {(budget.per, row.member) for row in rows if row.member}
    names = name_members(members, full=budget.organization_id is None)
    return [
        BudgetState(
            budget,
            row.start.astimezone(zone).date(),
            row.end and row.end.astimezone(zone).date(),
            row.limit,
            row.spent,
            row.unpriced_events if budget.measure == Budget.Measure.COST else 0,
            row.end - now if row.end else None,
            row.reserved,
            row.overage,
            warning_amounts(budget, row.limit, row.start, now),
            row.member,
            names.get((budget.per, row.member), UNKNOWN) if row.member else "",
            1 if row.member else 0,
        )
        for row in rows
    ]


def holds_of(budget: Budget) -> QuerySet[Hold]:
    """What open reservations hold of a budget, those that end first first."""
    rows = Hold.objects.filter(window__budget=budget)
    return rows.select_related("reservation").order_by("reservation__expires_at", "pk")


def differences(change: BudgetChange) -> list[Difference]:
    """What a change made of a budget, in the order of names; all that a new one says."""
    before, after = _flat(change.before), _flat(change.after)
    return [
        Difference(name.replace("_", " "), before.get(name, ""), after.get(name, ""))
        for name in sorted(before.keys() | after.keys())
        if before.get(name, "") != after.get(name, "")
    ]


def _flat(said: dict[str, Any]) -> dict[str, str]:
    """What is said by name, as words; parts of the scope stand beside the rest."""
    parts = {f"scope: {name}": part for name, part in (said.get("scope") or {}).items()}
    rest = {name: value for name, value in said.items() if name != "scope"}
    shown = {name: _shown(name, value) for name, value in {**parts, **rest}.items()}
    return {name: value for name, value in shown.items() if value}


def _shown(name: str, value: Any) -> str:
    if name == "limit":
        return "no limit" if value is None else str(value)
    if name in ("since", "until") and value:
        return f"{datetime.fromisoformat(value).astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        named = value[-1:] if name.startswith("scope") else value
        return ", ".join(str(each) for each in named)
    return "" if value in (None, "", 0) else str(value)
