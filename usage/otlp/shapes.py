"""OTLP's objects as JSON writes them, under the names that protobuf has for their members.

64-bit numbers come as text or number, enumerated values as number or name; a member that is null
counts as absent; unknown members are passed over.
"""

import msgspec

Whole = int | str | None
Real = float | int | str | None


class _Json(msgspec.Struct, rename="camel", gc=False):
    """An object of the protocol."""


class Array(_Json):
    """Several values."""

    values: "list[Value] | None" = None


class Pairs(_Json):
    """Values by name."""

    values: "list[Pair] | None" = None


class Value(_Json):
    """One value, in the member of its kind."""

    string_value: str | None = None
    bool_value: bool | None = None
    int_value: Whole = None
    double_value: Real = None
    array_value: Array | None = None
    kvlist_value: Pairs | None = None
    bytes_value: str | None = None


class Pair(_Json):
    """One value with its name."""

    key: str = ""
    value: Value | None = None


class Attributed(_Json):
    """Anything with attributes; by itself a resource or an event of a span."""

    attributes: list[Pair] | None = None


class _Scope(_Json):
    name: str | None = None


class _Status(_Json):
    code: int | str | None = None


class _Span(Attributed):
    name: str | None = None
    trace_id: str | None = None
    span_id: str | None = None
    parent_span_id: str | None = None
    start_time_unix_nano: Whole = None
    end_time_unix_nano: Whole = None
    status: _Status | None = None
    events: list[Attributed] | None = None


class _Record(Attributed):
    event_name: str | None = None
    body: Value | None = None
    time_unix_nano: Whole = None
    observed_time_unix_nano: Whole = None
    trace_id: str | None = None
    span_id: str | None = None


class DataPoint(Attributed):
    """One number of a sum."""

    start_time_unix_nano: Whole = None
    time_unix_nano: Whole = None
    as_int: Whole = None
    as_double: Real = None


class _Sum(_Json):
    data_points: list[DataPoint] | None = None
    aggregation_temporality: int | str | None = None


class _Metric(_Json):
    name: str | None = None
    unit: str | None = None
    sum: _Sum | None = None


class _Scoped(_Json):
    scope: _Scope | None = None


class _ScopeSpans(_Scoped):
    spans: list[_Span] | None = None


class _ScopeLogs(_Scoped):
    log_records: list[_Record] | None = None


class _ScopeMetrics(_Scoped):
    metrics: list[_Metric] | None = None


class _FromResource(_Json):
    resource: Attributed | None = None


class _ResourceSpans(_FromResource):
    scope_spans: list[_ScopeSpans] | None = None


class _ResourceLogs(_FromResource):
    scope_logs: list[_ScopeLogs] | None = None


class _ResourceMetrics(_FromResource):
    scope_metrics: list[_ScopeMetrics] | None = None


class Traces(_Json):
    """The body of a request with spans."""

    resource_spans: list[_ResourceSpans] | None = None


class Logs(_Json):
    """The body of a request with logs."""

    resource_logs: list[_ResourceLogs] | None = None


class Metrics(_Json):
    """The body of a request with metrics."""

    resource_metrics: list[_ResourceMetrics] | None = None
