"""`GET /usage/` in the OpenAPI document."""

from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from msgspec import UNSET, defstruct

from usage.api.schema.bodies import Answer, Bound, CurrencyCode, Given, Instant, Link, Sums
from usage.api.schema.components import schema_of
from usage.api.schema.parameters import CURRENCY, CURSOR, FILTERS, PERIOD, limit, parameter, words
from usage.selectors.dimensions import DIMENSIONS, TAG_MARK
from usage.selectors.questions import MAX_GROUPS, SUM_NAMES, Granularity

UsageRow = defstruct(
    "UsageRow",
    [("start", Bound), *((name, Given, UNSET) for name in DIMENSIONS)],
    bases=(Sums,),
    namespace={
        "__doc__": "Sums of a period and group: a member for each name of `group_by`, "
        "also `tag:NAME`; `start` is a day, of hours and quarter hours a time."
    },
    kw_only=True,
    forbid_unknown_fields=False,
)


class UsageBody(Answer, rename={"from_": "from"}):
    """A page of rows; `totals` are of the whole question. All of it holds as of `as_of`."""

    from_: Bound
    to: Bound
    timezone: str
    currency: CurrencyCode
    granularity: Granularity
    as_of: Instant
    unpriced_events: int
    results: list[UsageRow]  # type: ignore[valid-type]  # made above from the dimensions' names
    totals: Sums
    next: Link | None


_SUMS = {
    **dict.fromkeys(SUM_NAMES, 0), "events": 3, "input_tokens": 12_000, "output_tokens": 800,
    "total_tokens": 12_800, "duration_ms": 5400, "cost": "0.0480000000",
    "input_cost": "0.0360000000", "output_cost": "0.0120000000", "cache_cost": "0.0000000000",
}  # fmt: skip
_EXAMPLE = OpenApiExample(
    "Spend of each project and day",
    value={
        "from": "2026-11-01", "to": "2026-11-02", "timezone": "Europe/Berlin", "currency": "USD",
        "granularity": "day", "as_of": "2026-11-02T08:00:03Z", "unpriced_events": 0,
        "results": [{"start": "2026-11-01", "project": "web", **_SUMS}],
        "totals": _SUMS, "next": None,
    },
)  # fmt: skip

USAGE = extend_schema(
    operation_id="usage",
    summary="Sums of usage by period and group",
    tags=["usage"],
    parameters=[
        *PERIOD,
        words("granularity", Granularity, Granularity.TOTAL, "How long the periods are."),
        parameter(
            "group_by", {"type": "string"},
            f"Comma list of at most {MAX_GROUPS} of {', '.join(DIMENSIONS)}, {TAG_MARK}NAME.",
            example="project",
        ),
        *FILTERS,
        CURRENCY,
        parameter(
            "order_by", {"type": "string"}, "`start`, a sum or a group; with `-` descending.",
            example="-cost",
        ),
        limit(),
        CURSOR,
        words("format", ("json", "csv"), "json", "CSV has all rows unless limited."),
    ],
    responses={
        (200, "application/json"): OpenApiResponse(
            schema_of(UsageBody), "The answer.", examples=[_EXAMPLE]
        ),
        (200, "text/csv"): OpenApiResponse({"type": "string"}, "The rows alone."),
    },
)  # fmt: skip
"""Decorates the method that answers."""
