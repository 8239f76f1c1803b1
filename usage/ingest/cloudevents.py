"""CloudEvents 1.0: the envelope's members become event fields.

Structured and batched, or binary (the members in headers, the data as the body). `data` is an
event, read as strictly as one that comes alone, unless it counts tokens as OpenMeter's does.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

import msgspec

from usage.callbacks.openmeter import is_openmeter, read_usage_event
from usage.ingest.decode import Batch, BodyError, Decoded, check_count, decode_one, is_plain
from usage.ingest.values import FieldError, Rejection

_encode = msgspec.json.encode
_decode_any: msgspec.json.Decoder[Any] = msgspec.json.Decoder()
_MEMBERS = {"id": "event_id", "time": "occurred_at", "subject": "subject"}
_HEADER = "ce-"
_MARK = b'"specversion"'
_MARK_WITHIN = 4096
_FAULTS = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class _CloudEvent(msgspec.Struct):
    """The members that matter; extensions and `type` are left alone."""

    id: str
    data: dict[str, msgspec.Raw]
    source: str = ""
    time: str | None = None
    subject: str | None = None


class _Marked(msgspec.Struct):
    specversion: str


_one: msgspec.json.Decoder[_CloudEvent] = msgspec.json.Decoder(_CloudEvent)
_raws: msgspec.json.Decoder[list[msgspec.Raw]] = msgspec.json.Decoder(list[msgspec.Raw])
_marked = msgspec.json.Decoder(_Marked | list[msgspec.Raw])
_is_marked = msgspec.json.Decoder(_Marked)


def decode_cloudevents(body: bytes, *, batch: bool) -> Batch:
    """One CloudEvent, or with `batch` an array of them, → events. Raises BodyError."""
    plain = is_plain(body)
    if not batch:
        return _batch([_event(body)], plain, single=True)
    try:
        raws = _raws.decode(body)
    except _FAULTS as error:
        raise BodyError(
            400, "malformed_json", f"The batch is not a JSON array: {error}."
        ) from error
    check_count(len(raws))
    return _batch([_event(raw) for raw in raws], plain, single=False)


def decode_binary(headers: Mapping[str, str], body: bytes) -> Batch:
    """One CloudEvent whose members are headers (`ce-id`…) and whose data is the body."""
    members = {
        name[len(_HEADER) :].lower(): unquote(value)
        for name, value in headers.items()
        if name.lower().startswith(_HEADER)
    }
    return decode_cloudevents(_encode({**members, "data": msgspec.Raw(body)}), batch=False)


def cloudevents_within(body: bytes) -> bool | None:
    """Whether a body of mere JSON holds a batch of CloudEvents (True) or one (False); None: none.

    No event has a member that is called `specversion`.
    """
    if _MARK not in body[:_MARK_WITHIN]:
        return None
    try:
        found = _marked.decode(body)
        if not isinstance(found, list):
            return False
        _is_marked.decode(found[0])
    except (*_FAULTS, IndexError):
        return None
    return True


def _batch(read: list[tuple[Decoded, bool]], plain: bool, *, single: bool) -> Batch:
    silent = bool(read) and all(is_silent for _, is_silent in read)
    return Batch([item for item, _ in read], plain, single, silent)


def _event(raw: bytes | msgspec.Raw) -> tuple[Decoded, bool]:
    try:
        envelope = _one.decode(raw)
        if is_openmeter(envelope.data):
            return _usage_event(envelope), True
    except _FAULTS as error:
        return Rejection([FieldError("", "not_a_cloudevent", str(error))]), False
    fields: dict[str, Any] = dict(envelope.data)
    for member, field in _MEMBERS.items():
        value = getattr(envelope, member)
        if value is not None:
            fields.setdefault(field, value)
    return decode_one(_encode(fields)), False


def _usage_event(envelope: _CloudEvent) -> Decoded:
    data = {name: _decode_any.decode(value) for name, value in envelope.data.items()}
    return read_usage_event(envelope.source, envelope.id, envelope.time, envelope.subject, data)
