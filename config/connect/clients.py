"""What may be connected, and the exact lines for each; pure text.

`{URL}` stands for this site's address without a slash at its end, `{KEY}` for an API key and
`{ORGANIZATION}` for the organization's slug. docs/connect.md shows the same lines.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from config.connect import agents, programs, records


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines to paste, under a heading that says where."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Source:
    """Something to connect. `told` says what arrives; `page` names the admin page to go on from.

    One with `needs_key` False reads from here, and has no first event to wait for.
    """

    slug: str
    name: str
    group: str
    told: str
    lines: tuple[Lines, ...]
    needs_key: bool = True
    page: str = ""


AGENTS, LIBRARIES, OWN, BOOKS = "Coding agents", "Libraries", "Own code", "Logs and bills"
GROUPS = (AGENTS, LIBRARIES, OWN, BOOKS)

SOURCES: tuple[Source, ...] = (
    Source("claude-code", "Claude Code", AGENTS, agents.CLAUDE_CODE_TOLD, (
        Lines("In the shell that starts it", agents.CLAUDE_CODE_SHELL),
        Lines("Or for everybody, in managed-settings.json", agents.CLAUDE_CODE_SETTINGS),
    )),
    Source("codex", "Codex", AGENTS, agents.CODEX_TOLD, (
        Lines("In ~/.codex/config.toml", agents.CODEX_CONFIG),
    )),
    Source("gemini-cli", "Gemini CLI", AGENTS, agents.GEMINI_TOLD, (
        Lines("In the shell that starts it", agents.GEMINI_SHELL),
    )),
    Source("opentelemetry", "OpenTelemetry", LIBRARIES, programs.OTEL_TOLD, (
        Lines("In the environment of the program, whatever its language", programs.OTEL_SHELL),
        Lines("Or through a collector", programs.OTEL_COLLECTOR),
    )),
    Source("anthropic-openai", "Anthropic and OpenAI SDKs", LIBRARIES, programs.SDK_TOLD, (
        Lines("Install", programs.SDK_INSTALL),
        Lines("Once, where the program starts", programs.SDK_PYTHON),
        Lines("In its environment", programs.OTEL_SHELL),
    )),
    Source("openllmetry", "Traceloop OpenLLMetry", LIBRARIES, programs.TRACELOOP_TOLD, (
        Lines("In the environment", programs.TRACELOOP_SHELL),
        Lines("Once, where the program starts", programs.TRACELOOP_PYTHON),
    )),
    Source("openinference", "OpenInference", LIBRARIES, programs.OPENINFERENCE_TOLD, (
        Lines("Install", programs.OPENINFERENCE_INSTALL),
        Lines("Once, where the program starts", programs.OPENINFERENCE_PYTHON),
        Lines("In its environment", programs.OTEL_SHELL),
    )),
    Source("langfuse", "Langfuse SDKs", LIBRARIES, programs.LANGFUSE_TOLD, (
        Lines("In the environment, in place of Langfuse's own", programs.LANGFUSE_SHELL),
    )),
    Source("litellm", "LiteLLM", LIBRARIES, programs.LITELLM_TOLD, (
        Lines("Proxy: in config.yaml", programs.LITELLM_CONFIG),
        Lines("SDK: in the environment of the program", programs.LITELLM_SHELL),
        Lines("SDK: once, where the program starts", programs.LITELLM_PYTHON),
    )),
    Source("http", "HTTP", OWN, records.HTTP_TOLD, (Lines("In a shell", records.HTTP_CURL),)),
    Source("python", "Python helper", OWN, records.PYTHON_TOLD, (
        Lines("Copy one file, which needs nothing installed", records.PYTHON_SHELL),
        Lines("After each call", records.PYTHON_CODE),
    )),
    Source("cloudevents", "CloudEvents", OWN, records.CLOUDEVENTS_TOLD, (
        Lines("In a shell", records.CLOUDEVENTS_CURL),
        Lines("An OpenMeter client", records.OPENMETER_PYTHON),
    )),
    Source("claude-code-logs", "Claude Code logs", BOOKS, records.LOGS_TOLD, (
        Lines("Where Tallyman is installed", records.LOGS_SHELL),
    ), needs_key=False),
    Source("bills", "Provider bills", BOOKS, records.BILLS_TOLD, (
        Lines("In Tallyman's environment, or as a sealed key in the admin", records.BILLS_SHELL),
        Lines("Or from a file", records.BILLS_FILE),
    ), needs_key=False, page="admin:usage_billsource_changelist"),
)  # fmt: skip
BY_SLUG: Mapping[str, Source] = {source.slug: source for source in SOURCES}


def filled(lines: Lines, url: str, key: str, organization: str) -> Lines:
    """The lines with this site's address, a key and an organization in their places."""
    text = lines.text.strip("\n")
    for mark, value in (("{URL}", url), ("{KEY}", key), ("{ORGANIZATION}", organization)):
        text = text.replace(mark, value)
    return Lines(lines.title, text)
