"""`GET /chargeback/` in the OpenAPI document."""

from typing import Annotated

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from msgspec import Meta

from usage.api.schema.bodies import Answer, CurrencyCode, Instant, Sums
from usage.api.schema.components import schema_of
from usage.api.schema.parameters import parameter, words
from usage.selectors.questions import SUM_NAMES

MONTH = r"^\d{4}-(0[1-9]|1[0-2])\Z"
Month = Annotated[str, Meta(pattern=MONTH)]


class ChargebackItem(Sums):
    """What a project and team used in a month, and the cost centre it is charged to."""

    month: Month
    organization: str
    cost_centre: str | None
    cost_centre_name: str
    project: str | None
    team: str | None


class ChargebackBody(Answer, rename={"from_": "from"}):
    """The months from `from` to before `to`; `totals` are those of all rows."""

    from_: Month
    to: Month
    currency: CurrencyCode
    as_of: Instant
    unpriced_events: int
    results: list[ChargebackItem]
    totals: Sums


_SUMS = {
    **dict.fromkeys(SUM_NAMES, 0), "events": 3, "input_tokens": 12_000, "output_tokens": 800,
    "total_tokens": 12_800, "duration_ms": 5400, "cost": "0.0480000000",
    "input_cost": "0.0360000000", "output_cost": "0.0120000000", "cache_cost": "0.0000000000",
}  # fmt: skip
_EXAMPLE = OpenApiExample(
    "November of one organization",
    value={
        "from": "2026-11", "to": "2026-12", "currency": "USD", "as_of": "2026-12-01T08:00:03Z",
        "unpriced_events": 0,
        "results": [
            {
                "month": "2026-11", "organization": "acme", "cost_centre": "4711",
                "cost_centre_name": "Online shop", "project": "checkout", "team": "storefront",
                **_SUMS,
            }
        ],
        "totals": _SUMS,
    },
)  # fmt: skip
_MONTH = {"type": "string", "pattern": MONTH.replace(r"\Z", "$")}

CHARGEBACK = extend_schema(
    operation_id="chargeback",
    summary="Usage by month and cost centre",
    tags=["chargeback"],
    parameters=[
        parameter("from", _MONTH, "The first month.", example="2026-11"),
        parameter("to", _MONTH, "The month after the last one.", example="2026-12"),
        OpenApiParameter(
            "organization", {"type": "array", "items": {"type": "string"}},
            OpenApiParameter.QUERY, explode=True, description="Slug; may be repeated.",
        ),
        words("format", ("json", "csv"), "json", "CSV has the rows alone."),
    ],
    responses={
        (200, "application/json"): OpenApiResponse(
            schema_of(ChargebackBody), "The answer.", examples=[_EXAMPLE]
        ),
        (200, "text/csv"): OpenApiResponse({"type": "string"}, "The rows alone."),
    },
)  # fmt: skip
"""Decorates the method that answers."""
