"""Lines for libraries that trace AI calls, and what they tell."""

OTEL_TOLD = (
    "Every span of a call to a model, in the GenAI conventions of OpenTelemetry, old and new."
    " Other spans are taken and left aside. What the resource says (service.name, team.id, any"
    " attribute of yours) becomes project, team and tags by the attribute rules."
)
OTEL_SHELL = """
export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf
export OTEL_EXPORTER_OTLP_ENDPOINT={URL}/otlp
export OTEL_EXPORTER_OTLP_HEADERS="Authorization=Bearer%20{KEY}"
export OTEL_SERVICE_NAME=web
export OTEL_RESOURCE_ATTRIBUTES="team.id=search"
"""
OTEL_COLLECTOR = """
exporters:
  otlphttp/tallyman:
    endpoint: {URL}/otlp
    headers:
      Authorization: Bearer {KEY}
service:
  pipelines:
    traces:
      exporters: [otlphttp/tallyman]
"""

SDK_TOLD = (
    "Anthropic's Python SDK writes spans by itself once OpenTelemetry is set up; the one of OpenAI"
    " is traced by an instrumentor. Two that trace the same call count once, by its response id."
)
SDK_INSTALL = """
pip install opentelemetry-sdk opentelemetry-exporter-otlp-proto-http \\
  opentelemetry-instrumentation-openai
"""
SDK_PYTHON = """
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.openai import OpenAIInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(provider)
OpenAIInstrumentor().instrument()
"""

TRACELOOP_TOLD = "Every call of the libraries that OpenLLMetry traces; prompts are not sent."
TRACELOOP_SHELL = """
export TRACELOOP_BASE_URL={URL}/otlp
export TRACELOOP_HEADERS="Authorization=Bearer%20{KEY}"
export TRACELOOP_TRACE_CONTENT=false
"""
TRACELOOP_PYTHON = """
from traceloop.sdk import Traceloop

Traceloop.init(app_name="web")
"""

OPENINFERENCE_TOLD = (
    "Every LLM, embedding and reranker span of the OpenInference instrumentors, such as those of"
    " OpenAI, LangChain and LlamaIndex."
)
OPENINFERENCE_INSTALL = """
pip install opentelemetry-sdk opentelemetry-exporter-otlp-proto-http \\
  openinference-instrumentation-openai
"""
OPENINFERENCE_PYTHON = """
from openinference.instrumentation.openai import OpenAIInstrumentor
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
OpenAIInstrumentor().instrument(tracer_provider=provider)
"""

LANGFUSE_TOLD = (
    "Every generation and embedding of the Langfuse SDKs (Python from 3, JavaScript from 4), with"
    " user, session and the cost that Langfuse was told. The public key may be any word."
)
LANGFUSE_SHELL = """
export LANGFUSE_BASE_URL={URL}
export LANGFUSE_HOST={URL}
export LANGFUSE_PUBLIC_KEY=tallyman
export LANGFUSE_SECRET_KEY={KEY}
"""

LITELLM_TOLD = (
    "Every call, failed ones too, with LiteLLM's key, team, user, end user and tags. Its own figure"
    " is kept as the reported cost. Without max_retries it tells each call once and forgets it."
)
LITELLM_SHELL = """
export GENERIC_LOGGER_ENDPOINT={URL}/api/v1/litellm/
export GENERIC_LOGGER_HEADERS="Authorization=Bearer {KEY}"
"""
LITELLM_CONFIG = """
litellm_settings:
  success_callback: ["tallyman"]
  failure_callback: ["tallyman"]
callback_settings:
  tallyman:
    callback_type: generic_api
    endpoint: {URL}/api/v1/litellm/
    headers:
      Authorization: Bearer {KEY}
    max_retries: 5
    retry_delay: 1
"""
LITELLM_PYTHON = """
import litellm
from litellm.integrations.generic_api.generic_api_callback import GenericAPILogger

# Within the running event loop, before the first acompletion():
litellm.callbacks = [GenericAPILogger(max_retries=5, retry_delay=1)]
"""
