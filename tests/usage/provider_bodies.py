"""Reading a provider's usage object the way ingest does."""

from decimal import Decimal
from typing import Any

from tests.usage.conftest import NOON
from usage.ingest.provider_usage import read_usage
from usage.ingest.values import EventValue, Rejection


def read(provider: str, model: str, usage: dict[str, Any], **fields: Any) -> EventValue:
    event = read_usage(
        EventValue(
            event_id="e", occurred_at=NOON, provider=provider, model=model, usage=usage, **fields
        )
    )
    assert isinstance(event, EventValue), event
    return event


def refusal(provider: str, model: str, usage: dict[str, Any], **fields: Any) -> str:
    outcome = read_usage(
        EventValue(
            event_id="e", occurred_at=NOON, provider=provider, model=model, usage=usage, **fields
        )
    )
    assert isinstance(outcome, Rejection)
    return outcome.errors[0].code


def counts(event: EventValue) -> dict[str, Decimal | int]:
    tokens = {
        name: getattr(event, name)
        for name in (
            "input_tokens",
            "output_tokens",
            "cache_read_tokens",
            "cache_write_tokens",
            "cache_write_1h_tokens",
            "reasoning_tokens",
        )
    }
    return {name: value for name, value in {**tokens, **(event.meters or {})}.items() if value}
