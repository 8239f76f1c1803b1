"""What really happened, as far as it has been recorded, in the order of time."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from operator import itemgetter
from typing import Any, NamedTuple, TypeAlias

from budgets.matching import CallScope
from budgets.models import Decision, Reservation
from budgets.models.budgets import RELATIONS, WORDS
from usage.models import CallKind, RatingChange, RatingRun, UsageEvent

_ZERO = Decimal(0)
_ADJUSTMENT = "adjustment-"
"""How the ids of the events begin that adjust closed months: they are no calls."""
_EVENT = (
    "id", "event_id", "superseded_by", "occurred_at", "received_at", "kind_id", "state", "cost",
    "input_tokens", "output_tokens", "meters", "corrects", "tags",
    *(f"{name}_id" for name in RELATIONS),
)  # fmt: skip
_RATED = (RatingChange.Outcome.CHANGED, RatingChange.Outcome.UNDONE)
_Rating: TypeAlias = tuple[datetime, Decimal | None, Decimal | None]
"""When an event got another cost, from which to which."""


class Stored(NamedTuple):
    """Usage that was counted at `at`, or (with less than nothing) no longer counted.

    `event_id` is that of the event whose storing this was, "" where it was something else.
    """

    at: datetime
    scope: CallScope
    occurred_at: datetime
    events: int
    unpriced: int
    tokens: int
    cost: Decimal
    event_id: str = ""


class Ended(NamedTuple):
    """A reservation no longer held anything from `at` on."""

    at: datetime
    reservation: Reservation


@dataclass(frozen=True, slots=True)
class Asked:
    """A question and the answer that was kept. `reservation` is what it made, None for a check or
    where it was blocked; without a `decision` it was allowed."""

    at: datetime
    organization_id: int
    api_key_id: int | None
    call: Mapping[str, Any]
    source: str
    reservation: Reservation | None
    decision: Decision | None


Record: TypeAlias = Stored | Ended | Asked
# What ended at the very moment of a request was in its way, and is ended as the request does.
_ORDER: Mapping[type, int] = {Stored: 0, Asked: 1, Ended: 2}


def read_records(first: datetime, end: datetime) -> list[Record]:
    """What was stored, asked and ended from `first` to before `end`, aware times.

    Of usage, what occurred in that time: budgets whose windows begin earlier do not see all.
    """
    records: list[Record] = [
        *_stored(first, end),
        *_of_reservations(first, end),
        *_without_reservation(first, end),
    ]
    return sorted(
        (record for record in records if record.at < end),
        key=lambda record: (record.at, _ORDER[type(record)]),
    )


def _stored(first: datetime, end: datetime) -> Iterator[Stored]:
    rows = UsageEvent.objects.filter(occurred_at__gte=first, received_at__lt=end)
    events = [dict(zip(_EVENT, row, strict=True)) for row in rows.values_list(*_EVENT)]
    received = {(e["organization_id"], e["event_id"]): e["received_at"] for e in events}
    kinds = CallKind.objects.in_bulk({e["kind_id"] for e in events})
    ratings, ended_runs = _ratings(first), _ended_runs()
    for event in events:
        if _is_reversal(event):
            continue
        replaced_at = received.get((event["organization_id"], event["superseded_by"]))
        if event["tags"] and event["superseded_by"] is None:
            replaced_at = ended_runs.get(event["tags"].get("rating_run", ""))
        changes = ratings.get(event["id"], [])
        yield from _counted(event, _scope(event, kinds[event["kind_id"]]), changes, replaced_at)


def _counted(
    event: Mapping[str, Any],
    scope: CallScope,
    changes: Iterable[_Rating],
    replaced_at: datetime | None,
) -> Iterator[Stored]:
    """One event: counted when it was stored, rated anew, and taken out when it was replaced."""
    costs = [before for _, before, _ in changes]
    cost = costs[0] if costs else event["cost"]
    tokens = event["input_tokens"] + event["output_tokens"]
    calls = int(not event["event_id"].startswith(_ADJUSTMENT))
    occurred_at = event["occurred_at"]
    yield Stored(
        event["received_at"], scope, occurred_at, calls, cost is None, tokens, cost or _ZERO,
        event["event_id"],
    )  # fmt: skip
    for at, before, after in changes:
        unpriced = (after is None) - (before is None)
        difference = (after or _ZERO) - (before or _ZERO)
        yield Stored(at, scope, occurred_at, 0, unpriced, 0, difference)
    if replaced_at is not None:
        cost = event["cost"]
        yield Stored(
            replaced_at, scope, occurred_at, -calls, -(cost is None), -tokens, -(cost or _ZERO)
        )


def _ratings(first: datetime) -> dict[int, list[_Rating]]:
    """By id the other costs that re-ratings gave to events, in the order of time."""
    rows = RatingChange.objects.filter(
        occurred_at__gte=first, outcome__in=_RATED, run__applied_at__isnull=False
    )
    found: dict[int, list[_Rating]] = defaultdict(list)
    columns = "event_pk", "run__applied_at", "run__rolled_back_at", "before_cost", "after_cost"
    for pk, applied_at, undone_at, before, after in rows.values_list(*columns):
        found[pk].append((applied_at, before, after))
        if undone_at is not None:
            found[pk].append((undone_at, after, before))
    return {pk: sorted(changes, key=itemgetter(0)) for pk, changes in found.items()}


def _ended_runs() -> dict[str, datetime]:
    """When the re-ratings that were rolled back were, by id as text."""
    rows = RatingRun.objects.filter(rolled_back_at__isnull=False)
    return {str(pk): at for pk, at in rows.values_list("pk", "rolled_back_at") if at is not None}


def _of_reservations(first: datetime, end: datetime) -> Iterator[Record]:
    rows = list(Reservation.objects.filter(held_at__gte=first, held_at__lt=end))
    decisions = {
        decision.reservation_id: decision
        for decision in Decision.objects.filter(reservation__in=[row.pk for row in rows])
    }
    for row in rows:
        yield Asked(
            row.held_at, row.organization_id, row.api_key_id, row.call,
            Decision.Source.RESERVATION, row, decisions.get(row.pk),
        )  # fmt: skip
        if row.ended_at is not None:
            yield Ended(row.ended_at, row)


def _without_reservation(first: datetime, end: datetime) -> Iterator[Asked]:
    rows = Decision.objects.filter(
        decided_at__gte=first, decided_at__lt=end, reservation__isnull=True
    )
    for row in rows:
        yield Asked(
            row.decided_at, row.organization_id, row.api_key_id, row.call, row.source, None, row
        )


def _is_reversal(event: Mapping[str, Any]) -> bool:
    """Whether an event only took back another one, whatever has replaced it since."""
    used = event["input_tokens"] or event["output_tokens"] or any((event["meters"] or {}).values())
    return event["corrects"] is not None and not used


def _scope(event: Mapping[str, Any], kind: CallKind) -> CallScope:
    ids = (event[f"{name}_id"] for name in RELATIONS)
    return CallScope(*ids, *(getattr(kind, word) for word in WORDS))
