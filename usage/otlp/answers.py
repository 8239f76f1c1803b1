"""Answers as OTLP over HTTP wants them: in the encoding of the question. Pure."""

from typing import Any, Literal, NamedTuple

import msgspec
from google.rpc.code_pb2 import Code
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from usage.ingest.values import FieldError

PROTOBUF, JSON = "application/x-protobuf", "application/json"
Signal = Literal["traces", "logs", "metrics"]
FAULTS_TOLD = 5
_encode = msgspec.json.encode
_CODES = {
    400: Code.INVALID_ARGUMENT,
    401: Code.UNAUTHENTICATED,
    403: Code.PERMISSION_DENIED,
    405: Code.UNIMPLEMENTED,
    411: Code.INVALID_ARGUMENT,
    413: Code.RESOURCE_EXHAUSTED,
    415: Code.INVALID_ARGUMENT,
    429: Code.RESOURCE_EXHAUSTED,
    503: Code.UNAVAILABLE,
}


class _Kind(NamedTuple):
    message: Any
    rejected: str
    rejected_in_json: str
    record: str


_KINDS: dict[Signal, _Kind] = {
    "traces": _Kind(ExportTraceServiceResponse, "rejected_spans", "rejectedSpans", "span"),
    "logs": _Kind(
        ExportLogsServiceResponse, "rejected_log_records", "rejectedLogRecords", "log record"
    ),
    "metrics": _Kind(
        ExportMetricsServiceResponse, "rejected_data_points", "rejectedDataPoints", "data point"
    ),
}


def success(signal: Signal, media_type: str, refused: dict[int, list[FieldError]]) -> bytes:
    """The body that answers a request which was read; of `refused` records the first are told.

    Those that were refused are never to be sent again as they are. Without any, the body is empty
    (in JSON an empty object).
    """
    kind = _KINDS[signal]
    if media_type == JSON:
        if not refused:
            return b"{}"
        partial = {kind.rejected_in_json: str(len(refused)), "errorMessage": _told(kind, refused)}
        return _encode({"partialSuccess": partial})
    answer = kind.message()
    if refused:
        setattr(answer.partial_success, kind.rejected, len(refused))
        answer.partial_success.error_message = _told(kind, refused)
    body: bytes = answer.SerializeToString()
    return body


def failure(status: int, media_type: str, message: str) -> bytes:
    """The body that answers with an HTTP status of 400 or more: a google.rpc.Status."""
    code = _CODES.get(status, Code.UNKNOWN)
    if media_type == JSON:
        return _encode({"code": code, "message": message})
    body: bytes = Status(code=code, message=message).SerializeToString()
    return body


def rejected_in_json(signal: Signal) -> str:
    """What the count of refused records is called in JSON."""
    return _KINDS[signal].rejected_in_json


def _told(kind: _Kind, refused: dict[int, list[FieldError]]) -> str:
    shown = sorted(refused.items())[:FAULTS_TOLD]
    text = "; ".join(
        f"{kind.record} {index}: " + ", ".join(f"{e.field}: {e.message}" for e in errors)
        for index, errors in shown
    )
    more = len(refused) - len(shown)
    return f"{text}; and {more} more" if more else text
