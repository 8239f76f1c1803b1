"""OTLP in JSON → the values that protobuf gives. Pure."""

import base64
import binascii
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import msgspec

from usage.ingest.decode import BodyError, read_json
from usage.otlp.shapes import DataPoint, Logs, Metrics, Pair, Traces, Value
from usage.otlp.values import MAX_TEXT, LogRecord, Point, Span, span_id_of, trace_id_of
from usage.otlp.walking import points_in, records_in, spans_in

_LONGEST_NUMBER = 20
_MAX_NS = 2**64 - 1
_traces = msgspec.json.Decoder(Traces)
_logs = msgspec.json.Decoder(Logs)
_metrics = msgspec.json.Decoder(Metrics)


def read_traces(body: bytes) -> list[Span]:
    """All spans of an ExportTraceServiceRequest. Raises BodyError 400."""
    return list(spans_in(read_json(_traces, body), _Encoding()))


def read_logs(body: bytes) -> list[LogRecord]:
    """All records of an ExportLogsServiceRequest. Raises BodyError 400."""
    return list(records_in(read_json(_logs, body), _Encoding()))


def read_metrics(body: bytes) -> list[Point]:
    """The points of all sums of an ExportMetricsServiceRequest. Raises BodyError 400."""
    return list(points_in(read_json(_metrics, body), _Encoding()))


class _Encoding:
    def attributes(self, pairs: Iterable[Pair] | None) -> dict[str, Any]:
        value_of = self.value
        return {p.key: value for p in pairs or () if (value := value_of(p.value)) is not None}

    def value(self, told: Value | None) -> Any:
        if told is None:
            return None
        if told.string_value is not None:
            return told.string_value if len(told.string_value) <= MAX_TEXT else None
        if told.int_value is not None:
            return _whole(told.int_value)
        if told.double_value is not None:
            return _real(told.double_value)
        if told.array_value is not None:
            return [self.value(inner) for inner in told.array_value.values or ()]
        if told.kvlist_value is not None:
            return self.attributes(told.kvlist_value.values)
        return told.bool_value if told.bool_value is not None else _bytes(told.bytes_value)

    def trace_id(self, told: str | None) -> str:
        return trace_id_of(told or "")

    def span_id(self, told: str | None) -> str:
        return span_id_of(told or "")

    def nanoseconds(self, told: int | str | None) -> int:
        number = _whole(told) if told else 0
        if not isinstance(number, int) or not 0 <= number <= _MAX_NS:
            raise _malformed(told, "time in nanoseconds since 1970")
        return number

    def number(self, point: DataPoint) -> Decimal | int:
        if point.as_int is not None:
            number = _whole(point.as_int)
            if isinstance(number, int):
                return number
            raise _malformed(point.as_int, "whole number")
        real = _real(point.as_double or 0)
        if isinstance(real, float):
            return Decimal(repr(real))
        raise _malformed(point.as_double, "number")


def _whole(told: int | str) -> int | str:
    """A whole number; what is none stays the text it is."""
    if isinstance(told, int) or len(told) > _LONGEST_NUMBER:
        return told
    try:
        return int(told)
    except ValueError:
        return told


def _real(told: float | str) -> float | str:
    """A number, also "NaN" and "Infinity"; what is none stays the text it is."""
    try:
        return float(told)
    except (ValueError, OverflowError):
        return str(told)[:_LONGEST_NUMBER]


def _bytes(told: str | None) -> bytes | None:
    try:
        return base64.b64decode(told) if told is not None else None
    except (binascii.Error, ValueError):
        return None


def _malformed(told: object, wanted: str) -> BodyError:
    return BodyError(400, "malformed_json", f"{str(told)[:40]!r} is no {wanted}.")
