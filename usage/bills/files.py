"""Bills from files: pages as the providers' APIs send them, and tables that consoles export.

Files given together are one report: a day of which any of them tells is replaced as a whole.
"""

import csv
import io
import json
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec

from usage.answers import quoted
from usage.bills.reports import PROVIDERS
from usage.bills.storing import Stored, store_readings
from usage.bills.tables import ANTHROPIC, OPENAI, OPENROUTER, OWN, Table
from usage.bills.values import BillFault, Reading
from usage.models import BillDay, BillSource

MAX_BYTES = 32 * 1024 * 1024
"""The size of the largest file read."""
_DAY = timedelta(days=1)
_RAW = msgspec.json.Decoder(msgspec.Raw)
_TABLES = {
    BillSource.Kind.ANTHROPIC: ANTHROPIC,
    BillSource.Kind.OPENAI: OPENAI,
    BillSource.Kind.OPENROUTER: OPENROUTER,
}


@dataclass(frozen=True, slots=True)
class BillFile:
    """A file: what it is called, for messages, and what it holds."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class FileResult:
    """What came of files; `unfinished` are days left out since they are not over yet, and
    `empty` the names of the files without any line."""

    stored: Stored
    unfinished: frozenset[date]
    empty: tuple[str, ...]


def import_files(source: BillSource, files: Sequence[BillFile], now: datetime) -> FileResult:
    """Store what files say of days before that of `now`, aware. Repeating it changes nothing.

    Raises BillFault, which names the file; nothing is stored then.
    """
    today = now.astimezone(UTC).date()
    merged: dict[BillDay.Report, Reading] = {}
    empty = []
    for file in files:
        try:
            readings = list(_read(source, file.data))
        except BillFault as fault:
            raise BillFault(f"{file.name}: {fault}") from None
        if not readings:
            empty.append(file.name)
        for reading in readings:
            whole = merged.setdefault(reading.report, Reading(reading.report))
            whole.days |= reading.days
            whole.lines += reading.lines
    unfinished = frozenset(day for found in merged.values() for day in found.days if day >= today)
    finished = [found.within(date.min, today - _DAY) for found in merged.values()]
    return FileResult(store_readings(source, finished), unfinished, tuple(empty))


def _read(source: BillSource, data: bytes) -> Iterator[Reading]:
    if len(data) > MAX_BYTES:
        raise BillFault(f"It is larger than {MAX_BYTES // 1024**2} MiB.")
    text = data.removeprefix(BOM_UTF8)
    if text.lstrip()[:1] in (b"{", b"["):
        return _read_pages(source, text.strip())
    return _read_table(source, text)


def _read_pages(source: BillSource, text: bytes) -> Iterator[Reading]:
    for body in _documents(text):
        found = _first_result(body)
        if found is None:
            continue
        shape = next(
            (
                shape
                for kind in _kinds(source)
                for shape in PROVIDERS[kind].shapes()
                if shape.knows(found)
            ),
            None,
        )
        if shape is None:
            raise BillFault(f"It is no report of {source.get_kind_display()} that is known.")
        yield shape.read([shape.decode(body)])


def _documents(text: bytes) -> list[bytes]:
    """The JSON documents of a file as they are written: one or several, or one list of them."""
    try:
        if text.startswith(b"["):
            parts = msgspec.json.decode(text, type=list[msgspec.Raw])
        else:
            parts = _RAW.decode_lines(text)
    except (msgspec.DecodeError, RecursionError) as error:
        raise BillFault(f"It is not JSON: {quoted(str(error))}.") from None
    return [bytes(part) for part in parts]


def _first_result(body: bytes) -> dict[str, Any] | None:
    """The first line of a page, which tells what it is a page of; None for a page without."""
    try:
        parts = json.loads(body)["data"]
        results = [line for part in parts for line in part.get("results", (part,))]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise BillFault("It holds no page of a report.") from None
    first = next(iter(results), None)
    if first is not None and not isinstance(first, dict):
        raise BillFault("It holds no page of a report.")
    return first


def _read_table(source: BillSource, text: bytes) -> Iterator[Reading]:
    try:
        lines = text.decode()
    except UnicodeDecodeError:
        raise BillFault("It is neither JSON nor a table in UTF-8.") from None
    head = lines.partition("\n")[0]
    rows = csv.reader(io.StringIO(lines, newline=None), delimiter="\t" if "\t" in head else ",")
    columns = _columns(rows)
    table = _table(source, columns)
    reading = Reading(table.report)
    try:
        for cells in filter(any, rows):
            row = dict(zip(columns, cells, strict=False))
            day = table.day(row)
            reading.days.add(day)
            reading.lines.extend(table.lines(day, row))
    except KeyError:
        raise BillFault(f"line {rows.line_num}: it has too few columns.") from None
    except (BillFault, csv.Error) as fault:
        raise BillFault(f"line {rows.line_num}: {fault}") from None
    if reading.days:
        yield reading


def _columns(rows: Iterator[list[str]]) -> list[str]:
    try:
        return [name.strip().lower() for name in next(rows, [])]
    except csv.Error as error:
        raise BillFault(f"line 1: {error}") from None


def _table(source: BillSource, columns: Iterable[str]) -> Table:
    own = OWN if source.kind == BillSource.Kind.FILE else ()
    known: list[Table] = [*(table for kind in _kinds(source) for table in _TABLES[kind]), *own]
    found = next((table for table in known if table.columns <= set(columns)), None)
    if found is None:
        raise BillFault(
            f"It is no export of {source.get_kind_display()} that is known by its columns."
        )
    return found


def _kinds(source: BillSource) -> Sequence[BillSource.Kind]:
    """The providers whose reports are accepted: any where the source is of files alone."""
    if source.kind == BillSource.Kind.FILE:
        return tuple(PROVIDERS)
    return (BillSource.Kind(source.kind),)
