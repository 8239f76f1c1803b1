"""An application with spans of its own, as the GenAI conventions have them; words: protobuf|json.

An agent's span repeats the sums of the calls inside it; spans of tools and HTTP are no calls.
"""

import sys

from opentelemetry import trace
from opentelemetry.exporter.otlp.json.http.trace_exporter import (
    OTLPSpanExporter as JsonExporter,
)
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

CHAT = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-5",
    "gen_ai.conversation.id": "talk-1",
}
USED = {
    "gen_ai.usage.input_tokens": 2006,
    "gen_ai.usage.cache_read.input_tokens": 1920,
    "gen_ai.usage.output_tokens": 1300,
    "gen_ai.usage.reasoning.output_tokens": 1024,
}


def main(kind: str) -> None:
    exporter = JsonExporter() if kind == "json" else OTLPSpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(exporter))
    tracer = trace.get_tracer("billing-bot", tracer_provider=provider)
    agent = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "reviewer"}
    with tracer.start_as_current_span("invoke_agent reviewer", attributes={**agent, **USED}):
        with tracer.start_as_current_span("chat gpt-5", attributes=CHAT) as chat:
            with tracer.start_as_current_span("POST", attributes={"http.request.method": "POST"}):
                pass
            chat.set_attributes(USED)
            chat.set_attribute("gen_ai.response.id", f"chatcmpl-{kind}-0001")
            chat.set_attribute("gen_ai.response.model", "gpt-5-2025-08-07")
        tool = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "grep"}
        with tracer.start_as_current_span("execute_tool grep", attributes=tool):
            pass
    failed = {**CHAT, "error.type": "timeout"}
    with tracer.start_as_current_span("chat gpt-5", attributes=failed) as span:
        span.set_status(trace.Status(trace.StatusCode.ERROR, "timed out"))
    embeddings: dict[str, str | int] = {
        "gen_ai.operation.name": "embeddings",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "text-embedding-3-small",
        "gen_ai.usage.input_tokens": 8000,
    }
    with tracer.start_as_current_span("embeddings", attributes=embeddings):
        pass
    provider.force_flush()
    provider.shutdown()


if __name__ == "__main__":
    main(sys.argv[1])
