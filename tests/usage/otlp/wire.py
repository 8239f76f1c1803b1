"""OTLP bodies for tests: from plain values to JSON and protobuf."""

import base64
import json
from math import isfinite
from pathlib import Path
from typing import Any

from google.protobuf import json_format
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

SAMPLES = Path(__file__).parents[2] / "samples"
PROTOBUF, JSON = "application/x-protobuf", "application/json"
NOW_NS = 1_795_309_048_020_000_000  # 2026-11-22 00:57:28 UTC
_KINDS: dict[str, Any] = {
    "resourceSpans": ExportTraceServiceRequest,
    "resourceLogs": ExportLogsServiceRequest,
    "resourceMetrics": ExportMetricsServiceRequest,
}
_IDS = ("traceId", "spanId", "parentSpanId")


def sample(name: str) -> Any:
    return json.loads((SAMPLES / name).read_text())


def attributes(values: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"key": name, "value": value(each)} for name, each in values.items()]


def value(plain: Any) -> dict[str, Any]:
    if isinstance(plain, bool):
        return {"boolValue": plain}
    if isinstance(plain, int):
        return {"intValue": str(plain)}
    if isinstance(plain, float):
        return {"doubleValue": plain if isfinite(plain) else "NaN"}
    if isinstance(plain, list):
        return {"arrayValue": {"values": [value(each) for each in plain]}}
    if isinstance(plain, dict):
        return {"kvlistValue": {"values": attributes(plain)}}
    return {"stringValue": plain}


def spans(*each: dict[str, Any], **resource: Any) -> dict[str, Any]:
    scoped = [{"scope": {"name": "test"}, "spans": list(each)}]
    told = {"attributes": attributes(resource)}
    return {"resourceSpans": [{"resource": told, "scopeSpans": scoped}]}


def span(number: int, told: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {
        "name": "chat",
        "traceId": f"{number + 1:032x}",
        "spanId": f"{number + 1:016x}",
        "startTimeUnixNano": str(NOW_NS),
        "endTimeUnixNano": str(NOW_NS + 10**9),
        "attributes": attributes(told),
        **fields,
    }


def chat(number: int, **more: Any) -> dict[str, Any]:
    told = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-5",
        "gen_ai.response.id": f"chatcmpl-9c4Bq{number:03d}",
        "gen_ai.usage.input_tokens": 2006,
        "gen_ai.usage.output_tokens": 1300,
        "gen_ai.usage.cache_read.input_tokens": 1920,
    }
    return span(number, {**told, **more})


def logs(*each: dict[str, Any], scope: str = "", **resource: Any) -> dict[str, Any]:
    scoped = [{"scope": {"name": scope}, "logRecords": list(each)}]
    told = {"attributes": attributes(resource)}
    return {"resourceLogs": [{"resource": told, "scopeLogs": scoped}]}


def log(name: str, told: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {
        "timeUnixNano": str(NOW_NS),
        "attributes": attributes({"event.name": name, **told}),
        **fields,
    }


def as_json(body: dict[str, Any]) -> bytes:
    return json.dumps(body).encode()


def as_protobuf(body: dict[str, Any]) -> bytes:
    (kind,) = body
    encoded: bytes = json_format.ParseDict(_with_bytes(body), _KINDS[kind]()).SerializeToString()
    return encoded


def _with_bytes(told: Any) -> Any:
    """Ids as protobuf's own JSON has them: in base64, not in hex as OTLP's."""
    if isinstance(told, list):
        return [_with_bytes(each) for each in told]
    if not isinstance(told, dict):
        return told
    return {
        name: base64.b64encode(bytes.fromhex(each)).decode() if name in _IDS else _with_bytes(each)
        for name, each in told.items()
    }
