"""Rules an event must keep that its types cannot express."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from pricing.meters import Quantity, parts_larger_than_whole
from usage.ingest.values import EventValue, FieldError, Rejection

EARLIEST = datetime(2020, 1, 1, tzinfo=UTC)
LATEST_AHEAD = timedelta(hours=24)
MAX_NUMBER = Decimal(10) ** 15
MAX_COST = Decimal(10) ** 9

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_WORDS = (
    "event_id", "model", "organization", "project", "team", "provider", "response_model",
    "operation", "action", "agent_type", "session_id", "run_id", "run_trigger", "reservation",
    "corrects",
)  # fmt: skip


def is_sound(event: EventValue, now: datetime) -> bool:
    """The quick yes for the ordinary event; False only means that `faults` must look."""
    written = event.cache_write_tokens
    return (
        event.cache_read_tokens + written <= event.input_tokens
        and event.cache_write_1h_tokens <= written
        and event.reasoning_tokens <= event.output_tokens
        and EARLIEST <= event.occurred_at <= now + LATEST_AHEAD
        and event.meters is None
        and event.reported_cost is None
        and event.currency is None
        and event.corrects is None
        and event.total_tokens is None
    )


def check(event: EventValue, now: datetime, *, plain: bool) -> Rejection | None:
    """Every broken rule of `event`, or None. `plain` = its strings hold no escapes at all."""
    faults = [] if is_sound(event, now) else list(_faults(event, now))
    if not plain:
        faults.extend(_unprintable(event))
    return Rejection(faults, event.event_id) if faults else None


def _faults(event: EventValue, now: datetime) -> Iterator[FieldError]:
    yield from _time_faults(event, now)
    yield from _part_faults(event)
    yield from _number_faults(event)
    if event.corrects == event.event_id:
        yield FieldError("corrects", "corrects_itself", "An event cannot correct itself.")


def _time_faults(event: EventValue, now: datetime) -> Iterator[FieldError]:
    if event.occurred_at > now + LATEST_AHEAD:
        yield FieldError(
            "occurred_at", "future", "The time is more than 24 hours ahead of the server's clock."
        )
    if event.occurred_at < EARLIEST:
        yield FieldError(
            "occurred_at", "too_old", f"Events before {EARLIEST:%Y-%m-%d} are refused."
        )


def _part_faults(event: EventValue) -> Iterator[FieldError]:
    cached = event.cache_read_tokens + event.cache_write_tokens
    pairs = (
        ("cache_read_tokens", cached, "input_tokens", event.input_tokens),
        ("cache_write_1h_tokens", event.cache_write_1h_tokens,
         "cache_write_tokens", event.cache_write_tokens),
        ("reasoning_tokens", event.reasoning_tokens, "output_tokens", event.output_tokens),
    )  # fmt: skip
    for part, size, whole, limit in pairs:
        if size > limit:
            yield FieldError(
                part,
                "part_larger_than_whole",
                f"{size} tokens are said to be part of {limit} {whole}.",
            )
    total = event.input_tokens + event.output_tokens
    if event.total_tokens is not None and event.total_tokens != total:
        yield FieldError(
            "total_tokens", "total_mismatch", f"Input plus output is {total}, not the stated total."
        )


def _number_faults(event: EventValue) -> Iterator[FieldError]:
    for name, value in (event.meters or {}).items():
        if not _within(value, MAX_NUMBER):
            yield FieldError(
                f"meters.{name}", "out_of_range", f"A meter lies between 0 and {MAX_NUMBER:f}."
            )
            return
    if event.meters:
        larger = parts_larger_than_whole(counts_of(event))
        if larger:
            part, whole = larger
            yield FieldError(
                f"meters.{part}", "part_larger_than_whole", f"{part} is part of {whole}."
            )
    if event.reported_cost is not None and not _within(event.reported_cost, MAX_COST):
        yield FieldError(
            "reported_cost", "out_of_range", f"A cost lies between 0 and {MAX_COST:f}."
        )
    if event.currency is not None and event.reported_cost is None:
        yield FieldError("currency", "without_cost", "A currency needs a reported_cost.")


def _within(value: Decimal, limit: Decimal) -> bool:
    return value.is_finite() and 0 <= value <= limit and value.adjusted() >= -20


def counts_of(event: EventValue) -> dict[str, Quantity]:
    """The quantities of `event` by meter, as rating takes them."""
    return counts_by_meter(
        event.input_tokens,
        event.output_tokens,
        event.cache_read_tokens,
        event.cache_write_tokens,
        event.cache_write_1h_tokens,
        event.reasoning_tokens,
        meters=event.meters,
    )


def counts_by_meter(
    input_tokens: int,
    output_tokens: int,
    cache_read_tokens: int,
    cache_write_tokens: int,
    cache_write_1h_tokens: int,
    reasoning_tokens: int,
    *,
    meters: Mapping[str, Decimal] | None,
) -> dict[str, Quantity]:
    """Quantities by meter, as rating takes them, of an event that may be stored already."""
    found: dict[str, Quantity] = {"input_tokens": input_tokens, "output_tokens": output_tokens}
    if cache_read_tokens:
        found["cache_read_tokens"] = cache_read_tokens
    if cache_write_tokens:
        found["cache_write_tokens"] = cache_write_tokens
        found["cache_write_1h_tokens"] = cache_write_1h_tokens
    if reasoning_tokens:
        found["reasoning_tokens"] = reasoning_tokens
    if meters:
        found.update(meters)
    return found


def _unprintable(event: EventValue) -> Iterator[FieldError]:
    for name, text in _texts(event):
        if text and not text.isprintable() and _CONTROL.search(text):
            yield FieldError(
                name, "control_character", "Control characters (NUL, tab, line break…) are refused."
            )


def _texts(event: EventValue) -> Iterator[tuple[str, str | None]]:
    for name in _WORDS:
        yield name, getattr(event, name)
    subject = event.subject
    if isinstance(subject, str):
        yield "subject", subject
    elif subject is not None:
        yield "subject.key", subject.key
        yield "subject.email", subject.email
        yield "subject.display_name", subject.display_name
    for name, text in (event.tags or {}).items():
        yield "tags", name
        yield f"tags.{name}", text
