"""`GET /forecast/` in the OpenAPI document."""

from datetime import date

from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema

from usage.api.schema.bodies import Amount, Answer, CurrencyCode, Day, Instant, Money, Share
from usage.api.schema.components import schema_of
from usage.api.schema.limits import EFFECTIVE_LIMIT, EffectiveLimit
from usage.api.schema.parameters import CURRENCY, FILTERS, TIMEZONE, words

PERIODS = ("month", "next-month")


class ForecastLimit(EffectiveLimit):
    """The monthly budget of exactly what is forecast, and how probable it is, in percent, that it
    is passed, and on which day that is expected; null once it is, and where nobody can say."""

    chance: Share
    crosses_on: Day | None


class ForecastBody(Answer, rename={"from_": "from"}):
    """A forecast of the days from `from` to before `to`."""

    period: str
    timezone: str
    from_: date
    to: date
    currency: CurrencyCode
    as_of: Instant
    unpriced_events: int
    spent: Money
    expected: Money | None
    low: Money | None
    high: Money | None
    run_rate: Money
    back_test_error: Amount | None
    coverage: Share
    days_of_history: int
    budget: ForecastLimit | None


_EXAMPLE = OpenApiExample(
    "November, seen on the 20th",
    value={
        "period": "month", "timezone": "Europe/Berlin", "from": "2026-11-01", "to": "2026-12-01",
        "currency": "USD", "as_of": "2026-11-20T09:00:00Z", "unpriced_events": 0,
        "spent": "412.5000000000", "expected": "633.1000000000", "low": "598.2000000000",
        "high": "671.9000000000", "run_rate": "650.0000000000",
        "back_test_error": "8.2500000000", "coverage": 75.0, "days_of_history": 182,
        "budget": {**EFFECTIVE_LIMIT, "chance": 93.1, "crosses_on": "2026-11-27"},
    },
)  # fmt: skip

FORECAST = extend_schema(
    operation_id="forecast",
    summary="What the month will have cost",
    tags=["forecast"],
    parameters=[
        words("period", PERIODS, PERIODS[0], "The present or the next month of `timezone`."),
        TIMEZONE,
        CURRENCY,
        *FILTERS,
    ],
    responses={
        (200, "application/json"): OpenApiResponse(
            schema_of(ForecastBody), "The forecast.", examples=[_EXAMPLE]
        )
    },
)
"""Decorates the method that answers."""
