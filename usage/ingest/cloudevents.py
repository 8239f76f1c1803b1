"""CloudEvents 1.0, structured and batched: the envelope's members become event fields."""

from typing import Any

import msgspec

from usage.ingest.decode import Batch, BodyError, Decoded, check_count, decode_one, is_plain
from usage.ingest.values import FieldError, Rejection

_encode = msgspec.json.encode
_MEMBERS = {"id": "event_id", "time": "occurred_at", "subject": "subject"}


class _CloudEvent(msgspec.Struct):
    """The members that matter; extensions and `source`, `type` are left alone."""

    id: str
    data: dict[str, msgspec.Raw]
    time: str | None = None
    subject: str | None = None


_one: msgspec.json.Decoder[_CloudEvent] = msgspec.json.Decoder(_CloudEvent)
_raws: msgspec.json.Decoder[list[msgspec.Raw]] = msgspec.json.Decoder(list[msgspec.Raw])


def decode_cloudevents(body: bytes, *, batch: bool) -> Batch:
    """One CloudEvent, or with `batch` an array of them, → events. Raises BodyError."""
    plain = is_plain(body)
    if not batch:
        return Batch([_event(body)], plain, single=True)
    try:
        raws = _raws.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BodyError(
            400, "malformed_json", f"The batch is not a JSON array: {error}."
        ) from error
    check_count(len(raws))
    return Batch([_event(raw) for raw in raws], plain, single=False)


def _event(raw: bytes | msgspec.Raw) -> Decoded:
    try:
        envelope = _one.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return Rejection([FieldError("", "not_a_cloudevent", str(error))])
    fields: dict[str, Any] = dict(envelope.data)
    for member, field in _MEMBERS.items():
        value = getattr(envelope, member)
        if value is not None:
            fields.setdefault(field, value)
    return decode_one(_encode(fields))
