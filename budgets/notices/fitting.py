"""Messages cut to what every channel takes: names come from callers and may be anything."""

from budgets.notices.message import Line, Message, Section

TITLE_LENGTH = 120
_SUMMARY_LENGTH = 500
_LABEL_LENGTH = 60
_VALUE_LENGTH = 300
_CELL_LENGTH = 100
_ADVICE_LENGTH = 500
_URL_LENGTH = 1_000
_LINES, _SECTIONS, _ROWS, _COLUMNS, _ADVICE = 20, 8, 12, 5, 8
_MORE = "…"
_LOOKED_AT = 10
"""How many times as much as is shown is looked at: the rest might be spaces."""


def fit(message: Message) -> Message:
    """The message with every text on one line, none too long, and not too many of them."""
    return Message(
        type=message.type,
        severity=message.severity,
        title=one_line(message.title, TITLE_LENGTH),
        summary=one_line(message.summary, _SUMMARY_LENGTH),
        url=one_line(message.url, _URL_LENGTH),
        lines=_lines(message.lines),
        sections=tuple(_section(section) for section in message.sections[:_SECTIONS]),
        advice=tuple(one_line(each, _ADVICE_LENGTH) for each in message.advice[:_ADVICE]),
        data=message.data,
    )


def one_line(text: str, length: int) -> str:
    """The text without line breaks and characters that show nothing or turn others around, cut
    to a length where it is longer."""
    seen = text[: _LOOKED_AT * length]
    if not seen.isprintable():
        seen = "".join(c if c.isprintable() else " " for c in seen)
    whole = " ".join(seen.split())
    return whole if len(whole) <= length else whole[: length - len(_MORE)].rstrip() + _MORE


def _lines(lines: tuple[Line, ...]) -> tuple[Line, ...]:
    return tuple(
        Line(one_line(line.label, _LABEL_LENGTH), one_line(line.value, _VALUE_LENGTH))
        for line in lines[:_LINES]
    )


def _section(section: Section) -> Section:
    return Section(
        one_line(section.title, TITLE_LENGTH),
        _lines(section.lines),
        tuple(
            tuple(one_line(cell, _CELL_LENGTH) for cell in row[:_COLUMNS])
            for row in section.table[:_ROWS]
        ),
    )
