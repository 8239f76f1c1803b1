"""Native event files, JSON lines or CSV → decoded events with their line numbers. Pure."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

import msgspec

from usage.importers.files import LineTooLong, lines_of
from usage.ingest.decode import Decoded, decode_one
from usage.ingest.values import EventValue, FieldError, Rejection, SubjectValue

_FIELDS = frozenset(field.name for field in msgspec.structs.fields(EventValue))
_SUBJECT_FIELDS = frozenset(field.name for field in msgspec.structs.fields(SubjectValue))
_GROUPS = {"tags": None, "meters": None, "subject": _SUBJECT_FIELDS}
_INTEGERS = frozenset(
    name for name in _FIELDS if name.endswith(("_tokens", "_characters")) or name == "duration_ms"
)
_FLAGS = frozenset({"free_tier", "estimated"})
_WORDS_OF_FLAGS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
_INTEGER = re.compile(r"-?\d{1,18}\Z")

Numbered = tuple[int, Decoded]


class HeaderError(Exception):
    """The first line of a CSV file does not name event fields."""


def read_jsonl(file: BinaryIO) -> Iterator[Numbered]:
    """One event a line."""
    for number, line in lines_of(file):
        if isinstance(line, LineTooLong):
            yield number, Rejection([FieldError("", "too_long", str(line))])
        else:
            yield number, decode_one(line)


def read_csv(file: BinaryIO) -> Iterator[Numbered]:
    """One event a row; columns are event fields, `tags.NAME`, `meters.NAME`, `subject.email`….

    An empty cell means the field is not given. Raises HeaderError.
    """
    # Bytes that are no UTF-8 become lone surrogates, which cannot be written as JSON again.
    text = io.TextIOWrapper(file, "utf-8-sig", errors="surrogateescape", newline="")
    rows = csv.reader(text, strict=True)
    columns: list[str] | None = None
    while True:
        number = rows.line_num + 1
        try:
            cells = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            yield number, Rejection([FieldError("", "malformed", f"Not CSV: {error}.")])
            continue
        if columns is None:
            columns = _header(cells)
        elif any(cells):
            yield number, _event(columns, cells)


def _header(cells: Sequence[str]) -> list[str]:
    columns = [cell.strip() for cell in cells]
    unknown = [column for column in columns if not _is_known(column)]
    if unknown:
        raise HeaderError(f"these columns are no event fields: {', '.join(map(repr, unknown))}")
    if len(set(columns)) < len(columns):
        raise HeaderError("a column is named twice")
    return columns


def _is_known(column: str) -> bool:
    group, dot, name = column.partition(".")
    if not dot:
        return column in _FIELDS and column not in ("tags", "meters")
    allowed = _GROUPS.get(group, frozenset())
    return bool(name) and (allowed is None or name in allowed)


def _event(columns: Sequence[str], cells: Sequence[str]) -> Decoded:
    if len(cells) > len(columns):
        fault = f"The row has {len(cells)} cells, the header {len(columns)}."
        return Rejection([FieldError("", "too_many_cells", fault)])
    fields: dict[str, Any] = {}
    for column, cell in zip(columns, cells, strict=False):
        if cell:
            _put(fields, column, cell)
    try:
        return decode_one(msgspec.json.encode(fields))
    except UnicodeEncodeError:
        return Rejection([FieldError("", "invalid_utf8", "The row is not valid UTF-8.")])


def _put(fields: dict[str, Any], column: str, cell: str) -> None:
    group, dot, name = column.partition(".")
    if not dot:
        value = _typed(column, cell)
        if column == "subject" and isinstance(fields.get("subject"), dict):
            fields["subject"].setdefault("key", value)
        else:
            fields[column] = value
        return
    if group == "subject" and isinstance(fields.get("subject"), str):
        fields["subject"] = {"key": fields["subject"]}
    fields.setdefault(group, {})[name] = cell


def _typed(column: str, cell: str) -> Any:
    """The JSON value a cell stands for; what does not look right stays text, to be refused."""
    if column in _INTEGERS and _INTEGER.match(cell):
        return int(cell)
    if column in _FLAGS:
        return _WORDS_OF_FLAGS.get(cell.lower(), cell)
    if column == "usage":
        return msgspec.Raw(cell.encode()) if _is_json(cell) else cell
    return cell


def _is_json(text: str) -> bool:
    try:
        msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return False
    return True
