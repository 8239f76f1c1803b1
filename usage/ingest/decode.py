"""Bytes of a request → events or rejections. A whole good batch is decoded in one call."""

import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from usage.ingest.explain import explain
from usage.ingest.values import EventValue, Rejection

MAX_EVENTS = 10_000
MAX_BODY_BYTES = 16 * 1024 * 1024
# Each costs a copy of what is left.
MAX_GZIP_MEMBERS = 500

Decoded = EventValue | Rejection
_FAULTS = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class _Envelope(msgspec.Struct, forbid_unknown_fields=True):
    events: list[EventValue]


class _RawEnvelope(msgspec.Struct, forbid_unknown_fields=True):
    events: list[msgspec.Raw]


_many: msgspec.json.Decoder[list[EventValue]] = msgspec.json.Decoder(list[EventValue])
_raws: msgspec.json.Decoder[list[msgspec.Raw]] = msgspec.json.Decoder(list[msgspec.Raw])
_raw: msgspec.json.Decoder[msgspec.Raw] = msgspec.json.Decoder(msgspec.Raw)
_one: msgspec.json.Decoder[EventValue] = msgspec.json.Decoder(EventValue)
_enveloped = msgspec.json.Decoder(_Envelope)
_raw_enveloped = msgspec.json.Decoder(_RawEnvelope)
_fields: msgspec.json.Decoder[dict[str, msgspec.Raw]] = msgspec.json.Decoder(dict[str, msgspec.Raw])
_anything: msgspec.json.Decoder[Any] = msgspec.json.Decoder()


class BodyError(Exception):
    """The body as a whole cannot be read; `status` is the HTTP status to answer."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


@dataclass(frozen=True, slots=True)
class Batch:
    """What a body held. `plain` = no string in it can hold an escape or control character.

    A `silent` one comes from senders who know no receipts, but 204 for what is well.
    """

    items: list[Decoded]
    plain: bool
    single: bool
    silent: bool = False


def gunzip(data: bytes, limit: int = MAX_BODY_BYTES) -> bytes:
    """Decompress a gzip body, all its members, of at most `limit` bytes once open.

    Raises BodyError 413 or 400.
    """
    members: list[bytes] = []
    room = limit
    for _ in range(MAX_GZIP_MEMBERS):
        reader = zlib.decompressobj(wbits=31)
        try:
            member = reader.decompress(data, room + 1)
        except zlib.error as error:
            raise BodyError(400, "not_gzip", f"The body is not gzip: {error}.") from error
        if len(member) > room:
            raise BodyError(413, "body_too_large", f"The body is over {limit} bytes decompressed.")
        if not reader.eof:
            raise BodyError(400, "not_gzip", "The gzip body is cut short.")
        members.append(member)
        room -= len(member)
        data = reader.unused_data
        if not data:
            return b"".join(members)
    raise BodyError(400, "not_gzip", f"The gzip body has over {MAX_GZIP_MEMBERS} members.")


def is_plain(body: bytes) -> bool:
    """Whether no string of a JSON body can hold a control character; JSON wants all of them
    escaped but DEL."""
    return b"\\" not in body and b"\x7f" not in body


def decode_json(body: bytes) -> Batch:
    """One event, an array of events or `{"events": […]}`. Raises BodyError for others."""
    plain = is_plain(body)
    first = body.lstrip()[:1]
    if first == b"[":
        return Batch(_decode_array(body), plain, single=False)
    if first != b"{":
        _require_json(body)
        raise BodyError(400, "wrong_shape", "Send an event, an array of events or {events: […]}.")
    try:
        return Batch([_one.decode(body)], plain, single=True)
    except _FAULTS:
        return _decode_object(body, plain)


def decode_ndjson(body: bytes) -> Batch:
    """One event a line; empty lines are skipped."""
    lines = [line for line in body.split(b"\n") if line.strip()]
    check_count(len(lines))
    return Batch([decode_one(line) for line in lines], is_plain(body), single=False)


def split_body(body: bytes) -> list[bytes] | list[msgspec.Raw]:
    """The JSON values of a body, not yet decoded: an array's, one a line, or a single one.

    Raises BodyError.
    """
    lines = [line for line in body.split(b"\n") if line.strip()]
    try:
        raws = _raws.decode(body) if body.lstrip()[:1] == b"[" else [_raw.decode(body)]
    except _FAULTS:
        if len(lines) < 2 or lines[0].lstrip()[:1] == b"[":
            _require_json(body)
        check_count(len(lines))
        return lines
    check_count(len(raws))
    return raws


def decode_one(raw: bytes | msgspec.Raw) -> Decoded:
    """One JSON value → the event, or why it is none."""
    try:
        return _one.decode(raw)
    except _FAULTS:
        return explain(raw)


def decode_partial(body: bytes, defaults: Mapping[str, object]) -> Decoded:
    """One event whose fields in `defaults` may be left out. Raises BodyError for no object."""
    if not body.lstrip().startswith(b"{"):
        _require_json(body)
        raise BodyError(400, "wrong_shape", "Send one event as a JSON object.")
    fields = read_json(_fields, body)
    return decode_one(msgspec.json.encode({**defaults, **fields}))


def _decode_array(body: bytes) -> list[Decoded]:
    try:
        events = _many.decode(body)
    except _FAULTS:
        return _each(read_json(_raws, body))
    check_count(len(events))
    return list(events)


def _decode_object(body: bytes, plain: bool) -> Batch:
    try:
        events = _enveloped.decode(body).events
        check_count(len(events))
        return Batch(list(events), plain, single=False)
    except _FAULTS:
        value = _require_json(body)
    if "events" not in value:
        return Batch([explain(body)], plain, single=True)
    if not isinstance(value["events"], list) or len(value) > 1:
        raise BodyError(400, "wrong_shape", "The body must be {events: […]} and nothing else.")
    return Batch(_each(_raw_enveloped.decode(body).events), plain, single=False)


def _each(raws: Iterable[msgspec.Raw]) -> list[Decoded]:
    items = list(raws)
    check_count(len(items))
    return [decode_one(raw) for raw in items]


def _require_json(body: bytes) -> Any:
    return read_json(_anything, body)


def read_json(decoder: "msgspec.json.Decoder[Any]", body: bytes) -> Any:
    """What `decoder` reads in a body. Raises BodyError 400."""
    try:
        return decoder.decode(body)
    except UnicodeDecodeError as error:
        raise BodyError(400, "invalid_utf8", "The body is not valid UTF-8.") from error
    except RecursionError as error:
        raise BodyError(400, "too_deep", "The JSON is nested too deeply.") from error
    except msgspec.DecodeError as error:
        code = "invalid_utf8" if "utf" in str(error).lower() else "malformed_json"
        raise BodyError(400, code, f"The body is not valid JSON: {error}.") from error


def check_count(count: int) -> None:
    """Raise BodyError 413 for more events than a request may hold."""
    if count > MAX_EVENTS:
        raise BodyError(
            413, "too_many_events", f"A request holds at most {MAX_EVENTS} events, not {count}."
        )
