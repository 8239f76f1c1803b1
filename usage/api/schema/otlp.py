"""OTLP over HTTP in the OpenAPI document."""

from collections.abc import Callable
from typing import Any

from drf_spectacular.utils import OpenApiResponse, extend_schema

from usage.api.schema.components import Schema
from usage.otlp.answers import JSON, PROTOBUF, Signal, rejected_in_json

_STATUS = {
    "type": "object",
    "description": "A google.rpc.Status.",
    "properties": {"code": {"type": "integer"}, "message": {"type": "string"}},
    "required": ["code", "message"],
}
_ERRORS = {
    400: "The body as a whole cannot be read; the same will never be taken.",
    401: "There is no key, or the key is unknown, revoked or expired.",
    403: "The key lacks the scope.",
    411: "The body has no Content-Length and no end.",
    413: "The body is over 16 MiB, or tells of over 10,000 calls.",
    415: "The body is neither protobuf nor JSON, or its encoding neither gzip nor identity.",
    429: "Too many requests; `Retry-After` says when to come back.",
    503: "The database is away for a moment; `Retry-After` says when to come back.",
}


def documented(
    signal: Signal, operation_id: str, summary: str, description: str
) -> Callable[[Any], Any]:
    """The decorator of a method that takes telemetry."""
    encodings = {PROTOBUF: {"type": "string", "format": "binary"}}
    answers: dict[Any, Any] = {
        (200, JSON): OpenApiResponse(_answer(signal), "Everything else was taken."),
        (200, PROTOBUF): OpenApiResponse(encodings[PROTOBUF], "The same in protobuf."),
    }
    for status, reason in _ERRORS.items():
        answers[status, JSON] = OpenApiResponse(_STATUS, reason)
        answers[status, PROTOBUF] = OpenApiResponse(encodings[PROTOBUF], reason)
    return extend_schema(
        operation_id=operation_id,
        summary=summary,
        description=f"{description} Answers in the encoding of the request.",
        tags=["telemetry"],
        request={**encodings, JSON: {"type": "object", "additionalProperties": True}},
        responses=answers,
    )


def _answer(signal: Signal) -> Schema:
    texts = {rejected_in_json(signal): {"type": "string"}, "errorMessage": {"type": "string"}}
    partial = {
        "type": "object",
        "description": "Left out when nothing was refused.",
        "properties": texts,
    }
    return {"type": "object", "properties": {"partialSuccess": partial}}
