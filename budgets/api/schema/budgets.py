"""`/budgets/` and `/policies/…` in the OpenAPI document: the shapes of their answers."""

from datetime import date
from typing import Annotated, Literal

from msgspec import Meta

from usage.api.schema.bodies import Amount, Answer, CurrencyCode, Instant, Link, Money, Share
from usage.api.schema.limits import LimitScope

Measure = Literal["cost", "tokens", "requests"]
Period = Literal["day", "week", "month", "quarter", "year", "total"]
Enforcement = Literal["soft", "hard"]
Outcome = Literal["allow", "warn", "block"]


class ShownLevel(Answer, omit_defaults=True):
    """Where a budget warns: at a percentage of its limit or at an amount."""

    percent: Amount | None = None
    amount: Amount | None = None


class WindowOutlook(Answer):
    """What a window will have used at its end, as reckoned at `made_at` from what it counts day
    by day.

    `low` to `high` holds four times of five; they and `expected` are null with less than 14 days
    of history. `run_rate` is what the pace so far comes to. `chance` is how probable it is, in
    percent, that the limit is passed, and `crosses_on` the day on which it is expected to be.
    `error` is by how many percent such forecasts of the past missed on average, `coverage` how
    many percent of them had the truth in their band.
    """

    made_at: Instant
    expected: Money | None
    low: Money | None
    high: Money | None
    run_rate: Money | None
    chance: Share
    error: Share
    coverage: Share
    crosses_on: date | None
    days_of_history: int


class Window(Answer):
    """A budget from `start` to before `end` (null: for ever), in its own time zone.

    Amounts are in `currency`, or, where that is null, in tokens or requests. `spent` is what fits
    into the limit beside what is `reserved`, `overage` what was used beyond it; `remaining` is
    what is left of the limit, less than zero where more was used; `percent` is used of the limit.
    `forecast` is what `outlook` expects to be used at the end, and without it what the pace so far
    comes to; null where that cannot be said. Where each of many has the limit to itself, this is
    the one of `members` that used most.
    """

    start: Instant
    end: Instant | None
    time_zone: str
    currency: CurrencyCode | None
    member: str | None
    members: int | None
    limit: Money | None
    spent: Money
    reserved: Money
    overage: Money
    remaining: Money | None
    percent: Share
    state: Literal["ok", "warn", "over"]
    unpriced_events: int
    forecast: Money | None
    outlook: WindowOutlook | None


class ShownBudget(Answer):
    """A budget, by the names of the body that sets it, and its window, null once it is off.

    A `limit` of null is none, 0 allows nothing. `title` is what it is called without a name.
    """

    id: int
    name: str
    title: str
    scope: LimitScope
    per: Literal["", "organization", "project", "team", "subject", "api_key"]
    measure: Measure
    period: Period
    starts_on: date | None
    limit: Money | None
    currency: Annotated[str, Meta(description="Of the limit; empty: the ledger's.")]
    enforcement: Enforcement
    unpriced: Literal["estimate", "block", "allow"]
    thresholds: list[ShownLevel]
    channels: list[str]
    priority: int
    contact: str
    enabled: bool
    created_at: Instant
    updated_at: Instant
    window: Window | None


class BudgetList(Answer):
    """A page of budgets."""

    results: list[ShownBudget]
    next: Link | None
    previous: Link | None


class WindowList(Answer):
    """A page of windows."""

    results: list[Window]
    next: Link | None
    previous: Link | None


class ShownRaise(Answer):
    """Another limit, in the budget's currency, from `since` to before `until`; null is none."""

    id: int
    budget: int
    limit: Money | None
    since: Instant
    until: Instant
    member: str | None
    reason: str


class RaiseList(Answer):
    """What a budget allows, or allowed, for a while."""

    results: list[ShownRaise]


class ShownPolicy(Answer):
    """What a scope may cost a day and a month: null is no limit, 0 allows nothing. Amounts in
    euros and in millionths are null where `currency` is another."""

    scope_type: Literal["org", "group", "user", "project"]
    scope_id: int | None
    scope_name: str
    organization: str
    currency: Annotated[str, Meta(description="Empty: the ledger's.")]
    warn_threshold_pct: Amount
    daily_limit: Money | None
    monthly_limit: Money | None
    daily_limit_eur: Money | None
    monthly_limit_eur: Money | None
    daily_limit_micro_eur: int | None
    monthly_limit_micro_eur: int | None


class PolicyList(Answer):
    """All cost policies in sight."""

    results: list[ShownPolicy]


class TakenQuotas(Answer):
    """The cost policy that quotas became, null where they hold no limit."""

    policy: ShownPolicy | None
