"""Import of Claude Code logs: files → folded events → ingest, corrections included."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from usage.importers.claude_code import LogReader, Malformed, Origin
from usage.importers.files import Advance, LineTooLong, lines_of, open_bytes
from usage.ingest.pipeline import Caller
from usage.ingest.values import Rejection
from usage.sightings.merging import merge
from usage.sightings.sessions import take_calls
from usage.sightings.values import Sighting, Taken

CHUNK = 2_000
MAX_FAULTS = 1_000


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

    def add(self, taken: Taken) -> None:
        """Add what became of some calls."""
        self.new += taken.new
        self.duplicates += taken.repeats
        self.corrected += taken.corrected
        self.refused += len(taken.refused)
        self.unpriced += taken.unpriced
        self.input_tokens += taken.input_tokens
        self.output_tokens += taken.output_tokens
        self.cost += taken.cost


def import_claude_code(
    files: Sequence[Path], caller: Caller, origin: Origin, advance: Advance
) -> ImportSummary:
    """Read `files` and store every answer once, with its final counts.

    `caller` writes to one organization. Memory is bounded by `CHUNK`, whatever
    the size and number of the files; repeating an import changes nothing.
    """
    importer = _Importer(caller, ImportSummary(files=len(files)))
    for place, sighting in _events(files, origin, importer.summary, advance):
        importer.take(place, sighting)
    importer.finish()
    return importer.summary


def _events(
    files: Iterable[Path], origin: Origin, summary: ImportSummary, advance: Advance
) -> Iterator[tuple[str, Sighting]]:
    reader = LogReader(origin)
    for path in files:
        with open_bytes(path, advance) as file:
            for number, line in lines_of(file):
                summary.lines += 1
                try:
                    if isinstance(line, LineTooLong):
                        raise Malformed(str(line))
                    found = reader.read_line(line)
                except Malformed as fault:
                    summary.malformed += 1
                    _note(summary, f"{path}:{number}", str(fault))
                    continue
                place = f"{path}:{number}" if found else ""
                for sighting in found:
                    if isinstance(sighting, Rejection):
                        summary.refused += 1
                        _note(summary, place, _reason(sighting))
                    else:
                        summary.answers += 1
                        yield place, sighting


class _Importer:
    """Folds sightings of the same answer while they are near each other, then stores them."""

    def __init__(self, caller: Caller, summary: ImportSummary) -> None:
        self._caller, self.summary = caller, summary
        self._pending: dict[str, Sighting] = {}
        self._places: dict[str, str] = {}

    def take(self, place: str, sighting: Sighting) -> None:
        """Fold a sighting in; store the older half of what waits when there is too much."""
        event_id = sighting.event.event_id
        known = self._pending.get(event_id)
        if known is not None:
            self.summary.duplicates += 1
            if known is not sighting:
                known.event = merge(known.event, sighting.event)
            return
        self._pending[event_id] = sighting
        self._places[event_id] = place
        if len(self._pending) >= 2 * CHUNK:
            self._store(CHUNK)

    def finish(self) -> None:
        """Store all that waits."""
        while self._pending:
            self._store(CHUNK)

    def _store(self, count: int) -> None:
        chosen = list(self._pending)[:count]
        places = [self._places.pop(event_id) for event_id in chosen]
        sightings = [self._pending.pop(event_id) for event_id in chosen]
        events = [sighting.event for sighting in sightings]
        taken = take_calls(sightings, self._caller, events, datetime.now(UTC))
        self.summary.add(taken)
        for index, errors in sorted(taken.refused.items()):
            _note(self.summary, places[index], _reason(Rejection(errors)))


def _reason(refusal: Rejection) -> str:
    return "; ".join(f"{error.field}: {error.message}" for error in refusal.errors)


def _note(summary: ImportSummary, place: str, message: str) -> None:
    if len(summary.faults) < MAX_FAULTS:
        summary.faults.append(Fault(place, message))
