"""Import of native event files: decoded rows → ingest in chunks, refused rows told apart."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from typing import Any

from usage.importers.files import Advance, open_bytes
from usage.importers.native_files import Numbered, read_csv, read_jsonl
from usage.ingest.pipeline import Caller, ingest
from usage.ingest.values import Receipt

CHUNK = 5_000
READERS = {"jsonl": read_jsonl, "csv": read_csv}


@dataclass(frozen=True, slots=True)
class Refused:
    """A row that was not stored: where it stands and what ingest said of it."""

    file: str
    line: int
    receipt: Receipt

    def as_json(self) -> dict[str, Any]:
        """The form the errors file holds, one object a line."""
        errors = [
            {"field": error.field, "code": error.code, "message": error.message}
            for error in self.receipt.errors
        ]
        return {
            "file": self.file,
            "line": self.line,
            "event_id": self.receipt.event_id,
            "status": self.receipt.status,
            "errors": errors,
        }


@dataclass(slots=True)
class FileSummary:
    """What an import did. `cost` is that of the accepted events, in the ledger currency."""

    rows: int = 0
    accepted: int = 0
    duplicates: int = 0
    conflicts: int = 0
    rejected: int = 0
    unpriced: int = 0
    cost: Decimal = Decimal(0)


def format_of(name: str) -> str:
    """The format that a file's name tells: `csv` or `jsonl`."""
    return "csv" if name.lower().removesuffix(".gz").endswith(".csv") else "jsonl"


def import_files(
    files: Sequence[str],
    caller: Caller,
    on_refused: Callable[[Refused], None],
    advance: Advance,
    file_format: str | None = None,
) -> FileSummary:
    """Store every event of `files` (`-` = standard input), each file in its own format.

    `file_format` overrides what the names tell. Raises HeaderError and OSError.
    """
    summary = FileSummary()
    for name in files:
        reader = READERS[file_format or format_of(name)]
        with open_bytes(name, advance) as file:
            for chunk in _chunks(reader(file)):
                _store(name, chunk, caller, summary, on_refused)
    return summary


def _chunks(rows: Iterator[Numbered]) -> Iterator[list[Numbered]]:
    while chunk := list(islice(rows, CHUNK)):
        yield chunk


def _store(
    name: str,
    chunk: list[Numbered],
    caller: Caller,
    summary: FileSummary,
    on_refused: Callable[[Refused], None],
) -> None:
    report = ingest([item for _, item in chunk], caller)
    summary.rows += len(chunk)
    summary.accepted += report.accepted
    summary.duplicates += report.duplicates
    summary.conflicts += report.conflicts
    summary.rejected += report.rejected
    summary.unpriced += report.unpriced
    for (line, _), receipt in zip(chunk, report.results, strict=True):
        if receipt.status in ("rejected", "conflict"):
            on_refused(Refused(name, line, receipt))
        elif isinstance(receipt.cost, str):
            summary.cost += Decimal(receipt.cost)
