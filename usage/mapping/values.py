"""Attribute values → text that an event accepts."""

import re
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import Any

from usage.ingest.values import MAX_NAME

MAX_TAG_NAME = 64
MAX_TAG_VALUE = 256
_LOOKED_AT = 4096
_WIDEST = 64
_UNNAMEABLE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]+")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


def text_of(value: Any) -> str:
    """A plain value as clean text; "" for what is no plain value."""
    if isinstance(value, str):
        text = value[:_LOOKED_AT]
        return (text if text.isprintable() else _UNNAMEABLE.sub("", text)).strip()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) and value.bit_length() > _WIDEST:
        return ""
    return str(value) if isinstance(value, int | float | Decimal) else ""


def fits(*patterns: str) -> Callable[[str], bool]:
    """Whether a text is written as one of the patterns, in which * stands for anything.

    The time it takes grows with the text alone, whatever stands in it.
    """
    whole, heads, tails, parts, others = set(), set(), set(), [], []
    for pattern in patterns:
        match pattern.split("*"):
            case [text]:
                whole.add(text)
            case [head, ""]:
                heads.add(head)
            case ["", tail]:
                tails.add(tail)
            case ["", part, ""]:
                parts.append(part)
            case several:
                others.append(several)
    starts, ends = tuple(heads), tuple(tails)

    def is_written(text: str) -> bool:
        if text in whole or text.startswith(starts) or text.endswith(ends):
            return True
        for part in parts:
            if part in text:
                return True
        return any(_is_of(several, text) for several in others) if others else False

    return is_written


def _is_of(parts: Sequence[str], text: str) -> bool:
    """Whether a text is these parts in their order, with anything between them."""
    at, end = len(parts[0]), len(text) - len(parts[-1])
    if at > end or not text.startswith(parts[0]) or not text.endswith(parts[-1]):
        return False
    for part in parts[1:-1]:
        at = text.find(part, at, end)
        if at < 0:
            return False
        at += len(part)
    return True


def name_of(text: str) -> str:
    """The part of `text` that fits where events hold a name."""
    return text[:MAX_NAME].strip()


def is_email(text: str) -> bool:
    """Whether `text` is written as an e-mail address is."""
    return len(text) <= MAX_NAME and _EMAIL.fullmatch(text) is not None


def tags_of_list(values: Iterable[Any]) -> dict[str, str]:
    """Tags that a client lists: `name:value` or `name=value`, else the name alone is true."""
    tags: dict[str, str] = {}
    for text in filter(None, map(text_of, values)):
        name, mark, value = (
            re.split("([:=])", text, maxsplit=1) if _parted(text) else (text, "", "")
        )
        tags.setdefault(name.strip(), value.strip() if mark else "true")
    return tags


def _parted(text: str) -> bool:
    # An address is no name with a value.
    return re.match(r"[^:=]+[:=](?!//)", text) is not None
