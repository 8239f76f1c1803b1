"""What a notice says, whatever the channel: kept as JSON, so that every try says the same."""

from typing import Any

import msgspec


class Line(msgspec.Struct, frozen=True):
    """One figure: what it is, and the figure as people read it."""

    label: str
    value: str


class Section(msgspec.Struct, frozen=True):
    """A titled part: figures, or a table whose first row tells the columns."""

    title: str
    lines: tuple[Line, ...] = ()
    table: tuple[tuple[str, ...], ...] = ()


class Message(msgspec.Struct, frozen=True):
    """A message: `title` is one line of plain text, `summary` a sentence or two, `lines` the
    figures, `advice` what to do, `url` the page to look at.

    `type` is what programs tell messages apart by (budget.threshold_reached), `data` (JSON, money
    as decimal strings) what they read.
    """

    type: str
    severity: str
    title: str
    summary: str
    url: str
    lines: tuple[Line, ...] = ()
    sections: tuple[Section, ...] = ()
    advice: tuple[str, ...] = ()
    data: dict[str, Any] = {}

    def as_content(self) -> dict[str, Any]:
        """The message as JSON values."""
        content: dict[str, Any] = msgspec.to_builtins(self)
        return content

    @classmethod
    def from_content(cls, content: dict[str, Any]) -> "Message":
        """The message that `as_content` gave."""
        return msgspec.convert(content, cls)
