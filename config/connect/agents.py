"""Lines for coding agents, and what they tell. Sources: their own documentation of telemetry."""

CLAUDE_CODE_TOLD = (
    "Every request to the model as it happens, with session, person, cache and Claude Code's own"
    " figure of its cost. Metrics repeat the logs; they count only for sessions that send no logs."
)
CLAUDE_CODE_SHELL = """
export CLAUDE_CODE_ENABLE_TELEMETRY=1
export OTEL_LOGS_EXPORTER=otlp
export OTEL_METRICS_EXPORTER=otlp
export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf
export OTEL_EXPORTER_OTLP_ENDPOINT={URL}/otlp
export OTEL_EXPORTER_OTLP_HEADERS="Authorization=Bearer {KEY}"
export OTEL_RESOURCE_ATTRIBUTES="team.id=search,project=web"
"""
CLAUDE_CODE_SETTINGS = """
{
  "env": {
    "CLAUDE_CODE_ENABLE_TELEMETRY": "1",
    "OTEL_LOGS_EXPORTER": "otlp",
    "OTEL_METRICS_EXPORTER": "otlp",
    "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
    "OTEL_EXPORTER_OTLP_ENDPOINT": "{URL}/otlp",
    "OTEL_EXPORTER_OTLP_HEADERS": "Authorization=Bearer {KEY}"
  }
}
"""

CODEX_TOLD = "Every answer of the model, with conversation, cached and reasoning tokens."
CODEX_CONFIG = """
[otel]
log_user_prompt = false

[otel.exporter.otlp-http]
endpoint = "{URL}/otlp/v1/logs"
protocol = "json"
headers = { "Authorization" = "Bearer {KEY}" }
"""

GEMINI_TOLD = "Every answer of the model, with session, cached tokens and thoughts."
GEMINI_SHELL = """
export GEMINI_TELEMETRY_ENABLED=true
export GEMINI_TELEMETRY_TARGET=local
export GEMINI_TELEMETRY_LOG_PROMPTS=false
export GEMINI_TELEMETRY_OTLP_PROTOCOL=http
export GEMINI_TELEMETRY_OTLP_ENDPOINT={URL}/otlp
export OTEL_EXPORTER_OTLP_HEADERS="Authorization=Bearer%20{KEY}"
"""
