"""What is asked about calls, and answered, in the OpenAPI document."""

from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from msgspec import UNSET, Meta, UnsetType, defstruct
from msgspec.structs import fields

from budgets.api.schema.budgets import Enforcement, Measure, Outcome, Period
from budgets.asking import NOT_ASKED, Terms
from usage.api.schema.bodies import Amount, Answer, CurrencyCode, Instant, Link, Problem, Share
from usage.ingest.values import EventValue, Receipt


def _members(kind: type[Any]) -> list[tuple[str, Any, Any]]:
    return [
        (field.name, field.type | UnsetType, UNSET)
        for field in fields(kind)
        if field.name not in NOT_ASKED
    ]


Question = defstruct(
    "Question",
    _members(EventValue) + _members(Terms),
    namespace={
        "__doc__": "A call to come: the dimensions of its event, and either `amount`, in the "
        "ledger currency, or how many tokens it may use (`model`, `input_tokens`, "
        "`max_output_tokens`). A site key names the `organization`. For a reservation "
        "`reservation_key` names it for a caller that may ask again (one is made otherwise), "
        "`ttl_seconds` is how long it is held, and `on_expiry` what becomes of it then."
    },
    kw_only=True,
    forbid_unknown_fields=True,
)


class TestedBudget(Answer):
    """What a budget said, as it stood just before. `amount` is what the call takes of it, null
    where its price is unknown. One that the caller may not see has a name of its kind alone."""

    id: int | None
    name: str
    scope: str | None
    member: str | None
    enforcement: Enforcement
    measure: Measure
    period: Period
    start: Instant
    end: Instant | None
    time_zone: str
    limit: Amount | None
    spent: Amount | None
    reserved: Amount | None
    overage: Amount | None
    remaining: Amount | None
    percent: Share
    unpriced_events: int | None
    amount: Amount | None
    decision: Outcome


class CheckAnswer(Answer):
    """May it run? `message` can be posted as it is. `binding` is the budget that decided, first
    in `budgets`: null where it is allowed or not the caller's to see. `retry_at` is when a block
    ends, null where none does."""

    decision: Outcome
    message: str
    estimated_cost: Amount | None
    currency: CurrencyCode
    binding: int | None
    retry_at: Instant | None
    budgets: list[TestedBudget]


class ShownReservation(Answer):
    """Money held for a call, in `currency`, and what became of it: `cost` is what its event
    came to, `estimated` as long as only the estimate is known."""

    id: UUID
    reservation_key: str
    organization: str
    project: str | None
    team: str | None
    subject: str | None
    api_key: str | None
    provider: str
    model: str
    action: str
    agent_type: str
    status: Literal["held", "settled", "released", "expired"]
    amount: Amount | None
    tokens: int
    currency: CurrencyCode
    held_at: Instant
    expires_at: Instant
    ended_at: Instant | None
    on_expiry: Literal["release", "settle"]
    event_id: str | None
    cost: Amount | None
    estimated: bool


class MadeReservation(ShownReservation):
    """A reservation with what the budgets said."""

    decision: Outcome
    message: str
    estimated_cost: Amount | None
    binding: int | None
    retry_at: Instant | None
    budgets: list[TestedBudget]


class SettledReservation(ShownReservation):
    """A reservation with the receipt of the event that settles it."""

    event: Receipt


class ReservationList(Answer):
    """A page of reservations."""

    results: list[ShownReservation]
    next: Link | None
    previous: Link | None


class BudgetExceeded(Problem, kw_only=True):
    """A problem that carries the decision, as an answer of 200 would."""

    decision: Outcome
    message: str
    estimated_cost: Amount | None
    currency: CurrencyCode
    binding: int | None
    retry_at: Instant | None
    budgets: list[TestedBudget]


class ShownDecision(CheckAnswer):
    """What was answered to a call (`call` is what was asked), as it was told then."""

    id: int
    decided_at: Instant
    organization: str
    project: str | None
    subject: str | None
    api_key: str | None
    source: Literal["check", "reservation"]
    reservation: UUID | None
    call: dict[str, Any]


class DecisionList(Answer):
    """A page of decisions."""

    results: list[ShownDecision]
    next: Link | None
    previous: Link | None


class AnsweredDay(Answer):
    """How many calls of a day were answered how."""

    date: date
    allow: int
    warn: int
    block: int


class AnswerCounts(Answer, rename={"from_": "from"}):
    """The days from `from` to before `to` that have any."""

    from_: Annotated[Instant, Meta(description="Start, inclusive.")]
    to: Instant
    timezone: str
    results: list[AnsweredDay]
