"""Store: claims, rows, corrections and dirty marks in one transaction."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.db import IntegrityError, connection, transaction

from usage.ingest.claims import Claim, claim, find_claims, release
from usage.ingest.corrections import Superseded, remove, supersede
from usage.ingest.identities import kind_ids
from usage.ingest.partitions import ensure_partitions, forget, month_of
from usage.ingest.rows import COLUMNS, Rated, copy_rows
from usage.ingest.values import Rejection
from usage.models.events import BUCKET
from usage.signals import events_stored

_BUCKET_SECONDS = int(BUCKET.total_seconds())
_COPY = f"COPY usage_usageevent ({', '.join(COLUMNS)}) FROM STDIN"


@dataclass(slots=True)
class Stored:
    """What became of rated events: those stored, those refused by index, the taken claims."""

    rated: list[Rated] = field(default_factory=list)
    refused: dict[int, Rejection] = field(default_factory=dict)
    taken: dict[str, Claim] = field(default_factory=dict)


class NotAllStored(Exception):
    """Strict handling: something in the batch could not be stored, so nothing was."""

    def __init__(self, outcome: Stored) -> None:
        super().__init__("not every event could be stored")
        self.outcome = outcome


def store(rated: Sequence[Rated], *, strict: bool) -> Stored:
    """Store events whose digests are all different; commit before returning.

    With `strict`, NotAllStored is raised and nothing is stored if any correction is
    refused or any key is taken by another payload.
    """
    try:
        return _store(rated, strict=strict)
    except IntegrityError as error:
        if "no partition of relation" not in str(error):
            raise
    # Another process has dropped one that this process remembers.
    forget()
    return _store(rated, strict=strict)


def _store(rated: Sequence[Rated], *, strict: bool) -> Stored:
    ensure_partitions({month_of(r.prepared.event.occurred_at) for r in rated})
    kinds = kind_ids({r.words for r in rated})
    with transaction.atomic():
        free = claim([r.prepared for r in rated])
        fresh = rated if len(free) == len(rated) else _fresh(rated, free)
        if fresh:
            _copy(copy_rows(fresh, kinds))
        outcome = Stored(list(fresh))
        superseded = _correct(outcome)
        if len(free) < len(rated):
            taken = [r.prepared for r in rated if r.prepared.digest not in free]
            outcome.taken = find_claims([p.digest for p in taken])
            conflict = any(outcome.taken[p.digest].payload != p.payload for p in taken)
        else:
            conflict = False
        if strict and (conflict or outcome.refused):
            raise NotAllStored(outcome)
        _mark_dirty(outcome.rated, superseded)
        events_stored.send(sender=None, rated=outcome.rated, superseded=superseded)
    return outcome


def _fresh(rated: Iterable[Rated], free: set[str]) -> list[Rated]:
    """The events whose keys were free, without passes of calls whose own keys were not."""
    claimed = [r for r in rated if r.prepared.digest in free]
    calls = {r.prepared.index for r in claimed if not r.prepared.part}
    orphans = [r.prepared.digest for r in claimed if r.prepared.index not in calls]
    if orphans:
        release(orphans)
    return [r for r in claimed if r.prepared.index in calls]


def _copy(lines: Iterable[str]) -> None:
    # Django translates the driver's errors for statements only.
    with (
        connection.wrap_database_errors,
        connection.cursor() as cursor,
        cursor.copy(_COPY) as copy,
    ):
        copy.write("".join(lines))


def _correct(outcome: Stored) -> list[Superseded]:
    corrections = [r.prepared for r in outcome.rated if r.prepared.event.corrects is not None]
    if not corrections:
        return []
    superseded, outcome.refused = supersede(corrections)
    if outcome.refused:
        failed = [r.prepared for r in outcome.rated if r.prepared.index in outcome.refused]
        remove(failed)
        release(p.digest for p in failed)
        outcome.rated = [r for r in outcome.rated if r.prepared.index not in outcome.refused]
    return superseded


def _mark_dirty(rated: Iterable[Rated], superseded: Iterable[Superseded]) -> None:
    moments = [(r.prepared.tenant.id, r.prepared.event.occurred_at) for r in rated]
    moments += [(s.organization_id, s.occurred_at) for s in superseded]
    marks = {(owner, int(at.timestamp()) // _BUCKET_SECONDS) for owner, at in moments}
    if marks:
        organizations, buckets = zip(*marks, strict=True)
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO usage_dirtymark (organization_id, bucket)"
                " SELECT o, to_timestamp(b * %s) FROM unnest(%s::int[], %s::bigint[]) AS t (o, b)",
                (_BUCKET_SECONDS, list(organizations), list(buckets)),
            )
