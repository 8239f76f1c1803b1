"""`GET /advice/` in the OpenAPI document."""

from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema

from usage.api.schema.bodies import Answer, Bound, CurrencyCode, Instant, Money
from usage.api.schema.components import schema_of
from usage.api.schema.parameters import FILTERS, PERIOD
from usage.selectors.advice import FILTERS as ADVICE_FILTERS


class AdviceItem(Answer):
    """One thing to do about cost; `about` names what it is about, by dimension."""

    code: str
    title: str
    detail: str
    saving: Money
    organization: str
    about: dict[str, str]


class AdviceBody(Answer, rename={"from_": "from"}):
    """Advice about a period, what would have saved most first."""

    from_: Bound
    to: Bound
    timezone: str
    currency: CurrencyCode
    as_of: Instant
    results: list[AdviceItem]


_EXAMPLE = OpenApiExample(
    "A session that ran away",
    value={
        "from": "2026-11-01", "to": "2026-12-01", "timezone": "Europe/Berlin", "currency": "USD",
        "as_of": "2026-12-01T08:00:03Z",
        "results": [
            {
                "code": "dear_session",
                "title": "Look at the session that cost $84.20",
                "detail": "Session s-17 (project web) cost $84.20: 62 times the median of $1.35.",
                "saving": "77.4500000000", "organization": "acme",
                "about": {"project": "web", "session": "s-17"},
            }
        ],
    },
)  # fmt: skip

ADVICE = extend_schema(
    operation_id="advice",
    summary="What to do about cost",
    tags=["advice"],
    parameters=[*PERIOD, *(each for each in FILTERS if each.name in ADVICE_FILTERS)],
    responses={
        (200, "application/json"): OpenApiResponse(
            schema_of(AdviceBody), "The advice.", examples=[_EXAMPLE]
        )
    },
)
"""Decorates the method that answers."""
