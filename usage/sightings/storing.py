"""Sightings → events: each call once, with the fullest counts that anybody told."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

import msgspec
from django.db import transaction

from usage.ingest.pipeline import Caller, ingest
from usage.ingest.prepare import Tenant
from usage.ingest.values import EventValue, FieldError, Receipt
from usage.sightings.folding import Call
from usage.sightings.merging import correction_of, fill, merge, reversal_of
from usage.sightings.stored import Head, find_heads
from usage.sightings.values import Taken

_ATTEMPTS = 5
_CONTENDED = FieldError(
    "event_id", "contended", "Others keep changing this event at the same moment; send it again."
)


class Store:
    """Stores the calls of one organization and notes in `taken` what became of them."""

    def __init__(self, tenant: Tenant, caller: Caller, taken: Taken, now: datetime) -> None:
        self._tenant, self._caller, self._taken, self._now = tenant, caller, taken, now

    def store(self, calls: Sequence[Call]) -> None:
        """Store new calls and correct those that are known with less."""
        known = {}
        for call, receipt in zip(calls, self._ingest([c.event for c in calls]), strict=True):
            if receipt.status == "accepted":
                self._taken.new += 1
                self._taken.add(call.event, _money(receipt))
            elif receipt.status == "duplicate":
                self._taken.repeats += 1
            elif receipt.status == "conflict":
                known[call.event.event_id] = call
            else:
                self._refuse(call, receipt.errors)
        self._correct(known)

    def absorb(self, other: str, root: str, *, settles_place: bool) -> None:
        """Let what is stored under the id `other` become part of the event `root`."""
        head = self._head(other)
        if head is None or head.is_reversal:
            return
        told = msgspec.structs.replace(head.value, event_id=root)
        with transaction.atomic():
            receipt = self._ingest([told])[0]
            if receipt.status == "accepted":
                self._taken.add(told, _money(receipt))
            elif receipt.status == "conflict":
                self._correct({root: Call(told, [root], set(), set(), [], settles_place)})
            self._withdraw(other, head)

    def withdraw(self, event_id: str) -> None:
        """Take what counts under this id out of all sums."""
        head = self._head(event_id)
        if head is not None and not head.is_reversal:
            self._withdraw(event_id, head)

    def _withdraw(self, event_id: str, head: Head) -> None:
        (receipt,) = self._ingest([reversal_of(head.value, event_id, head.event_id)])
        if receipt.status == "accepted":
            self._taken.add(head.value, head.cost, -1)

    def _head(self, event_id: str) -> Head | None:
        return find_heads(self._tenant.id, [event_id]).get(event_id)

    def _correct(self, calls: Mapping[str, Call]) -> None:
        for _ in range(_ATTEMPTS):
            if not calls:
                return
            calls = self._try_to_correct(calls)
        for call in calls.values():
            self._refuse(call, [_CONTENDED])

    def _try_to_correct(self, calls: Mapping[str, Call]) -> dict[str, Call]:
        """Those are left over which somebody else corrected meanwhile."""
        heads = find_heads(self._tenant.id, calls)
        wanted = []
        for event_id, call in calls.items():
            head = heads.get(event_id)
            correction = _correction(call, head) if head else None
            if head is None or correction is None:
                self._taken.repeats += bool(call.indexes)
            else:
                wanted.append((call, head, correction))
        return self._send(wanted)

    def _send(self, wanted: Sequence[tuple[Call, Head, EventValue]]) -> dict[str, Call]:
        moved = {}
        receipts = self._ingest([correction for _, _, correction in wanted])
        for (call, head, correction), receipt in zip(wanted, receipts, strict=True):
            if receipt.status == "accepted":
                self._taken.corrected += bool(call.indexes)
                self._taken.add(head.value, head.cost, -1)
                self._taken.add(correction, _money(receipt))
            elif receipt.status in ("duplicate", "conflict") or _was_replaced(receipt):
                moved[call.event.event_id] = call
            else:
                self._refuse(call, receipt.errors)
        return moved

    def _ingest(self, events: Sequence[EventValue]) -> list[Receipt]:
        if not events:
            return []
        # Their strings have been checked, or come out of the database.
        return ingest(events, self._caller, plain=True, now=self._now).results

    def _refuse(self, call: Call, errors: list[FieldError]) -> None:
        self._taken.refused |= dict.fromkeys(call.indexes, errors)


def _correction(call: Call, head: Head) -> EventValue | None:
    # What a person or another program put in its place stands, above all a reversal.
    event_id = call.event.event_id
    ours = head.event_id == event_id or head.event_id.startswith(f"{event_id}+")
    if head.is_reversal or not ours:
        return None
    joined = merge if call.settles_place else fill
    merged = joined(head.value, call.event)
    merged.event_id = event_id
    return correction_of(head.value, merged, head.event_id)


def _was_replaced(receipt: Receipt) -> bool:
    return any(error.code == "already_superseded" for error in receipt.errors)


def _money(receipt: Receipt) -> Decimal | None:
    return Decimal(receipt.cost) if isinstance(receipt.cost, str) else None
