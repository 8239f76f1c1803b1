"""Two events of the same call → one. Pure."""

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import msgspec

from usage.ingest.provider_usage import TOKEN_FIELDS
from usage.ingest.values import MAX_DURATION_MS, MAX_TAGS, EventValue
from usage.sightings.values import call_name, short_digest

_STORED_COST = Decimal("1e-10")
_COUNTS = (
    *TOKEN_FIELDS.values(), "provider", "model", "response_model", "service_tier", "meters",
    "reported_cost", "currency", "duration_ms", "estimated", "status",
)  # fmt: skip
_GAPS = (
    "project", "subject", "team", "provider", "response_model", "operation", "action",
    "agent_type", "session_id", "run_id", "run_trigger", "duration_ms",
)  # fmt: skip


def merge(one: EventValue, other: EventValue) -> EventValue:
    """The event both sightings of one call stand for; the order never matters.

    The counts are those of the fuller one, the rest is that of the earlier one; what it leaves
    open the other fills.
    """
    earlier, later = sorted((one, other), key=earliness)
    return _joined(earlier, later)


def fill(stored: EventValue, told: EventValue) -> EventValue:
    """The stored event with fuller counts, if `told` has them, and with its gaps filled."""
    return _joined(stored, told)


def _joined(first: EventValue, second: EventValue) -> EventValue:
    fuller = max(first, second, key=fullness)
    changes: dict[str, Any] = {}
    if fuller is second:
        changes = {name: getattr(second, name) for name in _COUNTS}
    for name in _GAPS:
        if not changes.get(name, getattr(first, name)):
            changes[name] = getattr(first, name) or getattr(second, name)
    if fuller.reported_cost is None:
        teller = first if first.reported_cost is not None else second
        changes |= {"reported_cost": teller.reported_cost, "currency": teller.currency}
    tags = {**(first.tags or {}), **(second.tags or {}), **(first.tags or {})}
    changes["tags"] = dict(list(tags.items())[:MAX_TAGS]) or None
    return msgspec.structs.replace(first, **changes)


def fullness(event: EventValue) -> tuple[Any, ...]:
    """How much an event counts; the larger of two tells more of the same call."""
    return (
        not event.estimated,
        event.output_tokens,
        event.input_tokens,
        *(getattr(event, name) for name in TOKEN_FIELDS.values()),
        sum((event.meters or {}).values(), Decimal(0)).normalize(),
        _kept(event.reported_cost or Decimal(0)),
        event.service_tier != "standard",
        # Who saw the shortest stretch was nearest to the provider, and knows who answered.
        -(event.duration_ms or MAX_DURATION_MS),
        event.service_tier,
        event.model,
        event.response_model,
    )


def _kept(cost: Decimal) -> Decimal:
    """A reported cost as it is stored: told again in all its digits, it says nothing new."""
    return cost.quantize(_STORED_COST, ROUND_HALF_UP).normalize()


def earliness(event: EventValue) -> tuple[Any, ...]:
    """Where and when an event was seen; the smaller of two came first."""
    return (
        event.occurred_at,
        event.session_id or "",
        event.agent_type,
        event.project or "",
        sorted((event.tags or {}).items()),
    )


def correction_of(stored: EventValue, merged: EventValue, head: str) -> EventValue | None:
    """What must be sent so that `merged` takes the place of `stored`, whose last event is `head`.

    None when both say the same. The id follows from the content, so that telling the same again
    sends the same correction.
    """
    if _said(stored) == _said(merged):
        return None
    text = "\0".join(map(str, _said(merged)))
    event_id = _following(merged.event_id, f"+{merged.output_tokens}-{short_digest(text, 4)}")
    return msgspec.structs.replace(merged, event_id=event_id, corrects=head)


def reversal_of(stored: EventValue, first: str, head: str) -> EventValue:
    """What must be sent so that `stored` leaves all sums; its last event is `head`, the one that
    was stored first is `first`."""
    return EventValue(
        event_id=_following(first, f"+0-{short_digest(head, 4)}"),
        occurred_at=stored.occurred_at,
        provider=stored.provider,
        model=stored.model,
        corrects=head,
    )


def _following(event_id: str, suffix: str) -> str:
    return call_name(event_id) + suffix


def _said(event: EventValue) -> tuple[Any, ...]:
    gaps = (getattr(event, name) or "" for name in _GAPS)
    return (*fullness(event), *earliness(event), *gaps, event.status)
