"""Events as they are stored now → the values an importer compares its own with."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from usage.ingest.claims import find_claims
from usage.ingest.identities import KIND_FIELDS
from usage.ingest.prepare import digest_of
from usage.ingest.values import EventValue
from usage.models import UsageEvent

_STATUS: dict[int, Any] = {status.value: status.label for status in UsageEvent.Status}
_SAME_NAMES = (
    "event_id", "occurred_at", "session_id", "run_id", "duration_ms", "estimated",
    "input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens",
    "cache_write_1h_tokens", "reasoning_tokens", "reported_cost", "tags",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Head:
    """The event that counts in place of one first stored as something else.

    `value` is what it says; `cost` is in the ledger currency, None = unpriced.
    """

    event_id: str
    value: EventValue
    cost: Decimal | None
    is_reversal: bool


def find_heads(organization_id: int, event_ids: Iterable[str]) -> dict[str, Head]:
    """For each stored id the event that counts for it now: itself, or its last correction."""
    heads: dict[str, Head] = {}
    # Where each chain of corrections has been followed to: id now → id it started from.
    open_ends = {event_id: event_id for event_id in event_ids}
    while open_ends:
        following: dict[str, str] = {}
        for event in _find(organization_id, open_ends):
            first = open_ends[event.event_id]
            if event.superseded_by is None:
                heads[first] = _head(event)
            else:
                following[event.superseded_by] = first
        open_ends = following
    return heads


def _find(organization_id: int, event_ids: Iterable[str]) -> list[UsageEvent]:
    digests = {digest_of(organization_id, event_id): event_id for event_id in event_ids}
    claims = find_claims(digests)
    wanted = {(digests[digest], claim.occurred_at) for digest, claim in claims.items()}
    found = UsageEvent.objects.filter(
        organization=organization_id,
        occurred_at__in={occurred_at for _, occurred_at in wanted},
        event_id__in=[event_id for event_id, _ in wanted],
    ).select_related("kind", "project", "team", "subject")
    return [event for event in found if (event.event_id, event.occurred_at) in wanted]


def _head(event: UsageEvent) -> Head:
    return Head(
        event.event_id,
        value_of(event),
        event.cost,
        is_reversal=event.state == UsageEvent.State.REVERSAL,
    )


def value_of(event: UsageEvent) -> EventValue:
    """A stored event as it could be sent again (without what it corrects)."""
    fields: dict[str, Any] = {name: getattr(event, name) for name in _SAME_NAMES}
    fields |= {name: getattr(event.kind, name) for name in KIND_FIELDS}
    meters = event.meters or {}
    return EventValue(
        **fields,
        project=event.project.slug if event.project else None,
        subject=event.subject.key if event.subject else None,
        team=event.team.slug if event.team else None,
        status=_STATUS[event.status],
        meters={name: Decimal(str(value)) for name, value in meters.items()} or None,
        currency=event.reported_currency,
    )
