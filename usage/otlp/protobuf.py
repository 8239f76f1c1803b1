"""OTLP in protobuf → values. Pure."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import NumberDataPoint

from usage.ingest.decode import BodyError
from usage.otlp.values import MAX_TEXT, LogRecord, Point, Span, span_id_of, trace_id_of
from usage.otlp.walking import points_in, records_in, spans_in


def read_traces(body: bytes) -> list[Span]:
    """All spans of an ExportTraceServiceRequest. Raises BodyError 400."""
    return list(spans_in(_parse(ExportTraceServiceRequest, body), _Encoding()))


def read_logs(body: bytes) -> list[LogRecord]:
    """All records of an ExportLogsServiceRequest. Raises BodyError 400."""
    return list(records_in(_parse(ExportLogsServiceRequest, body), _Encoding()))


def read_metrics(body: bytes) -> list[Point]:
    """The points of all sums of an ExportMetricsServiceRequest. Raises BodyError 400."""
    return list(points_in(_parse(ExportMetricsServiceRequest, body), _Encoding()))


def _parse(kind: Any, body: bytes) -> Any:
    try:
        return kind.FromString(body)
    except DecodeError as error:
        raise BodyError(
            400, "malformed_protobuf", f"The body is not a readable {kind.DESCRIPTOR.name}."
        ) from error


class _Encoding:
    def attributes(self, pairs: Iterable[KeyValue]) -> dict[str, Any]:
        value_of = self.value
        return {p.key: value for p in pairs if (value := value_of(p.value)) is not None}

    def value(self, told: AnyValue) -> Any:
        kind = told.WhichOneof("value")
        if kind == "string_value":
            text = told.string_value
            return text if len(text) <= MAX_TEXT else None
        if kind == "array_value":
            return [self.value(inner) for inner in told.array_value.values]
        if kind == "kvlist_value":
            return self.attributes(told.kvlist_value.values)
        return getattr(told, kind) if kind else None

    def trace_id(self, told: bytes) -> str:
        return trace_id_of(told.hex())

    def span_id(self, told: bytes) -> str:
        return span_id_of(told.hex())

    def nanoseconds(self, told: int) -> int:
        return told

    def number(self, point: NumberDataPoint) -> Decimal | int:
        if point.WhichOneof("value") == "as_int":
            return point.as_int
        return Decimal(repr(point.as_double))
