"""Budgets in the simplest way: lists of calls and holds, and every figure summed anew."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TypeAlias
from zoneinfo import ZoneInfo

NOTHING = Decimal(0)
Member: TypeAlias = tuple[str, str]
"""The organization and the name; ALL where all share a limit."""
ALL: Member = ("", "")
ZONES = {"acme": ("America/New_York", 7), "other": ("Asia/Kathmandu", 1), None: ("UTC", 1)}
"""Time zone and first ISO weekday by organization; None is the site."""
_LENGTH = {"month": 1, "quarter": 3, "year": 12}


@dataclass(frozen=True)
class Who:
    organization: str
    project: str | None
    subject: str | None
    model: str


@dataclass
class Used:
    who: Who
    at: datetime
    tokens: int
    cost: Decimal | None
    counts: bool = True


@dataclass
class Held:
    who: Who
    at: datetime
    expires: datetime
    tokens: int
    cost: Decimal
    settles: bool
    status: str = "held"
    settled_tokens: int | None = None
    estimate: str | None = None


@dataclass
class Raised:
    number: int
    member: Member | None
    limit: Decimal | None
    since: datetime
    until: datetime


@dataclass
class Limits:
    organization: str | None
    project: str | None = None
    subject: str | None = None
    model: str = ""
    per: str = ""
    measure: str = "cost"
    period: str = "day"
    limit: Decimal | None = None
    hard: bool = False
    percent: Decimal | None = Decimal(80)
    amount: Decimal | None = None
    enabled: bool = True
    counts_since: datetime | None = None
    raises: list[Raised] = field(default_factory=list)

    def holds(self, who: Who) -> bool:
        asked = ("organization", "project", "subject", "model")
        named = [(getattr(self, name), getattr(who, name)) for name in asked]
        return all(want in (None, "", has) for want, has in named) and self.member(who) is not None

    def member(self, who: Who) -> Member | None:
        if not self.per:
            return ALL
        name = getattr(who, self.per)
        return name and (who.organization, name)

    def span(self, at: datetime) -> tuple[datetime, datetime | None]:
        zone, first_weekday = ZONES[self.organization]
        if self.period == "total":
            return datetime(1970, 1, 1, tzinfo=ZoneInfo("UTC")), None
        local = ZoneInfo(zone)
        today = at.astimezone(local).date()
        start, end = self._days(today, first_weekday)
        return (
            datetime(start.year, start.month, start.day, tzinfo=local),
            datetime(end.year, end.month, end.day, tzinfo=local),
        )

    def _days(self, today: date, first_weekday: int) -> tuple[date, date]:
        if self.period == "day":
            return today, today + timedelta(1)
        if self.period == "week":
            start = today
            while start.isoweekday() != first_weekday:
                start -= timedelta(1)
            return start, start + timedelta(7)
        length = _LENGTH[self.period]
        start = date(today.year, (today.month - 1) // length * length + 1, 1)
        months = start.year * 12 + start.month - 1 + length
        return start, date(months // 12, months % 12 + 1, 1)

    def levels(self, limit: Decimal | None) -> dict[str, Decimal]:
        found = {}
        if limit and self.percent is not None:
            found[f"{self.percent}%"] = limit * self.percent / 100
        if self.amount is not None:
            found[f"{self.amount.normalize():f}"] = self.amount
        return found

    def counted(self, tokens: int, cost: Decimal | None) -> Decimal:
        if self.measure == "cost":
            return cost or NOTHING
        return Decimal(tokens if self.measure == "tokens" else 1)

    def limit_at(self, member: Member, now: datetime) -> Decimal | None:
        holding = [
            raised
            for raised in self.raises
            if raised.member in (None, member) and raised.since <= now < raised.until
        ]
        if not holding:
            return self.limit
        return max(holding, key=lambda r: (r.member is not None, r.since, r.number)).limit


@dataclass
class Figures:
    used: Decimal
    reserved: Decimal
    unpriced: int


@dataclass
class Books:
    calls: dict[str, Used] = field(default_factory=dict)
    held: dict[str, Held] = field(default_factory=dict)
    budgets: dict[int, Limits] = field(default_factory=dict)

    def figures(self, budget: Limits, member: Member, at: datetime) -> Figures:
        start, end = budget.span(at)

        def inside(who: Who, moment: datetime) -> bool:
            ours = budget.holds(who) and budget.member(who) == member
            return ours and start <= moment and (end is None or moment < end)

        calls = [c for c in self.calls.values() if c.counts and inside(c.who, c.at)]
        held = [h for h in self.held.values() if h.status == "held" and inside(h.who, h.at)]
        return Figures(
            sum((budget.counted(c.tokens, c.cost) for c in calls), NOTHING),
            sum((budget.counted(h.tokens, h.cost) for h in held), NOTHING),
            sum(c.cost is None for c in calls),
        )

    def answers(
        self, who: Who, tokens: int, cost: Decimal, now: datetime
    ) -> dict[int, tuple[str, datetime | None]]:
        """What each budget that a call counts against says to it, and when it begins anew."""
        found = {}
        for number, budget in self.budgets.items():
            if budget.enabled and budget.holds(who):
                member = budget.member(who) or ALL
                word = self._answer(budget, member, budget.counted(tokens, cost), now)
                found[number] = word, budget.span(now)[1]
        return found

    def _answer(self, budget: Limits, member: Member, amount: Decimal, now: datetime) -> str:
        limit = budget.limit_at(member, now)
        found = self.figures(budget, member, now)
        taken = found.used + found.reserved
        if limit == 0 or not self._fits(limit, taken, amount):
            return "block" if budget.hard else "warn"
        levels = budget.levels(limit).values()
        return "warn" if any(taken + amount >= level for level in levels) else "allow"

    def _fits(self, limit: Decimal | None, taken: Decimal, amount: Decimal) -> bool:
        return limit is None or (taken + amount <= limit and (amount > 0 or taken < limit))

    def reached(
        self, budget: Limits, member: Member, at: datetime, limit: Decimal | None
    ) -> set[str]:
        """The levels, the limit among them, that a window has come to."""
        found = self.figures(budget, member, at)
        taken = found.used + found.reserved
        levels = budget.levels(limit) | ({} if limit is None else {"100%": limit})
        return {name for name, level in levels.items() if taken > 0 and taken >= level}

    def expire(self, now: datetime, organization: str | None = None) -> None:
        for key, held in list(self.held.items()):
            if held.status != "held" or held.expires > now:
                continue
            if organization in (None, held.who.organization):
                if held.settles:
                    held.status, held.estimate = "settled", f"estimate of {key}"
                    self.calls[held.estimate] = Used(held.who, held.at, held.tokens, held.cost)
                else:
                    held.status = "expired"
