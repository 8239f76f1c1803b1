"""Attributes as somebody pastes them → a mapping."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

_MARKS = ("stringValue", "intValue", "doubleValue", "boolValue")


class NoAttributes(Exception):
    """A text that holds no attributes; the message says what is expected."""


def read_attributes(text: str) -> dict[str, Any]:
    """The attributes of a JSON object, of a list as OTLP has them, or of `name=value` lines.

    Several pairs may stand in a line, with commas between, as in OTEL_RESOURCE_ATTRIBUTES.
    Raises NoAttributes.
    """
    text = text.strip()
    if text[:1] in ("{", "["):
        try:
            return _of_json(json.loads(text))
        except (ValueError, RecursionError) as error:
            raise NoAttributes(f"This is not valid JSON: {error}.") from error
    return dict(_pair(part) for line in text.splitlines() for part in line.split(",") if part)


def _of_json(read: Any) -> dict[str, Any]:
    if isinstance(read, dict):
        return read
    if isinstance(read, list) and all(isinstance(entry, dict) and "key" in entry for entry in read):
        return {str(entry["key"]): _value(entry.get("value")) for entry in read}
    raise NoAttributes("Paste a JSON object, or OTLP's list of keys and values.")


def _value(told: Any) -> Any:
    if not isinstance(told, Mapping):
        return told
    listed = told.get("arrayValue")
    if isinstance(listed, Mapping) and isinstance(entries := listed.get("values"), Iterable):
        return [_value(entry) for entry in entries]
    return next((told[mark] for mark in _MARKS if mark in told), None)


def _pair(part: str) -> tuple[str, str]:
    name, mark, value = part.partition("=")
    if not mark or not name.strip():
        raise NoAttributes(f"“{part.strip()[:60]}” is no name=value.")
    return name.strip(), value.strip()
