"""Which records are calls of a model, and which only stand around calls. Pure."""

import re
from collections.abc import Mapping
from typing import Any

from usage.otlp.dialects.aliases import INPUT, OUTPUT, REQUEST_MODEL, RESPONSE_MODEL

AGENT = "agent"
"""An agent or a tool: calls within it are no repeats of a call around it."""
NO_CALL = ""

_OPERATIONS = {
    "chat": "chat", "chat.completions": "chat", "chat_completions": "chat",
    "chat_completion": "chat", "chat_completion_stream": "chat", "completion": "chat",
    "acompletion": "chat", "completions": "text_completion", "messages": "chat",
    "anthropic_messages": "chat", "responses": "chat", "aresponses": "chat", "response": "chat",
    "llm_call": "chat", "llm_request": "chat", "call_llm": "chat", "llm": "chat",
    "text_completion": "text_completion", "atext_completion": "text_completion",
    "text.completions": "text_completion", "generate_content": "generate_content",
    "generate": "generate_content", "agenerate_content": "generate_content",
    "embeddings": "embeddings", "embedding": "embeddings", "aembedding": "embeddings",
    "embed": "embeddings", "rerank": "rerank", "arerank": "rerank", "reranker": "rerank",
    "image_generation": "image_generation", "aimage_generation": "image_generation",
    "speech": "speech", "aspeech": "speech", "transcription": "transcription",
    "atranscription": "transcription", "realtime": "chat",
}  # fmt: skip
_AGENTS = frozenset({
    "invoke_agent", "create_agent", "execute_tool", "execute_task", "agent", "tool", "mcp",
})  # fmt: skip
_OPENINFERENCE = {
    "LLM": "chat", "EMBEDDING": "embeddings", "RERANKER": "rerank", "AGENT": AGENT, "TOOL": AGENT,
}  # fmt: skip
_LANGFUSE = {"generation": "chat", "embedding": "embeddings", "agent": AGENT, "tool": AGENT}
_VERCEL = {
    "doGenerate": "chat", "doStream": "chat", "doEmbed": "embeddings", "doRerank": "rerank",
}  # fmt: skip
_CLAUDE_CODE = {"llm_request": "chat", "tool": AGENT}
_GROUPING = re.compile(
    "agent|tool|chain|workflow|crew|graph|pipeline|task|session|retriev|search|memory|evaluat"
    "|guardrail|moderation|management",
    re.IGNORECASE,
)


def operation_of(attributes: Mapping[str, Any], scope: str, name: str) -> str:
    """The operation of a call (`chat`, `embeddings`…), or AGENT, or NO_CALL.

    `scope` is the instrumentation that made the record, `name` that of the span. Vercel's outer
    spans sum what their inner ones did and are no calls. Gemini CLI tells of the same calls in
    logs, which have more, and nothing connects the two: its spans are no calls.
    """
    if scope == "gemini-cli":
        return NO_CALL
    explicit = _explicit(attributes, name)
    if explicit is not None:
        return explicit
    if _told(attributes, (*INPUT, *OUTPUT)) and _told(
        attributes, (*REQUEST_MODEL, *RESPONSE_MODEL)
    ):
        return NO_CALL if _is_grouping(attributes, name) else "chat"
    return NO_CALL


def _explicit(attributes: Mapping[str, Any], name: str) -> str | None:
    """What the record itself says it is, None if it says nothing that is known."""
    kind = attributes.get("openinference.span.kind")
    if isinstance(kind, str):
        return _refined(_OPENINFERENCE.get(kind.upper(), NO_CALL), attributes)
    kind = attributes.get("langfuse.observation.type")
    if isinstance(kind, str):
        return _refined(_LANGFUSE.get(kind.lower(), NO_CALL), attributes)
    if name.startswith("claude_code."):
        return _CLAUDE_CODE.get(name.split(".")[1], NO_CALL)
    unnamed = name.startswith("ai.") and "gen_ai.operation.name" not in attributes
    vercel = _word(attributes, "ai.operationId") or (name if unnamed else "")
    if vercel:
        return AGENT if "toolCall" in vercel else _VERCEL.get(vercel.rpartition(".")[2], NO_CALL)
    return _by_operation(attributes)


def _by_operation(attributes: Mapping[str, Any]) -> str | None:
    told = _word(attributes, "gen_ai.operation.name") or _word(attributes, "llm.request.type")
    operation = told.lower()
    if operation in _OPERATIONS:
        return _OPERATIONS[operation]
    if operation in _AGENTS:
        return AGENT
    if operation and _GROUPING.search(operation):
        return NO_CALL
    kind = _word(attributes, "traceloop.span.kind") or _word(attributes, "langsmith.span.kind")
    if kind in _AGENTS:
        return AGENT
    if kind in ("workflow", "task", "chain", "retriever", "prompt", "parser"):
        return NO_CALL
    return None


def _refined(operation: str, attributes: Mapping[str, Any]) -> str:
    """A call of the kind `chat` under the name it has in OpenTelemetry, if it tells that too."""
    if operation != "chat":
        return operation
    told = _word(attributes, "gen_ai.operation.name")
    return _OPERATIONS.get(told, operation)


def _is_grouping(attributes: Mapping[str, Any], name: str) -> bool:
    marks = ("gen_ai.tool.name", "tool.name", "agent_name", "gen_ai.workflow.name")
    return _told(attributes, marks) or _GROUPING.search(name) is not None


def _told(attributes: Mapping[str, Any], names: tuple[str, ...]) -> bool:
    return any(name in attributes for name in names)


def _word(attributes: Mapping[str, Any], name: str) -> str:
    value = attributes.get(name)
    return value if isinstance(value, str) else ""
