"""Messages as the JSON that webhooks get: type, timestamp and data, of at most 64 KiB."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from budgets.notices.fitting import fit, one_line
from budgets.notices.message import Message

MAX_BYTES = 64 * 1024
_TEXT_LENGTH = 1_000
_ITEMS = 50


def as_payload(notice_id: str, message: Message, at: datetime) -> dict[str, Any]:
    """What a webhook is told of a notice at an aware time; the names of `data` stay.

    Texts and lists longer than anybody needs are cut, and where it is too much all the same only
    what people read is left, so that it never has more than MAX_BYTES in UTF-8.
    """
    told = fit(message)
    read = {
        "notice_id": notice_id,
        "severity": told.severity,
        "title": told.title,
        "summary": told.summary,
        "url": told.url,
        "advice": list(told.advice),
    }
    payload = {
        "type": message.type,
        "timestamp": at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "data": {**_cut(message.data), **read},
    }
    if len(msgspec.json.encode(payload)) > MAX_BYTES:
        payload["data"] = read
    return payload


def _cut(value: Any) -> Any:
    if isinstance(value, str):
        return one_line(value, _TEXT_LENGTH)
    if isinstance(value, Mapping):
        return {
            one_line(str(key), _TEXT_LENGTH): _cut(each)
            for key, each in list(value.items())[:_ITEMS]
        }
    if isinstance(value, list | tuple):
        return [_cut(each) for each in value[:_ITEMS]]
    return value
