"""`/otlp/v1/…`: telemetry over OTLP/HTTP, in protobuf or JSON, answered in kind.

The paths have no trailing slash and nothing here redirects: exporters take that for success.
"""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, NamedTuple

import msgspec
from django.http import HttpResponse
from rest_framework.request import Request
from rest_framework.views import APIView

from usage.api.authentication import HasScope, KeyAuthentication, holder_of
from usage.api.bodies import read_body
from usage.api.parameters import OwnFormat
from usage.api.problems import problem_handler
from usage.api.schema.otlp import documented
from usage.ingest.decode import BodyError
from usage.keys import KeyHolder
from usage.models import APIKey
from usage.otlp import json, protobuf
from usage.otlp.answers import JSON, PROTOBUF, Signal, failure, success
from usage.otlp.intake import Refused, take_logs, take_points, take_spans

ExceptionHandler = Callable[[Exception, Mapping[str, Any]], HttpResponse | None]


class _Told(msgspec.Struct):
    """What a problem says, for people."""

    detail: str


_problem = msgspec.json.Decoder(_Told)


class _Signal(NamedTuple):
    """A kind of telemetry: how each media type of it is read, and who takes it in."""

    name: Signal
    readers: Mapping[str, Callable[[bytes], Any]]
    take: Callable[[Any, KeyHolder], Refused]


class _OtlpView(APIView):
    """POST telemetry. Records that are no AI calls are accepted and passed over."""

    authentication_classes = (KeyAuthentication,)
    permission_classes = (HasScope,)
    content_negotiation_class = OwnFormat
    scope = APIKey.Scope.INGEST
    answers_problems = False
    signal: ClassVar[_Signal]

    def get_exception_handler(self) -> ExceptionHandler:
        """Errors as OTLP tells them."""
        return status_handler

    def take(self, request: Request) -> HttpResponse:
        """Read, store, answer."""
        kind = media_type_of(request)
        read = self.signal.readers.get(kind)
        if read is None:
            message = f"Send {PROTOBUF} or {JSON}, not {kind or 'nothing'}."
            raise BodyError(415, "unknown_type", message)
        refused = self.signal.take(read(read_body(request)), holder_of(request))
        return HttpResponse(success(self.signal.name, kind, refused), content_type=kind)


class TracesView(_OtlpView):
    """Spans of GenAI instrumentations."""

    signal = _Signal("traces", {PROTOBUF: protobuf.read_traces, JSON: json.read_traces}, take_spans)

    @documented(
        "traces",
        "otlp_traces",
        "Take spans",
        "Spans of GenAI instrumentations; each call counts once, however many spans, logs and"
        " callbacks tell of it. Spans that are no calls are passed over.",
    )
    def post(self, request: Request) -> HttpResponse:
        """Store the calls that spans tell of."""
        return self.take(request)


class LangfuseView(TracesView):
    """Where the SDKs of Langfuse send their spans; the key is the password of their pair."""

    @documented(
        "traces",
        "langfuse_traces",
        "Take spans of Langfuse's SDKs",
        "The same as `/otlp/v1/traces`, under the path that these SDKs post to.",
    )
    def post(self, request: Request) -> HttpResponse:
        """Store the calls that spans tell of."""
        return self.take(request)


class LogsView(_OtlpView):
    """Events of coding clients and of GenAI instrumentations."""

    signal = _Signal("logs", {PROTOBUF: protobuf.read_logs, JSON: json.read_logs}, take_logs)

    @documented(
        "logs",
        "otlp_logs",
        "Take logs",
        "Events of Claude Code, Codex and Gemini CLI, and GenAI events that tell usage. Other"
        " records are passed over.",
    )
    def post(self, request: Request) -> HttpResponse:
        """Store the calls that log records tell of."""
        return self.take(request)


class MetricsView(_OtlpView):
    """Claude Code's counters, for sessions that send nothing else."""

    signal = _Signal(
        "metrics", {PROTOBUF: protobuf.read_metrics, JSON: json.read_metrics}, take_points
    )

    @documented(
        "metrics",
        "otlp_metrics",
        "Take metrics",
        "Claude Code's token and cost counters as deltas, for sessions that send no logs: these"
        " repeat them. Other metrics are passed over.",
    )
    def post(self, request: Request) -> HttpResponse:
        """Store what metrics tell where nothing tells the calls."""
        return self.take(request)


def media_type_of(request: Request) -> str:
    """The media type of the body, in lower case without parameters."""
    return (request.content_type or "").partition(";")[0].strip().lower()


def status_handler(error: Exception, context: Mapping[str, Any]) -> HttpResponse | None:
    """Every known error as a google.rpc.Status, in the caller's encoding."""
    answer = problem_handler(error, context)
    if answer is None:
        return None
    kind = media_type_of(context["request"])
    kind = PROTOBUF if kind == PROTOBUF else JSON
    message = _problem.decode(answer.content).detail
    headers = {name: value for name, value in answer.items() if name != "Content-Type"}
    body = failure(answer.status_code, kind, message)
    return HttpResponse(body, status=answer.status_code, content_type=kind, headers=headers)
