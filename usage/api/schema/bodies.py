"""Shapes that several answers share: problems, amounts, sums, receipts."""

from datetime import date, datetime
from typing import Annotated, TypeAlias

from msgspec import Meta, Struct, UnsetType

from usage.ingest.values import FieldError

Money: TypeAlias = Annotated[
    str,
    Meta(
        pattern=r"^-?\d+\.\d{10}$",
        description="A decimal string with 10 decimals; an estimate of the provider's bill.",
        examples=["0.0052500000"],
    ),
]
Amount: TypeAlias = Annotated[
    str,
    Meta(pattern=r"^-?\d+(\.\d+)?$", description="An exact decimal string.", examples=["3.75"]),
]
CurrencyCode: TypeAlias = Annotated[
    str, Meta(pattern=r"^[A-Z]{3}$", description="ISO 4217.", examples=["USD"])
]
Bound: TypeAlias = Annotated[
    str,
    Meta(
        description="A date, or an RFC 3339 time with offset.",
        extra_json_schema={"anyOf": [{"format": "date"}, {"format": "date-time"}]},
    ),
]
Day: TypeAlias = date
Link: TypeAlias = Annotated[str, Meta(extra_json_schema={"format": "uri"})]
Instant: TypeAlias = Annotated[datetime, Meta(tz=True)]
Share: TypeAlias = Annotated[
    int | float | None, Meta(description="Percent; null where there is nothing to divide by.")
]


class Answer(Struct, kw_only=True, forbid_unknown_fields=True):
    """What answers derive from: nothing is in them that is not documented."""


class Problem(Struct, kw_only=True):
    """An error as of RFC 9457; `errors` names each field, parameter or event concerned."""

    type: Annotated[
        str, Meta(pattern="^urn:tallyman:problem:", description="Stable, for programs.")
    ]
    title: str
    status: int
    detail: Annotated[str, Meta(description="For people.")]
    errors: list[FieldError]


class Sums(Answer):
    """Sums over counted events. `total_tokens` = input + output; cached and reasoning tokens
    are parts of these. Costs leave out unpriced events."""

    events: int
    errors: int
    unpriced_events: int
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    cache_write_1h_tokens: int
    reasoning_tokens: int
    duration_ms: int
    cost: Money
    input_cost: Money
    output_cost: Money
    cache_cost: Money
    total_tokens: int


Given: TypeAlias = str | UnsetType | None
"""A group's value: null where events do not give it, absent where it was not asked for."""
