"""The one value every source becomes: `EventValue`, and what is answered about it."""

from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Literal

import msgspec

MAX_TOKENS = 2_000_000_000
MAX_DURATION_MS = 2_147_483_647
MAX_TAGS = 32
MAX_METERS = 64
MAX_NAME = 128

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_NAME)]
Word = Annotated[str, msgspec.Meta(max_length=MAX_NAME)]
Tokens = Annotated[int, msgspec.Meta(ge=0, le=MAX_TOKENS)]
Characters = Annotated[int, msgspec.Meta(ge=0, le=4 * MAX_TOKENS)]
Duration = Annotated[int, msgspec.Meta(ge=0, le=MAX_DURATION_MS)]
Instant = Annotated[datetime, msgspec.Meta(tz=True)]
MeterName = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_]{0,63}\Z")]
TagName = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
TagValue = Annotated[str, msgspec.Meta(max_length=256)]
Currency = Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{3}\Z")]


class SubjectValue(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """A subject with what is known of it besides its key."""

    key: Name
    email: Annotated[str, msgspec.Meta(max_length=254)] = ""
    display_name: Annotated[str, msgspec.Meta(max_length=200)] = ""


class EventValue(
    msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True, kw_only=True, gc=False
):
    """One usage event as API.md defines it. Token counts are inclusive totals:
    `input_tokens` contains cached and cache-written tokens, `output_tokens` reasoning.
    `occurred_at` is aware; `reported_cost` is the caller's figure in `currency`, None meaning the
    ledger's. `input_characters`, `output_characters` and `max_output_tokens` are hints: counts
    are estimated from them where the provider reported none.
    """

    event_id: Name
    occurred_at: Instant
    model: Name
    organization: Name | None = None
    project: Name | None = None
    subject: Name | SubjectValue | None = None
    team: Name | None = None
    provider: Word = ""
    response_model: Word = ""
    operation: Word = ""
    action: Word = ""
    agent_type: Word = ""
    session_id: Name | None = None
    run_id: Name | None = None
    run_trigger: Word = ""
    status: Literal["success", "error", "cancelled"] = "success"
    duration_ms: Duration | None = None
    billing_scope: Literal["org", "user"] = "org"
    service_tier: Literal["standard", "batch", "priority", "flex", "fast"] = "standard"
    free_tier: bool = False
    estimated: bool = False
    input_tokens: Tokens = 0
    output_tokens: Tokens = 0
    cache_read_tokens: Tokens = 0
    cache_write_tokens: Tokens = 0
    cache_write_1h_tokens: Tokens = 0
    reasoning_tokens: Tokens = 0
    total_tokens: Annotated[int, msgspec.Meta(ge=0, le=2 * MAX_TOKENS)] | None = None
    meters: Annotated[dict[MeterName, Decimal], msgspec.Meta(max_length=MAX_METERS)] | None = None
    usage: dict[str, Any] | None = None
    input_characters: Characters | None = None
    output_characters: Characters | None = None
    max_output_tokens: Tokens | None = None
    reported_cost: Decimal | None = None
    currency: Currency | None = None
    reservation: Name | None = None
    corrects: Name | None = None
    tags: Annotated[dict[TagName, TagValue], msgspec.Meta(max_length=MAX_TAGS)] | None = None


_MOST_DIGITS = 60


def exact_number(text: str) -> Decimal:
    """A written number with all its digits; 0 for one too small to matter.

    Raises ValueError for what is no number, and for numbers that no sum could hold.
    """
    try:
        number = Decimal(text)
    except InvalidOperation as error:
        raise ValueError("This is no number.") from error
    if not number.is_finite() or number.adjusted() > _MOST_DIGITS:
        raise ValueError("The number is out of range.")
    return number if number.adjusted() >= -_MOST_DIGITS else Decimal(0)


class FieldError(msgspec.Struct, omit_defaults=True):
    """What is wrong with one field: `code` for programs, `message` for people."""

    field: str
    code: str
    message: str
    index: int | None = None


class Rejection(msgspec.Struct):
    """An event that was not understood or not allowed, and every reason found.

    With `conflict` it is sound, but what it says has been said otherwise already.
    """

    errors: list[FieldError]
    event_id: str | None = None
    conflict: bool = False


class Receipt(msgspec.Struct, omit_defaults=True):
    """The answer about one event. `cost` is a decimal string in `currency`; None = unpriced."""

    index: int
    event_id: str | None
    status: Literal["accepted", "duplicate", "conflict", "rejected"]
    errors: list[FieldError] = msgspec.field(default_factory=list)
    cost: str | msgspec.UnsetType | None = msgspec.UNSET
    currency: str | msgspec.UnsetType = msgspec.UNSET


class Report(msgspec.Struct):
    """The answer about a batch; `results` is in the order of the events."""

    accepted: int
    duplicates: int
    conflicts: int
    rejected: int
    unpriced: int
    results: list[Receipt]
