"""Reports as machines read them: one JSON object, or one CSV file with one header."""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal

import msgspec

from usage.exports.encoding import Column as FileColumn
from usage.exports.encoding import ColumnType, encode_csv
from usage.formats import rounded
from usage.reports.documents import MONEY_PLACES, Document, Fact, Facts, Kind, Sheet, exact_text

PERCENT_PLACES = 4
_TYPES = {
    Kind.TEXT: ColumnType.TEXT,
    Kind.COUNT: ColumnType.INTEGER,
    Kind.MONEY: ColumnType.DECIMAL,
    Kind.PERCENT: ColumnType.DECIMAL,
    Kind.NUMBER: ColumnType.DECIMAL,
    Kind.EXACT: ColumnType.DECIMAL,
    Kind.DURATION: ColumnType.INTEGER,
    Kind.INSTANT: ColumnType.INSTANT,
    Kind.DATE: ColumnType.DATE,
}
_PLACES = {Kind.MONEY: MONEY_PLACES, Kind.PERCENT: PERCENT_PLACES, Kind.NUMBER: PERCENT_PLACES}


def as_json(document: Document) -> str:
    """The report as indented JSON: money as strings with ten decimals, percentages with four."""
    whole: dict[str, object] = {"title": document.title, "currency": document.currency}
    for part in document.parts:
        if isinstance(part, Sheet):
            if part.data:
                objects = _objects(part)
                whole[part.name] = objects[0] if part.single else objects
        elif part.name:
            whole[part.name] = _object(part.facts)
        else:
            whole |= _object(part.facts)
    whole["notes"] = list(document.notes)
    return msgspec.json.format(msgspec.json.encode(whole), indent=2).decode()


def as_csv(document: Document) -> Iterator[str]:
    """The report's tables below one header, where `section` says which table a row is of; a
    report without tables has its figures as the only row."""
    sheets = [part for part in document.parts if isinstance(part, Sheet) and part.data]
    if not sheets:
        facts = [
            fact
            for part in document.parts
            if isinstance(part, Facts)
            for fact in part.facts
            if fact.data
        ]
        columns = [FileColumn(fact.name, _TYPES[fact.kind]) for fact in facts]
        rows: Iterable[list[object]] = [[_value(fact.kind, fact.value) for fact in facts]]
        yield from (piece.decode() for piece in encode_csv(columns, rows))
        return
    kinds = {column.name: column.kind for s in sheets for column in s.columns if column.data}
    header = [FileColumn("section", ColumnType.TEXT), FileColumn("currency", ColumnType.TEXT)]
    header += [FileColumn(name, _TYPES[kind]) for name, kind in kinds.items()]
    yield from (
        piece.decode()
        for piece in encode_csv(header, _rows(sheets, list(kinds), document.currency))
    )


def _rows(sheets: Iterable[Sheet], names: list[str], currency: str) -> Iterator[list[object]]:
    for sheet in sheets:
        for row in sheet.rows:
            values = {
                column.name: _value(column.kind, value)
                for column, value in zip(sheet.columns, row, strict=True)
                if column.data
            }
            yield [sheet.name, currency, *(values.get(name) for name in names)]


def _value(kind: Kind, value: object) -> object:
    if isinstance(value, Decimal) and kind is not Kind.EXACT:
        return rounded(value, _PLACES[kind])
    return value


def _objects(sheet: Sheet) -> list[dict[str, object]]:
    return [
        {
            column.name: _plain(column.kind, value)
            for column, value in zip(sheet.columns, row, strict=True)
            if column.data
        }
        for row in sheet.rows
    ]


def _object(facts: Iterable[Fact]) -> dict[str, object]:
    found: dict[str, object] = {}
    for fact in facts:
        if fact.data:
            found[fact.name] = _plain(fact.kind, fact.value)
            if fact.share is not None:
                found[f"{fact.name}_percent"] = _plain(Kind.PERCENT, fact.share)
    return found


def _plain(kind: Kind, value: object) -> object:
    if isinstance(value, Decimal):
        return f"{value:f}" if kind is Kind.EXACT else exact_text(value, _PLACES[kind])
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return value.isoformat() if isinstance(value, date) else value
