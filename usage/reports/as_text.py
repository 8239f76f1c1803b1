"""Reports as people read them: aligned tables with rounded figures, by the rich library."""

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from usage.formats import UNKNOWN, duration, money, percent, quantity, rounded
from usage.reports.documents import Column, Document, Fact, Facts, Kind, Sheet

BAR_WIDTH = 24
WIDEST = 1000
_FULL, _PARTS, _ASCII = "█", ("", "▏", "▎", "▍", "▌", "▋", "▊", "▉"), "#"
_LEFT = (Kind.TEXT, Kind.BAR, Kind.DATE, Kind.INSTANT)


def as_text(document: Document, zone: str, *, unicode: bool = True) -> Iterator[RenderableType]:
    """The parts of a report in reading order, times in `zone`; bars of # without `unicode`."""
    shown = _Shown(document.currency, ZoneInfo(zone), unicode)
    yield Text(document.title, style="bold")
    if document.subtitle:
        yield Text(document.subtitle, style="dim")
    for part in document.parts:
        if isinstance(part, Facts):
            yield from _facts(part, shown)
        elif part.people:
            yield from _sheet(part, shown)
    if document.notes:
        yield ""
    for note in document.notes:
        yield Text(note, style="dim")


def as_line(document: Document, zone: str) -> str:
    """The totals of a report in a line or two, times in `zone`."""
    if document.line:
        return document.line
    shown = _Shown(document.currency, ZoneInfo(zone), unicode=False)
    facts = [
        _fact_words(fact, shown)
        for part in document.parts
        if isinstance(part, Facts)
        for fact in part.facts
        if fact.people
    ]
    return "\n".join(filter(None, (f"{document.title} ({document.subtitle})", "; ".join(facts))))


def _fact_words(fact: Fact, shown: "_Shown") -> str:
    share = "" if fact.share is None else shown.value(Kind.PERCENT, fact.share)
    behind = " ".join(filter(None, (share, fact.note)))
    told = f"{fact.label} {shown.value(fact.kind, fact.value)}"
    return f"{told} ({behind})" if behind else told


class _Shown:
    """Values as text."""

    def __init__(self, currency: str, zone: ZoneInfo, unicode: bool) -> None:
        self._zone, self._unicode = zone, unicode
        self._ways: dict[Kind, Callable[[Any], str]] = {
            Kind.TEXT: str,
            Kind.COUNT: quantity,
            Kind.MONEY: lambda value: money(value, currency),
            Kind.PERCENT: percent,
            Kind.NUMBER: lambda value: quantity(rounded(value, 0)),
            Kind.EXACT: quantity,
            Kind.DURATION: duration,
            Kind.INSTANT: self._instant,
            Kind.DATE: date.isoformat,
            Kind.BAR: self._bar,
            Kind.FIGURE: str,
        }

    def value(self, kind: Kind, value: object) -> str:
        """A value; what there is none of is a dash, and a cost nobody knows is unpriced."""
        if value is None and kind is not Kind.MONEY:
            return UNKNOWN
        return self._ways[kind](value)

    def _instant(self, value: datetime) -> str:
        return f"{value.astimezone(self._zone):%Y-%m-%d %H:%M}"

    def _bar(self, value: Decimal) -> str:
        eighths = int(rounded(value * BAR_WIDTH * 8 / 100, 0))
        if not self._unicode:
            return _ASCII * int(rounded(Decimal(eighths) / 8, 0))
        bar = _FULL * (eighths // 8) + _PARTS[eighths % 8]
        return bar or (_PARTS[1] if value else "")


def _facts(facts: Facts, shown: _Shown) -> Iterator[RenderableType]:
    visible = [fact for fact in facts.facts if fact.people]
    if not visible:
        return
    yield ""
    if facts.title:
        yield Text(facts.title, style="bold")
    grid = Table.grid(padding=(0, 2, 0, 0))
    for _ in range(4):
        grid.add_column(no_wrap=False, overflow="fold")
    for fact in visible:
        part = "" if fact.share is None else shown.value(Kind.PERCENT, fact.share)
        grid.add_row(fact.label, _fact_text(fact, shown), part, Text(fact.note, style="dim"))
    yield grid


def _fact_text(fact: Fact, shown: _Shown) -> Text:
    return Text(shown.value(fact.kind, fact.value), style=_style(fact.kind))


def _sheet(sheet: Sheet, shown: _Shown) -> Iterator[RenderableType]:
    yield ""
    if sheet.title:
        yield Text(sheet.title, style="bold")
    if not sheet.rows:
        yield Text(f"  {sheet.empty}", style="dim")
        return
    yield _Fitted(sheet, shown)
    if len(sheet.rows) > sheet.most:
        more = len(sheet.rows) - sheet.most
        yield Text(f"  and {more:,} more; --format csv or json has all", style="dim")


class _Fitted:
    """A table without those spare columns, the last first, that a terminal has no room for.

    Names wrap only where that is not enough.
    """

    def __init__(self, sheet: Sheet, shown: _Shown) -> None:
        self._sheet, self._shown = sheet, shown

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        columns = self._sheet.columns
        visible = [place for place, column in enumerate(columns) if column.people]
        spare = [place for place in visible if columns[place].spare]
        left_out: list[str] = []
        table = self._table(visible)
        while spare and self._width(console, options, table) > options.max_width:
            place = spare.pop()
            visible.remove(place)
            left_out.insert(0, columns[place].heading)
            table = self._table(visible)
        if self._width(console, options, table) > options.max_width:
            table = self._table(visible, wrap=True)
        yield table
        if left_out:
            yield Text(f"  a wider terminal shows {', '.join(left_out)}", style="dim")

    def _width(self, console: Console, options: ConsoleOptions, table: Table) -> int:
        unlimited = options.update(max_width=WIDEST)
        return Measurement.get(console, unlimited, table).maximum

    def _table(self, visible: Sequence[int], *, wrap: bool = False) -> Table:
        table = Table(box=None, padding=(0, 1), pad_edge=True, header_style="dim")
        for place in visible:
            column = self._sheet.columns[place]
            if column.kind in _LEFT:
                table.add_column(column.heading, overflow="fold", no_wrap=not wrap)
            else:
                # Names are headings of figures; numbers themselves are short.
                foldable = wrap and column.kind is Kind.FIGURE
                table.add_column(
                    column.heading, justify="right", no_wrap=not foldable, overflow="fold"
                )
        for row in self._sheet.rows[: self._sheet.most]:
            table.add_row(
                *(_cell(self._sheet.columns[place], row[place], self._shown) for place in visible)
            )
        return table


def _cell(column: Column, value: object, shown: _Shown) -> Text:
    return Text(shown.value(column.kind, value), style=_style(column.kind))


def _style(kind: Kind) -> str:
    return {Kind.MONEY: "green", Kind.BAR: "cyan", Kind.PERCENT: "cyan"}.get(kind, "")
