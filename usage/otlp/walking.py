"""The tree of an OTLP request → its records. One walk for both encodings, which name alike."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Protocol

from usage.otlp.values import LogRecord, Point, Resource, Span


class Encoding(Protocol):
    """How an encoding writes what is no list and no text."""

    def attributes(self, pairs: Any) -> dict[str, Any]:
        """Values by name; those that are none are left out."""

    def value(self, told: Any) -> Any:
        """A plain value; None for none."""

    def trace_id(self, told: Any) -> str:
        """Lower-case hex, "" for none."""

    def span_id(self, told: Any) -> str:
        """Lower-case hex, "" for none."""

    def nanoseconds(self, told: Any) -> int:
        """A time, 0 for none. Raises BodyError."""

    def number(self, point: Any) -> Decimal | int:
        """The number of a point. Raises BodyError."""


FAILED = frozenset({2, "2", "STATUS_CODE_ERROR"})
DELTA = frozenset({1, "1", "AGGREGATION_TEMPORALITY_DELTA"})


def spans_in(request: Any, encoding: Encoding) -> Iterator[Span]:
    """The spans of an ExportTraceServiceRequest."""
    attributes, span_id, clock = encoding.attributes, encoding.span_id, encoding.nanoseconds
    for resource, scoped in _scopes(request.resource_spans, "scope_spans", encoding):
        scope = _scope_name(scoped)
        for span in scoped.spans or ():
            yield Span(
                resource,
                scope,
                span.name or "",
                encoding.trace_id(span.trace_id),
                span_id(span.span_id),
                span_id(span.parent_span_id),
                clock(span.start_time_unix_nano),
                clock(span.end_time_unix_nano),
                attributes(span.attributes),
                span.status is not None and span.status.code in FAILED,
                [attributes(event.attributes) for event in span.events or ()],
            )


def records_in(request: Any, encoding: Encoding) -> Iterator[LogRecord]:
    """The records of an ExportLogsServiceRequest."""
    for resource, scoped in _scopes(request.resource_logs, "scope_logs", encoding):
        scope = _scope_name(scoped)
        for record in scoped.log_records or ():
            attributes = encoding.attributes(record.attributes)
            # Codex fills the field with a line of its source code.
            named = attributes.get("event.name") or record.event_name
            yield LogRecord(
                resource,
                scope,
                named if isinstance(named, str) else "",
                encoding.value(record.body),
                encoding.nanoseconds(record.time_unix_nano)
                or encoding.nanoseconds(record.observed_time_unix_nano),
                encoding.trace_id(record.trace_id),
                encoding.span_id(record.span_id),
                attributes,
            )


def points_in(request: Any, encoding: Encoding) -> Iterator[Point]:
    """The points of all sums of an ExportMetricsServiceRequest."""
    for resource, scoped in _scopes(request.resource_metrics, "scope_metrics", encoding):
        scope = _scope_name(scoped)
        for metric in scoped.metrics or ():
            if metric.sum is None:
                continue
            for point in metric.sum.data_points or ():
                yield Point(
                    resource,
                    scope,
                    metric.name or "",
                    metric.unit or "",
                    encoding.attributes(point.attributes),
                    encoding.nanoseconds(point.start_time_unix_nano),
                    encoding.nanoseconds(point.time_unix_nano),
                    encoding.number(point),
                    metric.sum.aggregation_temporality in DELTA,
                )


def _scopes(groups: Any, member: str, encoding: Encoding) -> Iterator[tuple[Resource, Any]]:
    for group in groups or ():
        told = group.resource.attributes if group.resource is not None else ()
        resource = Resource(encoding.attributes(told))
        for scoped in getattr(group, member) or ():
            yield resource, scoped


def _scope_name(scoped: Any) -> str:
    return (scoped.scope.name or "") if scoped.scope is not None else ""
