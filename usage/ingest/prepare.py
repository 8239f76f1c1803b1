"""Decoded items → prepared events: normalised, checked, and with their digests."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from typing import NamedTuple

import msgspec

from usage.ingest.decode import Decoded
from usage.ingest.estimates import has_hints
from usage.ingest.provider_usage import read_call
from usage.ingest.validate import check, is_sound
from usage.ingest.values import EventValue, FieldError, Rejection, SubjectValue

_encode = msgspec.json.Encoder(order="deterministic").encode


@dataclass(frozen=True, slots=True)
class Tenant:
    """What ingest needs to know of an organization."""

    id: int
    slug: str
    known_subjects_only: bool
    rate_card_id: int | None


class Place(NamedTuple):
    """The ids of what an event belongs to; None where it names none."""

    project: int | None
    team: int | None
    subject: int | None


NOWHERE = Place(None, None, None)


# Untracked by the garbage collector, as are its events: nothing in them can form a cycle.
class Prepared(msgspec.Struct, gc=False):
    """A sound event on its way to the store. `subject` is its key, `profile` what was sent of it.

    `digest` (hex) names the event within all organizations, `payload` tells its content;
    `occurred` is its time as SQL text. `part` numbers the advisor passes of a call, which share
    its index and its fate; 0 is the call itself. `api_key_id` is None for commands. `place` is
    known once its names are.
    """

    index: int
    event: EventValue
    tenant: Tenant
    digest: str
    payload: int
    occurred: str
    subject: str | None
    profile: SubjectValue | None
    part: int = 0
    api_key_id: int | None = None
    place: Place = NOWHERE


@dataclass(frozen=True, slots=True)
class Tenancy:
    """Which organizations a caller may write to: one, or any of `by_slug` for a site key."""

    own: Tenant | None
    by_slug: Mapping[str, Tenant]

    def find(self, slug: str | None) -> Tenant | FieldError:
        """The organization an event that names `slug` belongs to, or what is wrong with it."""
        if self.own is not None:
            if slug is None or slug == self.own.slug:
                return self.own
            return FieldError(
                "organization", "foreign_organization", "The key belongs to another organization."
            )
        if slug is None:
            return FieldError("organization", "required", "A site key must name the organization.")
        tenant = self.by_slug.get(slug)
        if tenant is None:
            return FieldError(
                "organization", "unknown_organization", f"There is no organization {slug!r}."
            )
        return tenant


def digest_of(organization_id: int, event_id: str) -> str:
    """The 128-bit hex digest under which an event is claimed once and for all."""
    return blake2b(f"{organization_id}\0{event_id}".encode(), digest_size=16).hexdigest()


def payload_of(events: Sequence[EventValue]) -> int:
    """A signed 64-bit digest of all that a call says, whatever the order it was said in."""
    return _number_of(b"".join([_encode(event) for event in events]))


def _number_of(text: bytes) -> int:
    return int.from_bytes(blake2b(text, digest_size=8).digest(), "big", signed=True)


def prepare(
    items: Iterable[Decoded],
    tenancy: Tenancy,
    *,
    plain: bool,
    now: datetime,
    provider: str = "",
    api_key_id: int | None = None,
) -> tuple[list[Prepared], dict[int, Rejection]]:
    """The sound events of a batch, and by index why each other one is refused.

    `provider` is that of events which name none, `api_key_id` that of the key they came with.
    """
    prepared: list[Prepared] = []
    rejected: dict[int, Rejection] = {}
    for index, item in enumerate(items):
        if isinstance(item, Rejection):
            rejected[index] = item
            continue
        if provider and not item.provider:
            item.provider = provider
        outcome = _prepare_call(index, item, tenancy, plain, now)
        if isinstance(outcome, Prepared):
            prepared.append(outcome)
        elif isinstance(outcome, Rejection):
            rejected[index] = outcome
        else:
            prepared += outcome
    for p in prepared:
        p.api_key_id = api_key_id
    return prepared, rejected


def _prepare_call(
    index: int, event: EventValue, tenancy: Tenancy, plain: bool, now: datetime
) -> Prepared | list[Prepared] | Rejection:
    if event.usage is None and not has_hints(event):
        return _prepare_one(index, event, tenancy, plain, now)
    events = read_call(event)
    if isinstance(events, Rejection):
        return events
    parts: list[Prepared] = []
    for part, one in enumerate(events):
        prepared = _prepare_one(index, one, tenancy, plain, now)
        if isinstance(prepared, Rejection):
            return Rejection(prepared.errors, event.event_id)
        prepared.part = part
        parts.append(prepared)
    # Sent again with other advice, the call is a conflict, not a duplicate.
    parts[0].payload = payload_of(events)
    return parts


def _prepare_one(
    index: int, event: EventValue, tenancy: Tenancy, plain: bool, now: datetime
) -> Prepared | Rejection:
    refusal = None if plain and is_sound(event, now) else check(event, now, plain=plain)
    tenant = tenancy.find(event.organization)
    if isinstance(tenant, FieldError):
        errors = [tenant, *(refusal.errors if refusal else ())]
        return Rejection(errors, event.event_id)
    if refusal:
        return refusal
    subject, profile = _settle(event)
    return Prepared(
        index,
        event,
        tenant,
        digest_of(tenant.id, event.event_id),
        _number_of(_encode(event)),
        # A third of the time that isoformat() takes for an aware datetime.
        _encode(event.occurred_at)[1:-1].decode(),
        subject,
        profile,
    )


def _settle(event: EventValue) -> tuple[str | None, SubjectValue | None]:
    """Give equal events equal content: UTC, plain subject key, no stated organization."""
    if event.occurred_at.tzinfo is not UTC:
        event.occurred_at = event.occurred_at.astimezone(UTC)
    event.organization = None
    event.total_tokens = None
    if event.reported_cost is not None:
        event.reported_cost = event.reported_cost.normalize()
    if event.meters is not None:
        event.meters = {name: value.normalize() for name, value in event.meters.items()}
    subject = event.subject
    if isinstance(subject, SubjectValue):
        event.subject = subject.key
        return subject.key, subject
    return subject, None
