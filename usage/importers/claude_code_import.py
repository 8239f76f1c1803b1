"""Import of Claude Code logs: files → folded events → ingest, corrections included."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from usage.importers.claude_code import Malformed, Origin, correction_of, merge, read_line
from usage.importers.files import Advance, LineTooLong, lines_of, open_bytes
from usage.importers.stored import Head, find_heads
from usage.ingest.pipeline import Caller, ingest
from usage.ingest.prepare import Tenant
from usage.ingest.values import EventValue, Receipt, Rejection

CHUNK = 2_000
MAX_FAULTS = 1_000
_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Fault:
    """A line, or an event of it, that was left out."""

    place: str
    message: str


@dataclass(slots=True)
class ImportSummary:
    """What an import did. `cost` (ledger currency) and tokens are what it added to the sums."""

    files: int = 0
    lines: int = 0
    answers: int = 0
    new: int = 0
    duplicates: int = 0
    corrected: int = 0
    malformed: int = 0
    refused: int = 0
    unpriced: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost: Decimal = Decimal(0)
    faults: list[Fault] = field(default_factory=list)


def import_claude_code(
    files: Sequence[Path], tenant: Tenant, caller: Caller, origin: Origin, advance: Advance
) -> ImportSummary:
    """Read `files` and store every answer once, with its final counts.

    `caller` must be one that writes to `tenant`. Memory is bounded by `CHUNK`, whatever
    the size and number of the files; repeating an import changes nothing.
    """
    importer = _Importer(tenant, caller, ImportSummary(files=len(files)))
    for place, event in _events(files, origin, importer.summary, advance):
        importer.take(place, event)
    importer.finish()
    return importer.summary


def _events(
    files: Iterable[Path], origin: Origin, summary: ImportSummary, advance: Advance
) -> Iterator[tuple[str, EventValue]]:
    for path in files:
        with open_bytes(path, advance) as file:
            for number, line in lines_of(file):
                place = f"{path}:{number}"
                summary.lines += 1
                try:
                    if isinstance(line, LineTooLong):
                        raise Malformed(str(line))
                    found = read_line(line, origin)
                except Malformed as fault:
                    summary.malformed += 1
                    _note(summary, place, str(fault))
                    continue
                for event in found:
                    if isinstance(event, Rejection):
                        summary.refused += 1
                        _note(summary, place, _reason(event))
                    else:
                        summary.answers += 1
                        yield place, event


class _Importer:
    """Folds events of the same answer while they are near each other, then stores them."""

    def __init__(self, tenant: Tenant, caller: Caller, summary: ImportSummary) -> None:
        self._tenant, self._caller, self.summary = tenant, caller, summary
        self._pending: dict[str, EventValue] = {}
        self._places: dict[str, str] = {}

    def take(self, place: str, event: EventValue) -> None:
        """Fold `event` in; store the older half of what waits when there is too much."""
        known = self._pending.get(event.event_id)
        if known is not None:
            self.summary.duplicates += 1
            self._pending[event.event_id] = merge(known, event)
            return
        self._pending[event.event_id] = event
        self._places[event.event_id] = place
        if len(self._pending) >= 2 * CHUNK:
            self._store(CHUNK)

    def finish(self) -> None:
        """Store all that waits."""
        while self._pending:
            self._store(CHUNK)

    def _store(self, count: int) -> None:
        chosen = list(self._pending)[:count]
        events = [self._pending.pop(event_id) for event_id in chosen]
        conflicting = self._send(events)
        for _ in range(_ATTEMPTS):
            if not conflicting:
                break
            conflicting = self._correct(conflicting)
        for event in conflicting:
            self._refuse(event.event_id, "another import keeps changing this event; repeat it")
        for event_id in chosen:
            del self._places[event_id]

    def _send(self, events: list[EventValue]) -> list[EventValue]:
        """Store events; return those that are known with another content."""
        conflicting = []
        for event, receipt in self._ingest(events):
            if receipt.status == "accepted":
                self.summary.new += 1
                self._add(event, _money(receipt), 1)
            elif receipt.status == "duplicate":
                self.summary.duplicates += 1
            elif receipt.status == "conflict":
                conflicting.append(event)
            else:
                self._refuse(event.event_id, _reason(receipt))
        return conflicting

    def _correct(self, events: list[EventValue]) -> list[EventValue]:
        """Let fuller counts replace what is stored; return events whose head moved meanwhile."""
        heads = find_heads(self._tenant.id, [event.event_id for event in events])
        corrections: list[EventValue] = []
        corrected: list[tuple[EventValue, Head]] = []
        for event in events:
            head = heads.get(event.event_id)
            correction = _correction(event, head) if head else None
            if head is None or correction is None:
                self.summary.duplicates += 1
            else:
                corrections.append(correction)
                corrected.append((event, head))
        moved = []
        for (event, head), (sent, receipt) in zip(
            corrected, self._ingest(corrections), strict=True
        ):
            if receipt.status == "accepted":
                self.summary.corrected += 1
                self._add(head.value, head.cost, -1)
                self._add(sent, _money(receipt), 1)
            elif receipt.status in ("duplicate", "conflict") or _was_replaced(receipt):
                moved.append(event)
            else:
                self._refuse(event.event_id, _reason(receipt))
        return moved

    def _ingest(self, events: list[EventValue]) -> list[tuple[EventValue, Receipt]]:
        if not events:
            return []
        report = ingest(events, self._caller)
        return list(zip(events, report.results, strict=True))

    def _add(self, event: EventValue, cost: Decimal | None, sign: int) -> None:
        self.summary.input_tokens += sign * event.input_tokens
        self.summary.output_tokens += sign * event.output_tokens
        self.summary.unpriced += sign * (cost is None)
        self.summary.cost += sign * (cost or Decimal(0))

    def _refuse(self, event_id: str, message: str) -> None:
        self.summary.refused += 1
        _note(self.summary, self._places[event_id], message)


def _correction(event: EventValue, head: Head) -> EventValue | None:
    # What a person or another program put in its place stands, above all a reversal.
    ours = head.event_id == event.event_id or head.event_id.startswith(f"{event.event_id}+")
    if head.is_reversal or not ours:
        return None
    merged = merge(head.value, event)
    merged.event_id = event.event_id
    return correction_of(head.value, merged, head.event_id)


def _was_replaced(receipt: Receipt) -> bool:
    return any(error.code == "already_superseded" for error in receipt.errors)


def _money(receipt: Receipt) -> Decimal | None:
    return Decimal(receipt.cost) if isinstance(receipt.cost, str) else None


def _reason(refusal: Rejection | Receipt) -> str:
    return "; ".join(f"{error.field}: {error.message}" for error in refusal.errors)


def _note(summary: ImportSummary, place: str, message: str) -> None:
    if len(summary.faults) < MAX_FAULTS:
        summary.faults.append(Fault(place, message))
