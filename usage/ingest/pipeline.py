"""The one way in: every source of events calls `ingest`."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from django.conf import settings

from pricing.price_book import current_book
from usage.ingest import identities
from usage.ingest.decode import Decoded
from usage.ingest.gathering import store_gathered
from usage.ingest.prepare import Prepared, Tenancy, prepare
from usage.ingest.rows import Rated, rate_event, refuse_excessive
from usage.ingest.store import NotAllStored, Stored
from usage.ingest.values import FieldError, Receipt, Rejection, Report
from usage.signals import Overtaken, events_offered


@dataclass(frozen=True, slots=True)
class Caller:
    """On whose behalf events come in. `api_key_id` is None for commands.

    `provider` is that of events which name none. `price_revision` is the one that was current
    when the request began, None where nobody has read it yet.
    """

    tenancy: Tenancy
    api_key_id: int | None = None
    provider: str = ""
    price_revision: int | None = None


def ingest(
    items: Sequence[Decoded],
    caller: Caller,
    *,
    plain: bool = False,
    strict: bool = False,
    every: bool = True,
    now: datetime | None = None,
) -> Report:
    """Take decoded events in; what the report calls accepted is committed.

    Each event is accepted, a duplicate (same key, same payload), a conflict (same key,
    another payload) or rejected with its faults, without harm to the others. With
    `strict` either every event is accepted or a duplicate, or nothing is stored.
    `plain` promises that no string in `items` holds a control character.
    Without `every` the report leaves out the receipts of accepted events. Passes that a call's
    usage lists are stored with it and counted in no figure of the report.
    """
    now = now or datetime.now(UTC)
    while True:
        try:
            return _take_in(items, caller, plain=plain, strict=strict, every=every, now=now)
        except Overtaken:
            continue


def _take_in(
    items: Sequence[Decoded],
    caller: Caller,
    *,
    plain: bool,
    strict: bool,
    every: bool,
    now: datetime,
) -> Report:
    prepared, rejected = prepare(
        items,
        caller.tenancy,
        plain=plain,
        now=now,
        provider=caller.provider,
        api_key_id=caller.api_key_id,
    )
    refused = identities.resolve(prepared)
    if refused:
        rejected |= refused
        prepared = [p for p in prepared if p.index not in refused]
    refused = _refuse_reservations(prepared)
    if refused:
        rejected |= refused
        prepared = [p for p in prepared if p.index not in refused]
    firsts, repeats = _split_repeats(prepared)
    if strict and (rejected or any(p.payload != firsts[p.digest].payload for p in repeats)):
        return _report(rejected, Stored(), firsts, repeats, every=every, strict_failed=True)
    try:
        book = current_book(caller.price_revision)
        currency = settings.TALLYMAN_CURRENCY
        rated = [rate_event(p, book, currency) for p in firsts.values()]
        excessive = refuse_excessive(rated)
        if excessive:
            rated = [r for r in rated if r.prepared.index not in excessive]
            if strict:
                raise NotAllStored(Stored(refused=excessive))
        stored = store_gathered(rated, strict=strict) if rated else Stored()
        stored.refused |= excessive
    except NotAllStored as failure:
        return _report(rejected, failure.outcome, firsts, repeats, every=every, strict_failed=True)
    return _report(rejected, stored, firsts, repeats, every=every, strict_failed=False)


def _refuse_reservations(prepared: list[Prepared]) -> dict[int, Rejection]:
    """By index, events that name a reservation which they cannot settle."""
    naming = [p for p in prepared if p.event.reservation is not None]
    if not naming:
        return {}
    answers: Sequence[tuple[Any, Any]] = events_offered.send(sender=None, prepared=naming)
    return {index: why for _, refused in answers for index, why in refused.items()}


def _split_repeats(prepared: list[Prepared]) -> tuple[dict[str, Prepared], list[Prepared]]:
    """The first call of each key with the passes that belong to it, and the later calls."""
    calls = [p for p in prepared if not p.part]
    firsts: dict[str, Prepared] = {}
    repeats = [p for p in calls if firsts.setdefault(p.digest, p) is not p]
    if len(calls) < len(prepared):
        repeated = {p.index for p in repeats}
        for p in prepared:
            if p.part and p.index not in repeated:
                firsts.setdefault(p.digest, p)
    return firsts, repeats


def _report(
    rejected: dict[int, Rejection],
    stored: Stored,
    firsts: dict[str, Prepared],
    repeats: list[Prepared],
    *,
    every: bool,
    strict_failed: bool,
) -> Report:
    receipts = {index: _rejection(index, why) for index, why in rejected.items()}
    receipts |= {index: _rejection(index, why) for index, why in stored.refused.items()}
    if stored.taken:
        for p in firsts.values():
            if p.digest in stored.taken and not p.part:
                receipts[p.index] = _repeat(p, stored.taken[p.digest].payload)
    for p in repeats:
        first = firsts[p.digest]
        if first.index in stored.refused:
            receipts[p.index] = _rejection(p.index, stored.refused[first.index])
        else:
            taken = stored.taken.get(p.digest)
            receipts[p.index] = _repeat(p, taken.payload if taken else first.payload)
    if strict_failed:
        for p in [*firsts.values(), *repeats]:
            if p.part:
                continue
            if p.index not in receipts or receipts[p.index].status == "duplicate":
                receipts[p.index] = _held_back(p)
        return _count(receipts, [], every=every)
    calls = [r for r in stored.rated if not r.prepared.part]
    return _count(receipts, calls, every=every)


def _count(receipts: dict[int, Receipt], accepted: list[Rated], *, every: bool) -> Report:
    statuses = Counter(receipt.status for receipt in receipts.values())
    if every:
        currency = settings.TALLYMAN_CURRENCY
        receipts.update({r.prepared.index: _acceptance(r, currency) for r in accepted})
    return Report(
        len(accepted),
        statuses["duplicate"],
        statuses["conflict"],
        statuses["rejected"],
        sum(r.rating is None for r in accepted),
        [receipts[index] for index in sorted(receipts)],
    )


def _acceptance(rated: Rated, currency: str) -> Receipt:
    cost = None if rated.rating is None else f"{rated.rating.in_currency().cost:f}"
    p = rated.prepared
    return Receipt(p.index, p.event.event_id, "accepted", cost=cost, currency=currency)


def _repeat(p: Prepared, known_payload: int) -> Receipt:
    if p.payload == known_payload:
        return Receipt(p.index, p.event.event_id, "duplicate")
    fault = FieldError(
        "event_id", "conflict", "An event with this id and another payload is already stored."
    )
    return Receipt(p.index, p.event.event_id, "conflict", errors=[fault])


def _rejection(index: int, reason: Rejection) -> Receipt:
    status: Literal["conflict", "rejected"] = "conflict" if reason.conflict else "rejected"
    return Receipt(index, reason.event_id, status, errors=reason.errors)


def _held_back(p: Prepared) -> Receipt:
    fault = FieldError(
        "", "batch_refused", "Not stored: strict handling, and another event was refused."
    )
    return Receipt(p.index, p.event.event_id, "rejected", errors=[fault])
