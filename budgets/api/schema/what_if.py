"""`/budgets/what-if/` in the OpenAPI document."""

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from budgets.api.bodies import BudgetBody
from budgets.api.schema.budgets import Measure
from budgets.api.schema.operations import operation
from usage.api.schema.bodies import Amount, Answer, CurrencyCode, Day, Instant
from usage.api.schema.components import schema_of


class WhatIfBody(
    BudgetBody, kw_only=True, forbid_unknown_fields=True, rename={"first": "from", "end": "to"}
):
    """A budget to try out, and the days to try it on, `to` exclusive: without them, last month.

    Days are those of its organization's time zone. Nothing is saved, and names stay unknown
    where they are: name, contact, channels, priority and enabled make no difference.
    """

    first: Day | UnsetType = UNSET
    end: Day | UnsetType = UNSET


class Answers(Answer):
    """How calls would have been answered. `spent` is what allowed and warned calls cost,
    `prevented` what blocked ones did; both leave out calls without a price, of which `unpriced`
    would have run."""

    allowed: int
    warned: int
    blocked: int
    unpriced: int
    spent: Amount
    prevented: Amount


class TriedDay(Answers):
    """One day."""

    day: Day


class Tried(Answers):
    """A window from `start` to before `end` (null: for ever): amounts are in the currency, or in
    tokens or requests. `used_before` is what was used in it before the first day tried."""

    member: str | None
    start: Instant
    end: Instant | None
    limit: Amount | None
    used_before: Amount
    used: Amount
    warned_at: Instant | None
    blocked_at: Instant | None


class TriedName(Answers):
    """Somebody or something whose calls would have been warned about or blocked: those calls."""

    organization: str
    name: Annotated[str, Meta(description="Empty: calls that name none.")]


class FirstCall(Answer):
    """The first call answered so, and what its caller would have read."""

    at: Instant
    message: str


class WhatIfAnswer(Answers):
    """What a budget would have done to the calls of the past.

    `windows` are those with most blocked calls, out of `window_count` that saw any call.
    """

    start: Annotated[Day, Meta(description="The first day.")]
    end: Annotated[Day, Meta(description="The day after the last.")]
    timezone: str
    currency: CurrencyCode
    measure: Measure
    calls: int
    first_warned: FirstCall | None
    first_blocked: FirstCall | None
    days: list[TriedDay]
    windows: list[Tried]
    window_count: int
    subjects: list[TriedName]
    projects: list[TriedName]
    models: list[TriedName]


_EXAMPLE: dict[str, object] = {
    "scope": {"organization": "acme"}, "per": "subject", "period": "day", "limit": "20.00",
    "enforcement": "hard", "from": "2026-10-01", "to": "2026-11-01",
}  # fmt: skip

WHAT_IF = operation(
    "budget_what_if", "What would this budget have done?", "budgets", WhatIfAnswer,
    body=schema_of(WhatIfBody), example=_EXAMPLE,
)  # fmt: skip
