"""Settling: the event of a call takes the place of what was held for it, in one transaction."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from budgets.models import Reservation
from budgets.reservations.naming import estimate_id_of, event_id_of
from budgets.selectors.reservations import read_again
from usage.ingest.decode import decode_one
from usage.ingest.identities import tenant_of
from usage.ingest.pipeline import Caller, ingest
from usage.ingest.prepare import Tenancy
from usage.ingest.values import Report

_ESTIMATES = ("input_tokens", "max_output_tokens", "input_characters", "output_tokens")
_COUNTS = (
    "input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens",
    "cache_write_1h_tokens", "reasoning_tokens", "meters", "usage", "max_output_tokens",
    "input_characters", "output_characters", "total_tokens", "amount", "tokens",
)  # fmt: skip
"""What a reservation expects and only settling tells."""
_USE = (*_COUNTS, "reported_cost")
_OWN = ("amount", "tokens")
_encode = msgspec.json.Encoder(decimal_format="number").encode


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of the event, and of the reservation after it."""

    report: Report
    reservation: Reservation


class NothingTold(Exception):
    """Neither the event nor the reservation says what the call used."""


def settle(
    reservation: Reservation,
    event: Mapping[str, Any],
    now: datetime,
    *,
    api_key_id: int | None,
    price_revision: int | None = None,
) -> Settled:
    """Store the event of a reserved call; what it leaves out is as it was reserved.

    An event without any counts settles at the estimate. The report tells whether it was stored,
    known already (settling again changes nothing), or refused; commit before returning.
    `price_revision` is as callers of `ingest` know it. Raises NothingTold where there is no
    estimate either.
    """
    if not any(name in event for name in _USE):
        found = settle_at_estimate(reservation, now, event, api_key_id=api_key_id)
        if found is None:
            raise NothingTold
        return found
    said = {name: value for name, value in reservation.call.items() if name not in _COUNTS}
    defaults = {
        "event_id": event_id_of(reservation.pk),
        # Always the same, so that settling again says the same.
        "occurred_at": reservation.held_at,
        **said,
    }
    fields = {**defaults, **event, "reservation": str(reservation.pk)}
    return _store(reservation, fields, now, api_key_id, price_revision)


def settle_at_estimate(
    reservation: Reservation,
    now: datetime,
    event: Mapping[str, Any] | None = None,
    *,
    api_key_id: int | None,
) -> Settled | None:
    """Store an event that says what the call was expected to use, marked estimated; the event
    that tells corrects it. `event` is what is known of it besides. None where nothing was
    expected."""
    if not can_be_estimated(reservation.call):
        return None
    said = {name: value for name, value in reservation.call.items() if name not in _OWN}
    expected = said.pop("max_output_tokens", 0)
    said["output_tokens"] = said.get("output_tokens") or expected
    fields = {
        "occurred_at": reservation.held_at,
        **said,
        **(event or {}),
        "event_id": estimate_id_of(reservation.pk),
        "estimated": True,
        "reservation": str(reservation.pk),
    }
    return _store(reservation, fields, now, api_key_id)


def can_be_estimated(call: Mapping[str, Any]) -> bool:
    """Whether what was asked says how many tokens the call may use."""
    return bool(call.get("model")) and any(call.get(name) for name in _ESTIMATES)


def _store(
    reservation: Reservation,
    fields: Mapping[str, Any],
    now: datetime,
    api_key_id: int | None,
    price_revision: int | None = None,
) -> Settled:
    tenancy = Tenancy(tenant_of(reservation.organization), {})
    caller = Caller(tenancy, api_key_id, reservation.provider, price_revision)
    report = ingest([decode_one(_encode(fields))], caller, now=now)
    read_again(reservation)
    return Settled(report, reservation)
