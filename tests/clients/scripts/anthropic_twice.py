"""The Anthropic SDK, which makes spans by itself, with an instrumentor that does too."""

import contextlib

import anthropic
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.anthropic import AnthropicInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

MODEL = "claude-opus-4-8"


def main() -> None:
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    AnthropicInstrumentor().instrument()
    client = anthropic.Anthropic(max_retries=0)
    client.messages.create(model=MODEL, max_tokens=1000, messages=[_said("message-0001")])
    with client.messages.stream(
        model=MODEL, max_tokens=1000, messages=[_said("stream-0001")]
    ) as stream:
        stream.get_final_message()
    with contextlib.suppress(anthropic.BadRequestError):
        client.messages.create(model=MODEL, max_tokens=1000, messages=[_said("fail-0001")])
    provider.force_flush()
    provider.shutdown()


def _said(text: str) -> anthropic.types.MessageParam:
    return {"role": "user", "content": text}


if __name__ == "__main__":
    main()
