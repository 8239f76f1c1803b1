"""The OpenAI SDK with the instrumentation of OpenLLMetry: chat, stream, embeddings, responses."""

import contextlib

import openai
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.openai import OpenAIInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor


def main() -> None:
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    OpenAIInstrumentor().instrument()
    client = openai.OpenAI(max_retries=0)
    client.chat.completions.create(model="gpt-5", messages=[_said("chat-0001")])
    stream = client.chat.completions.create(
        model="gpt-5",
        messages=[_said("stream-0001")],
        stream=True,
        stream_options={"include_usage": True},
    )
    for _ in stream:
        pass
    with contextlib.suppress(openai.BadRequestError):
        client.chat.completions.create(model="gpt-5", messages=[_said("fail-0001")])
    client.embeddings.create(model="text-embedding-3-small", input="embed-0001")
    client.responses.create(model="gpt-6-sol", input="responses-0001")
    provider.force_flush()
    provider.shutdown()


def _said(text: str) -> openai.types.chat.ChatCompletionUserMessageParam:
    return {"role": "user", "content": text}


if __name__ == "__main__":
    main()
