"""Why an event was refused, field by field. Runs only for events that failed to decode."""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from usage.ingest.values import EventValue, FieldError, Rejection, exact_number

_LOOSE = msgspec.json.Decoder(float_hook=exact_number)
_encode = msgspec.json.Encoder(decimal_format="number").encode
_PATH = re.compile(r" - at `(?:key in )?\$?(?P<path>[^`]*)`\Z")
_MEMBER = re.compile(r"Object (?:contains unknown|missing required) field `(?P<name>[^`]*)`")
_CODES: tuple[tuple[str, str], ...] = (
    (r"Expected `int` >= 0", "negative"),
    (r"Expected `int` >=", "too_small"),
    (r"Expected `(int|float|decimal)` <=", "too_large"),
    (r"(`int`|Integer value|Number) out of range", "too_large"),
    (r"timezone", "naive"),
    (r"Invalid RFC3339", "not_a_time"),
    (r"Expected `str` of length >=", "empty"),
    (r"of length <=", "too_long"),
    (r"unknown field", "unknown_field"),
    (r"missing required field", "required"),
    (r"Invalid enum value", "not_a_choice"),
    (r"matching regex", "pattern"),
    (r"Invalid decimal", "not_a_number"),
    (r"Expected `", "wrong_type"),
)


def code_of(message: str) -> str:
    """The stable code for a message of the decoder."""
    return next((code for pattern, code in _CODES if re.search(pattern, message)), "invalid")


def _field_error(name: str, error: Exception) -> FieldError:
    text = str(error)
    path = _PATH.search(text)
    inner = path["path"] if path else ""
    message = _PATH.sub("", text)
    if member := _MEMBER.match(message):
        inner += f".{member['name'][:128]}"
    code = code_of(message)
    if code == "naive":
        message = "The time needs an offset, for example 2026-11-20T12:00:00Z."
    return FieldError(field=name + inner.replace("$", ""), code=code, message=message)


def explain(raw: bytes | msgspec.Raw) -> Rejection:
    """Every fault of one JSON value that is not an EventValue; never raises for bad input."""
    try:
        value = _LOOSE.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError) as error:
        return Rejection([FieldError("", "malformed", str(error))])
    if not isinstance(value, dict):
        return Rejection([FieldError("", "not_an_object", "An event is a JSON object.")])
    errors = faults_of(EventValue, value)
    event_id = value.get("event_id")
    if not errors:
        errors = [FieldError("", "invalid", "The event could not be read.")]
    return Rejection(errors, event_id[:128] if isinstance(event_id, str) else None)


def faults_of(struct: type[msgspec.Struct], value: Mapping[str, Any]) -> list[FieldError]:
    """Every fault of a JSON object that should be a `struct`; numbers are int or Decimal."""
    fields = {field.encode_name: field for field in msgspec.structs.fields(struct)}
    faults = [
        FieldError(name[:128], "unknown_field", f"There is no field {name[:128]!r}.")
        for name in value
        if name not in fields
    ]
    for name, field in fields.items():
        if name not in value:
            if field.required:
                faults.append(FieldError(name, "required", f"The field {name} is required."))
            continue
        try:
            msgspec.json.decode(_encode(value[name]), type=field.type)
        except msgspec.ValidationError as error:
            faults.append(_field_error(name, error))
    return faults
