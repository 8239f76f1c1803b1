"""`POST /prices/quote/` in the OpenAPI document."""

from drf_spectacular.utils import OpenApiExample, OpenApiRequest, OpenApiResponse, extend_schema
from msgspec import UNSET, Struct, UnsetType, defstruct
from msgspec.structs import fields

from pricing.meters import Side
from usage.api.schema.bodies import Amount, Answer, CurrencyCode, Instant, Money
from usage.api.schema.components import schema_of
from usage.ingest.values import EventValue


class QuotedCharge(Answer):
    """One meter's part of a cost; `amount` is in the ledger currency."""

    meter: str
    side: Side
    quantity: int | float
    unit_price: Amount
    per: int
    currency: CurrencyCode
    amount: Money


class QuotedPrice(Answer):
    """The price version that rates the call."""

    id: int
    provider: str
    model: str
    service_tier: str
    rate_card: str
    currency: CurrencyCode
    effective_from: Instant
    effective_to: Instant | None
    origin: str


class QuoteReason(Struct):
    """Why the call is unpriced."""

    code: str
    message: str


class QuotedCall(Answer):
    """What one call costs; without a cost there is a `reason`. `fallback_meters` are priced as
    their whole, `unpriced_meters` not at all."""

    event_id: str
    occurred_at: Instant
    provider: str | None
    model: str
    cost: Money | None
    currency: CurrencyCode
    exchange_rate: Amount | None
    estimated: bool
    basis: str | None
    charges: list[QuotedCharge]
    price: QuotedPrice | None
    fallback_meters: list[str]
    unpriced_meters: list[str]
    reason: QuoteReason | None


class QuoteAnswer(QuotedCall):
    """A quote; `advice` are the calls the provider's own usage object reports besides."""

    advice: list[QuotedCall]


_LEFT_OUT = ("event_id", "occurred_at")
PartialEvent = defstruct(
    "PartialEvent",
    [
        (field.name, field.type)
        if field.required and field.name not in _LEFT_OUT
        else (field.name, field.type | UnsetType, UNSET)
        for field in fields(EventValue)
    ],
    namespace={"__doc__": "An event whose id and time (now) may be left out."},
    kw_only=True,
    forbid_unknown_fields=True,
)

_CALL = {
    "provider": "anthropic", "model": "claude-sonnet-4-5", "input_tokens": 500,
    "output_tokens": 100,
}  # fmt: skip
_CHARGE = {
    "meter": "input_tokens", "side": "input", "quantity": 500, "unit_price": "3",
    "per": 1_000_000, "currency": "USD", "amount": "0.0015000000",
}  # fmt: skip
_QUOTE = {
    "event_id": "quote", "occurred_at": "2026-11-20T12:00:00Z", "provider": "anthropic",
    "model": "claude-sonnet-4-5", "cost": "0.0030000000", "currency": "USD",
    "exchange_rate": None, "estimated": False, "basis": "price",
    "charges": [
        _CHARGE,
        _CHARGE | {"meter": "output_tokens", "side": "output", "quantity": 100,
                   "unit_price": "15"},
    ],
    "price": {
        "id": 812, "provider": "anthropic", "model": "claude-sonnet-4-5",
        "service_tier": "standard", "rate_card": "catalogue", "currency": "USD",
        "effective_from": "1970-01-01T00:00:00Z", "effective_to": None, "origin": "genai-prices",
    },
    "fallback_meters": [], "unpriced_meters": [], "reason": None, "advice": [],
}  # fmt: skip

QUOTE = extend_schema(
    operation_id="prices_quote",
    summary="What a call costs, charge by charge",
    tags=["prices"],
    request={
        "application/json": OpenApiRequest(
            schema_of(PartialEvent), examples=[OpenApiExample("A call", value=_CALL)]
        )
    },
    responses={
        (200, "application/json"): OpenApiResponse(
            schema_of(QuoteAnswer), "The cost.", examples=[OpenApiExample("A quote", value=_QUOTE)]
        )
    },
)
"""Decorates the method that quotes."""
