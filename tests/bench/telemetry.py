"""The same calls as native batches, as OTLP spans in protobuf, and as spans in JSON."""

import random
from datetime import datetime
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.bench.figures import Figure, compared
from tests.bench.load import drive, make_bodies, make_event, post, post_events
from tests.bench.stack import Stack
from tests.usage.otlp import wire

ROUNDS = 3
BATCHES, BATCH_SIZE, CLIENTS = 8, 1000, 4
PATH = "/otlp/v1/traces"
TEXT_OF_A_PROMPT = "What is the tally of the day? " * 20


def bench_telemetry(stack: Stack) -> list[Figure]:
    """Calls a second in batches of 1,000: in both encodings of OTLP beside native, in turns."""
    rates: dict[str, list[float]] = {"native": [], wire.PROTOBUF: [], wire.JSON: []}
    for round_ in range(-1, ROUNDS):
        native = post_events(stack, make_bodies(BATCHES, BATCH_SIZE, 700 + round_), CLIENTS)
        measured = {"native": native.seconds}
        chance = random.Random(f"{round_}")
        first = wire.as_protobuf(_batch(chance))
        bodies = [_renamed(first, chance) for _ in range(BATCHES)]
        measured[wire.PROTOBUF] = _post_spans(stack, bodies, wire.PROTOBUF)
        bodies = [wire.as_json(_batch(chance)) for _ in range(BATCHES)]
        measured[wire.JSON] = _post_spans(stack, bodies, wire.JSON)
        if round_ >= 0:
            for kind, took in measured.items():
                rates[kind].append(BATCHES * BATCH_SIZE / took)
    return [
        compared(
            f"OTLP spans, {label}", "calls/s",
            list(zip(rates[kind], rates["native"], strict=True)), "native batches",
        )
        for label, kind in (("protobuf", wire.PROTOBUF), ("JSON", wire.JSON))
    ]  # fmt: skip


def _batch(chance: random.Random) -> dict[str, Any]:
    return wire.spans(
        *(_span(chance) for _ in range(BATCH_SIZE)),
        **{"service.name": "web", "host.name": "h-1", "process.pid": 7, "team.id": "search"},
    )


def _span(chance: random.Random) -> dict[str, Any]:
    event = make_event(chance)
    began = int(datetime.fromisoformat(event["occurred_at"]).timestamp() * 10**9)
    told = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": event["provider"],
        "gen_ai.request.model": event["model"],
        "gen_ai.response.model": event["model"],
        "gen_ai.response.id": f"resp-{event['event_id']}",
        "gen_ai.conversation.id": event["session_id"],
        "gen_ai.input.messages": TEXT_OF_A_PROMPT,
        "gen_ai.usage.input_tokens": event["input_tokens"],
        "gen_ai.usage.output_tokens": event["output_tokens"],
        "gen_ai.usage.cache_read.input_tokens": event["cache_read_tokens"],
        "user.id": event["subject"],
        "server.address": "api.example.org",
    }
    return {
        **wire.span(0, told),
        "traceId": f"{chance.getrandbits(128):032x}",
        "spanId": f"{chance.getrandbits(64):016x}",
        "startTimeUnixNano": str(began),
        "endTimeUnixNano": str(began + event["duration_ms"] * 10**6),
    }


def _renamed(body: bytes, chance: random.Random) -> bytes:
    """The same spans with ids of their own: quicker than to encode others."""
    request = ExportTraceServiceRequest.FromString(body)
    for span in request.resource_spans[0].scope_spans[0].spans:
        span.trace_id, span.span_id = chance.randbytes(16), chance.randbytes(8)
        for pair in span.attributes:
            if pair.key == "gen_ai.response.id":
                pair.value.string_value = f"resp-{chance.randbytes(16).hex()}"
    renamed: bytes = request.SerializeToString()
    return renamed


def _post_spans(stack: Stack, bodies: list[bytes], kind: str) -> float:
    def look(answer: bytes) -> None:
        if b"rejected" in answer:
            raise RuntimeError(answer[:300].decode(errors="replace"))

    requests = [post(stack, PATH, body, kind) for body in bodies]
    return drive(stack.port, requests, CLIENTS, follow=look).seconds
