"""Attributes → the counts, times and events they tell; every fault names its attribute. Pure."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec

from usage.ingest.explain import faults_of
from usage.ingest.values import (
    MAX_TAGS,
    MAX_TOKENS,
    EventValue,
    FieldError,
    Rejection,
    exact_number,
)
from usage.mapping.values import name_of, text_of

_1970 = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST_NUMBER = 40
_WIDEST = 64
_MICRO = Decimal("0.000001")


class AttributeReader:
    """Reads attributes of one record; what cannot be read is noted in `faults`."""

    def __init__(self, attributes: Mapping[str, Any]) -> None:
        self._attributes = attributes
        self.faults: list[FieldError] = []

    def text(self, *names: str) -> str:
        """The first of these attributes that is not empty, as clean text that fits a name."""
        told = self._attributes
        for name in names:
            if name in told and (text := name_of(text_of(told[name]))):
                return text
        return ""

    def count(self, *names: str) -> int | None:
        """The first of these attributes that is there, as a whole number of at least 0."""
        number = self._number(names)
        if number is None:
            return None
        name, value = number
        if value != value.to_integral_value():
            self._fault(name, "wrong_type", f"{value} is no whole number.")
        elif value < 0:
            self._fault(name, "negative", "A count is at least 0.")
        elif value > MAX_TOKENS:
            self._fault(name, "too_large", f"A count is at most {MAX_TOKENS}.")
        else:
            return int(value)
        return None

    def required_count(self, name: str) -> int:
        """An attribute that must be there, as a whole number of at least 0."""
        if self._attributes.get(name) is None:
            self._fault(name, "required", "This count is missing.")
        return self.count(name) or 0

    def money(self, *names: str) -> Decimal | None:
        """The first of these attributes that is there, as an amount of at least 0."""
        number = self._number(names)
        if number is None:
            return None
        name, value = number
        if value >= 0:
            return value
        self._fault(name, "negative", "A cost is at least 0.")
        return None

    def micros(self, name: str) -> Decimal | None:
        """An attribute that counts millionths, as the amount it stands for."""
        value = self.money(name)
        return None if value is None else value * _MICRO

    def milliseconds(self, *names: str) -> int | None:
        """The first of these attributes that is a believable duration; others tell nothing."""
        for name in names:
            value = _decimal(self._attributes.get(name))
            if value is not None and 0 <= value <= MAX_TOKENS:
                return round(value)
        return None

    def _number(self, names: tuple[str, ...]) -> tuple[str, Decimal] | None:
        told = self._attributes
        name = next((n for n in names if n in told and told[n] is not None), None)
        if name is None:
            return None
        value = _decimal(told[name])
        if value is None:
            self._fault(name, "not_a_number", "This is no number.")
        return None if value is None else (name, value)

    def _fault(self, name: str, code: str, message: str) -> None:
        self.faults.append(FieldError(name, code, message))


def time_of(nanoseconds: int) -> datetime:
    """Nanoseconds since 1970 as a time, to the microsecond."""
    return _1970 + timedelta(microseconds=nanoseconds // 1000)


def make_event(fields: dict[str, Any]) -> EventValue | Rejection:
    """The event with these fields, checked as one that came in by itself."""
    try:
        return msgspec.convert(fields, EventValue)
    except msgspec.ValidationError as error:
        faults = faults_of(EventValue, fields) or [FieldError("", "invalid", str(error))]
        return Rejection(faults, str(fields.get("event_id", ""))[:128] or None)


def with_told(fields: dict[str, Any], told: dict[str, Any]) -> dict[str, Any]:
    """Fields of an event with those that rules told; of the tags as many as there may be."""
    tags = {**fields.get("tags", {}), **told.get("tags", {})}
    return {**fields, **told, "tags": dict(list(tags.items())[:MAX_TAGS]) or None}


def _decimal(value: Any) -> Decimal | None:
    """A finite number, however it is written."""
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        return None
    if isinstance(value, int) and value.bit_length() > _WIDEST:
        return None
    text = repr(value) if isinstance(value, float) else str(value).strip()
    try:
        return exact_number(text) if len(text) <= _LONGEST_NUMBER else None
    except ValueError:
        return None
