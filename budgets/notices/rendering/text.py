"""Messages as plain text, 72 columns wide: of e-mails, and of services that show no more."""

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from textwrap import wrap

from budgets.notices.fitting import fit, one_line
from budgets.notices.message import Line, Message, Section

WIDTH = 72
_LABELS = 30
_GAP = 2


def as_text(message: Message) -> str:
    """What a message says below its title, each part after an empty line, ending in a new line.

    Only an address may be wider: broken it would lead nowhere.
    """
    told = fit(message)
    parts = [wrap(told.summary, WIDTH), list(_figures(told.lines)), list(_advice(told.advice))]
    parts += [list(_section(section)) for section in told.sections]
    parts.append([told.url] if told.url else [])
    return "\n\n".join("\n".join(part) for part in parts if part) + "\n"


def _figures(lines: Sequence[Line]) -> Iterator[str]:
    labels = min(max((len(line.label) for line in lines), default=0), _LABELS)
    indent = " " * (labels + _GAP)
    for line in lines:
        label = one_line(line.label, _LABELS).ljust(labels + _GAP)
        yield from wrap(label + line.value, WIDTH, subsequent_indent=indent, drop_whitespace=True)


def _advice(advice: Sequence[str]) -> Iterator[str]:
    if advice:
        yield from _headed("What to do")
    for each in advice:
        yield from wrap(f"* {each}", WIDTH, subsequent_indent="  ")


def _section(section: Section) -> Iterator[str]:
    yield from _headed(section.title)
    yield from _figures(section.lines)
    yield from _table(section.table)


def _headed(title: str) -> Iterator[str]:
    shown = one_line(title, WIDTH)
    yield shown
    yield "-" * len(shown)


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip_longest(*rows, fillvalue="")]
    if not widths:
        return
    rest = sum(widths[1:]) + _GAP * (len(widths) - 1)
    first = max(min(widths[0], WIDTH - rest), 1)
    for row in rows:
        cells = [one_line(row[0], first).ljust(first)]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=False)]
        yield (" " * _GAP).join(cells)[:WIDTH].rstrip()
