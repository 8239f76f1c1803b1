"""Messages as Slack shows them: Block Kit, built and checked by Slack's own models."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from slack_sdk.models.blocks import (
    Block,
    ContextBlock,
    DividerBlock,
    HeaderBlock,
    MarkdownTextObject,
    PlainTextObject,
    SectionBlock,
)

from budgets.notices.fitting import fit, one_line
from budgets.notices.message import Line, Message, Section

_FIELDS = SectionBlock.fields_max_length
_TEXT = SectionBlock.text_max_length
_BLOCKS = 50
_ROW_LENGTH = 400
_SIGNS = {"critical": ":red_circle:", "warning": ":large_orange_circle:"}
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def as_slack(message: Message) -> dict[str, Any]:
    """What an incoming webhook of Slack takes: `text`, for notifications, and `blocks`.

    No name can mention anybody, link, or be longer than Slack takes.
    """
    told = fit(message)
    blocks = list(_blocks(told))[:_BLOCKS]
    return {"text": _escaped(told.title), "blocks": [block.to_dict() for block in blocks]}


def _blocks(told: Message) -> Iterator[Block]:
    # The header is plain text: Slack reads no markup there.
    yield HeaderBlock(text=PlainTextObject(text=told.title, emoji=False))
    sign = _SIGNS.get(told.severity, ":large_blue_circle:")
    yield from _texts([f"{sign} {_escaped(told.summary)}"])
    yield from _fields(told.lines)
    if told.advice:
        yield from _texts(["*What to do*", *(f"• {_escaped(each)}" for each in told.advice)])
    for section in told.sections:
        yield DividerBlock()
        yield from _section(section)
    if told.url:
        link = MarkdownTextObject(text=f"<{_escaped(told.url)}|Open in Tallyman>", verbatim=True)
        yield ContextBlock(elements=[link])


def _section(section: Section) -> Iterator[Block]:
    yield from _texts([f"*{_escaped(section.title)}*", *_rows(section.table)])
    yield from _fields(section.lines)


def _rows(table: Sequence[Sequence[str]]) -> Iterator[str]:
    if not table:
        return
    columns, *rows = table
    for first, *rest in rows:
        named = zip(columns[1:], rest, strict=False)
        figures = ", ".join(f"{name.lower()} {cell}" if name else cell for name, cell in named)
        yield f"• {_escaped(first)}: {_escaped(one_line(figures, _ROW_LENGTH))}"


def _fields(lines: Iterable[Line]) -> Iterator[Block]:
    shown = [f"*{_escaped(line.label)}*\n{_escaped(line.value)}" for line in lines]
    for first in range(0, len(shown), _FIELDS):
        yield SectionBlock(fields=[_marked(text) for text in shown[first : first + _FIELDS]])


def _texts(lines: Iterable[str]) -> Iterator[Block]:
    """Sections of whole lines, as many in each as it holds."""
    part = ""
    for line in lines:
        if part and len(part) + len(line) >= _TEXT:
            yield SectionBlock(text=_marked(part))
            part = ""
        part += f"\n{line}" if part else line
    yield SectionBlock(text=_marked(part))


def _marked(text: str) -> MarkdownTextObject:
    return MarkdownTextObject(text=text, verbatim=True)


def _escaped(text: str) -> str:
    return text.translate(_ESCAPES)
