"""Corrections: a later event takes the place of an earlier one, which stays readable."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from django.db import connection

from usage.ingest.claims import find_claims
from usage.ingest.prepare import Prepared, digest_of
from usage.ingest.provider_usage import ADVICE
from usage.ingest.values import FieldError, Rejection
from usage.models import UsageEvent

_SUPERSEDE = """
    UPDATE usage_usageevent e SET state = %s, superseded_by = %s
    FROM (
        SELECT id, state FROM usage_usageevent
        WHERE organization_id = %s AND occurred_at = %s AND state <> %s
          AND (event_id = %s OR starts_with(event_id, %s))
        FOR UPDATE
    ) AS former
    WHERE e.id = former.id AND e.organization_id = %s AND e.occurred_at = %s
    RETURNING e.organization_id, e.occurred_at, former.state, e.kind_id, e.project_id, e.team_id,
              e.subject_id, e.api_key_id, e.cost, e.input_tokens::bigint + e.output_tokens
"""
_REMOVE = """
    DELETE FROM usage_usageevent
    WHERE organization_id = %s AND occurred_at = %s AND event_id = %s
"""


_UNKNOWN = ("unknown_event", "is not known")
_REPLACED = ("already_superseded", "has already been replaced by another event")
_CIRCULAR = ("circular", "is in turn a correction of this one")


class Superseded(NamedTuple):
    """An event that left the sums: whose it was, when it occurred, and what it counted.

    `state` is the one it had until then; `cost` is in the ledger currency, None while unpriced.
    """

    organization_id: int
    occurred_at: datetime
    state: int
    kind_id: int
    project_id: int | None
    team_id: int | None
    subject_id: int | None
    api_key_id: int | None
    cost: Decimal | None
    total_tokens: int


def supersede(
    corrections: Sequence[Prepared],
) -> tuple[list[Superseded], dict[int, Rejection]]:
    """Mark each corrected event, its advisor passes included, superseded.

    Also, by index, the corrections that cannot be applied.

    Runs in the storing transaction after the batch's own rows are in, so that an event
    and its correction may arrive together. A correction is refused when its event is
    unknown or itself refused, or has already been replaced, or when corrections name
    each other in a circle.
    """
    targets = {c.index: digest_of(c.tenant.id, c.event.corrects or "") for c in corrections}
    claims = find_claims(targets.values())
    circular = {c.index: c for c in corrections}
    superseded: list[Superseded] = []
    refused: dict[int, Rejection] = {}
    for correction in _targets_first(corrections, targets):
        del circular[correction.index]
        target = claims.get(targets[correction.index])
        marked = _mark(correction, target.occurred_at) if target else []
        if marked:
            superseded += marked
            continue
        refused[correction.index] = _refusal(correction, *(_REPLACED if target else _UNKNOWN))
        claims.pop(correction.digest, None)
    refused |= {index: _refusal(c, *_CIRCULAR) for index, c in circular.items()}
    return superseded, refused


def _targets_first(
    corrections: Sequence[Prepared], targets: Mapping[int, str]
) -> Iterator[Prepared]:
    """Corrections after those they correct, and without those in a circle.

    The ones of events stored earlier come first, in key order, so that two batches
    correcting the same events cannot deadlock.
    """
    followers: dict[str, list[Prepared]] = defaultdict(list)
    own = {c.digest for c in corrections}
    ready: list[Prepared] = []
    for correction in corrections:
        target = targets[correction.index]
        (followers[target] if target in own else ready).append(correction)
    while ready:
        ready.sort(key=lambda c: (targets[c.index], c.index))
        yield from ready
        ready = [follower for c in ready for follower in followers[c.digest]]


def remove(prepared: Sequence[Prepared]) -> None:
    """Take rows of this transaction out again."""
    with connection.cursor() as cursor:
        for p in prepared:
            cursor.execute(_REMOVE, (p.tenant.id, p.event.occurred_at, p.event.event_id))


def _mark(correction: Prepared, occurred_at: datetime) -> list[Superseded]:
    superseded = UsageEvent.State.SUPERSEDED.value
    place = (correction.tenant.id, occurred_at)
    corrected = correction.event.corrects
    with connection.cursor() as cursor:
        cursor.execute(
            _SUPERSEDE,
            (
                superseded,
                correction.event.event_id,
                *place,
                superseded,
                corrected,
                f"{corrected}{ADVICE}",
                *place,
            ),
        )
        return [Superseded(*row) for row in cursor.fetchall()]


def _refusal(correction: Prepared, code: str, fault: str) -> Rejection:
    message = f"The event {correction.event.corrects!r} {fault}."
    return Rejection([FieldError("corrects", code, message)], correction.event.event_id)
