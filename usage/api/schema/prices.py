"""`/prices/` in the OpenAPI document."""

from typing import Annotated

from drf_spectacular.utils import OpenApiExample, OpenApiRequest, OpenApiResponse, extend_schema
from msgspec import UNSET, Meta, UnsetType

from pricing.api.bodies import MAX_PRICES, PriceBody
from usage.api.schema.bodies import Amount, Answer, CurrencyCode, Instant, Link
from usage.api.schema.components import schema_of
from usage.api.schema.inspection import PROBLEM_TYPE, problem_answer
from usage.api.schema.parameters import CURSOR, limit, parameter

_TIME = Annotated[str, Meta(pattern=r"^\d\d:\d\d:\d\d", description="Time of day, UTC.")]


class ListedTier(Answer):
    """What units beyond a quantity cost."""

    above: int
    unit_price: Amount


class StatedPrice(Answer):
    """What somebody wrote down, where that is not per 1,000,000."""

    unit_price: Amount
    per: int


class ListedPrice(Answer):
    """The price of one meter of one model, from its version."""

    provider: str
    model: str
    meter: str
    unit_price: Amount
    per: int
    currency: CurrencyCode
    service_tier: str
    rate_card: str
    rate_card_kind: str
    effective_from: Instant | None
    effective_to: Instant | None
    utc_from: _TIME | None
    utc_until: _TIME | None
    tiers: list[ListedTier]
    graduated: bool
    stated: StatedPrice | None
    origin: str
    source_version: str | None
    reason: str | None
    version: int
    created_at: Instant


class PriceList(Answer):
    """A page of prices by provider, model and service tier; of `PUT` also what it changed."""

    results: list[ListedPrice]
    next: Link | None
    previous: Link | None
    changed: int | UnsetType = UNSET
    warnings: list[str] | UnsetType = UNSET


class PricesBody(Answer):
    """The prices to set, all or none."""

    prices: Annotated[list[PriceBody], Meta(max_length=MAX_PRICES)]


_PRICE = {
    "provider": "anthropic", "model": "claude-sonnet-4-5", "meter": "input_tokens",
    "unit_price": "2.40", "currency": "USD",
}  # fmt: skip
_LISTED: dict[str, object] = {
    **_PRICE, "unit_price": "2.4", "per": 1_000_000, "service_tier": "standard",
    "rate_card": "manual", "rate_card_kind": "manual",
    "effective_from": None, "effective_to": None, "utc_from": None,
    "utc_until": None, "tiers": [], "graduated": False, "stated": None, "origin": "api",
    "source_version": None, "reason": None, "version": 812, "created_at": "2026-11-20T12:00:00Z",
}  # fmt: skip
_PAGE = {"results": [_LISTED], "next": None, "previous": None}

GET_PRICES = extend_schema(
    operation_id="prices",
    summary="Prices in force",
    tags=["prices"],
    parameters=[
        parameter(
            "at", {"type": "string", "anyOf": [{"format": "date"}, {"format": "date-time"}]},
            "Prices in force then (a day starts at 00:00 UTC); by default now.",
            example="2026-11-01",
        ),
        limit(MAX_PRICES, MAX_PRICES),
        CURSOR,
    ],
    responses={
        (200, "application/json"): OpenApiResponse(
            schema_of(PriceList), "A page.", examples=[OpenApiExample("A page", value=_PAGE)]
        )
    },
)  # fmt: skip
"""Decorates the method that lists."""

PUT_PRICES = extend_schema(
    operation_id="prices_set",
    summary="Set prices",
    description=(
        "Sets all prices or none, as new versions: those before them end, and the past keeps "
        "them. A site key sets prices for everybody, an organization's key those of its contract. "
        "Answers with the prices in force."
    ),
    tags=["prices"],
    request={
        "application/json": OpenApiRequest(
            schema_of(PricesBody), examples=[OpenApiExample("One", value={"prices": [_PRICE]})]
        )
    },
    responses={
        (200, "application/json"): OpenApiResponse(
            schema_of(PriceList),
            "All prices in force.",
            examples=[OpenApiExample("One was set", value=_PAGE | {"changed": 1, "warnings": []})],
        ),
        (422, PROBLEM_TYPE): problem_answer(422, "No price was set; `errors` names each fault."),
    },
)
"""Decorates the method that sets."""
