"""`/reconciliations/` in the OpenAPI document."""

from typing import Annotated

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from msgspec import Meta

from usage.api.schema.bodies import Amount, Answer, CurrencyCode, Day, Instant, Link, Money
from usage.api.schema.chargeback import MONTH
from usage.api.schema.components import schema_of
from usage.api.schema.parameters import CURSOR, limit, parameter, path_word, words
from usage.models import Reconciliation

_STATES = Annotated[str, Meta(extra_json_schema={"enum": Reconciliation.State.values})]
_TAGS = ["reconciliations"]


class Difference(Answer):
    """What is billed, what was recorded, and the gap, billed less recorded, which is exactly
    the sum of its classes: `missing_here` (billed, not recorded), `missing_there` (recorded, not
    billed), `price`, `cache`, `timing`, `rounding`, `other`."""

    billed: Money
    recorded: Money
    gap: Money
    missing_here: Money
    missing_there: Money
    price: Money
    cache: Money
    timing: Money
    rounding: Money
    other: Money
    unpriced_events: int


class ReconciliationItem(Difference, rename={"from_": "from"}):
    """A bill against the ledger over the UTC days from `from` to before `to`. `left_out` says
    which of them are not compared, and why; `allowed` is what tolerance allows."""

    id: int
    organization: str
    source: str
    from_: Day
    to: Day
    currency: CurrencyCode
    state: _STATES
    tolerance_percent: Amount
    tolerance_amount: Amount
    allowed: Amount
    days_compared: int
    left_out: list[str]
    computed_at: Instant
    signed_at: Instant | None
    signed_by: str | None
    note: str


class ReconciliationLineItem(Difference):
    """A day, model and project of it; tokens by part, each only once."""

    day: Day
    model: Annotated[str, Meta(description="Empty for what belongs to no model.")]
    project: str | None
    description: str
    billed_tokens: dict[str, int]
    recorded_tokens: dict[str, int]
    recorded_models: list[str]


class ReconciliationBody(ReconciliationItem, rename={"from_": "from"}):
    """`has_changed`: since it was signed off, the bill or the ledger says something else; null
    where it is not signed off."""

    has_changed: bool | None
    lines: list[ReconciliationLineItem]


class ReconciliationsBody(Answer):
    """A page of reconciliations, the latest days first."""

    results: list[ReconciliationItem]
    next: Link | None


_MONTH = {"type": "string", "pattern": MONTH.replace(r"\Z", "$")}

RECONCILIATIONS = extend_schema(
    operation_id="reconciliations",
    summary="Provider bills against what was recorded",
    tags=_TAGS,
    parameters=[
        OpenApiParameter(
            "organization", {"type": "array", "items": {"type": "string"}},
            OpenApiParameter.QUERY, explode=True, description="Slug; may be repeated.",
        ),
        parameter("source", {"type": "string"}, "Name of the provider bill."),
        parameter("month", _MONTH, "Only those that begin with this month.", example="2026-10"),
        words("state", ("", *Reconciliation.State.values), "", "Only these; empty = any."),
        limit(100),
        CURSOR,
    ],
    responses={
        (200, "application/json"): OpenApiResponse(schema_of(ReconciliationsBody), "A page.")
    },
)  # fmt: skip
"""Decorates the method that lists."""

RECONCILIATION = extend_schema(
    operation_id="reconciliation",
    summary="One reconciliation, line by line",
    tags=_TAGS,
    parameters=[
        path_word("reconciliation_id", "Its id.", {"type": "integer"}),
        words("format", ("json", "csv"), "json", "CSV has the lines alone."),
    ],
    responses={
        (200, "application/json"): OpenApiResponse(schema_of(ReconciliationBody), "The answer."),
        (200, "text/csv"): OpenApiResponse({"type": "string"}, "The lines alone."),
    },
)
"""Decorates the method that shows one."""
