"""Which log records of coding clients are calls, and what they say. Pure.

Claude Code counts cached input apart and knows the provider's request id. Codex counts it within
and tells no id of the call; nor does Gemini CLI, which counts thoughts and tools apart. Calls
without an id are named by the moment, the session and the counts, which a second sending repeats.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from usage.importers.claude_code import MAIN_AGENT, PROVIDER, SIDE_AGENT
from usage.otlp.reading import AttributeReader
from usage.otlp.values import LogRecord
from usage.sightings.values import call_name, short_digest

CLIENT_TAG = "client"
CLAUDE_SCOPE = "com.anthropic.claude_code"
CLAUDE_MARK = "claude_code."
_SIDE_SOURCE = ("agent:", "subagent")
_NAME_BYTES = 16


class Client(NamedTuple):
    """A coding client: the tag it gets, whose models it calls, and where it names the session."""

    tag: str
    provider: str
    agent_type: str
    session: str = "session.id"


CLAUDE_CODE = Client("claude-code", PROVIDER, MAIN_AGENT)
CODEX = Client("codex", "openai", "Codex", "conversation.id")
GEMINI_CLI = Client("gemini-cli", "google", "Gemini CLI")


class ClientCall(NamedTuple):
    """What a client's record says of a call: fields of its event, `names` the best one first."""

    fields: dict[str, Any]
    names: tuple[str, ...]


Reader = Callable[[LogRecord, AttributeReader], ClientCall | None]


def reader_of(record: LogRecord) -> Reader | None:
    """Who can read this record, None if it is of no known client or tells of no call."""
    return _READERS.get(_full_name(record))


def is_of_claude_code(record: LogRecord) -> bool:
    """Whether Claude Code wrote it, whatever else its sender is called by."""
    return _full_name(record).startswith(CLAUDE_MARK)


def is_of_gemini(record: LogRecord) -> bool:
    """Whether Gemini CLI wrote it, whose own records tell all that its GenAI events repeat."""
    return GEMINI_CLI.tag in (record.resource.attributes.get("service.name"), record.scope)


def client_fields(
    client: Client, reader: AttributeReader, resource: Mapping[str, Any]
) -> dict[str, Any]:
    """What every call of a client says alike. `query_source` tells the parts of Claude Code."""
    version = reader.text("app.version") or AttributeReader(resource).text("service.version")
    tags = {CLIENT_TAG: client.tag, "version": version}
    aside = client is CLAUDE_CODE and reader.text("query_source").startswith(_SIDE_SOURCE)
    return {
        "provider": client.provider,
        "model": reader.text("model"),
        "operation": "chat",
        "action": "chat",
        "agent_type": SIDE_AGENT if aside else client.agent_type,
        "session_id": reader.text(client.session) or None,
        "tags": {name: value for name, value in tags.items() if value},
    }


def derived_name(client: Client, *parts: object) -> str:
    """A name for what has no id, made of what sets it apart."""
    return f"{client.tag}:{short_digest(repr(parts), _NAME_BYTES)}"


def _full_name(record: LogRecord) -> str:
    # Claude Code says `api_request`, and whose it is in the body and the scope alone.
    body = record.body if isinstance(record.body, str) else ""
    bare = record.name and "." not in record.name
    if bare and (body.startswith(CLAUDE_MARK) or record.scope.startswith(CLAUDE_SCOPE)):
        return CLAUDE_MARK + record.name
    return record.name or body


def _claude_request(record: LogRecord, reader: AttributeReader) -> ClientCall:
    usage: dict[str, Any] = {
        "input_tokens": reader.required_count("input_tokens"),
        "output_tokens": reader.required_count("output_tokens"),
        "cache_read_input_tokens": reader.count("cache_read_tokens") or 0,
        "cache_creation_input_tokens": reader.count("cache_creation_tokens") or 0,
        "speed": reader.text("speed"),
    }
    # Older versions do not tell how long what was written is kept.
    if hour := reader.count("cache_creation_1h_tokens"):
        usage["cache_creation"] = {
            "ephemeral_5m_input_tokens": reader.count("cache_creation_5m_tokens") or 0,
            "ephemeral_1h_input_tokens": hour,
        }
    fields: dict[str, Any] = {"usage": usage}
    cost = reader.micros("cost_usd_micros")
    if cost is None:
        cost = reader.money("cost_usd")
    if cost is not None:
        fields |= {"reported_cost": cost, "currency": "USD"}
    return _claude_call(record, reader, fields)


def _claude_error(record: LogRecord, reader: AttributeReader) -> ClientCall:
    return _claude_call(record, reader, {"status": "error"})


def _claude_call(record: LogRecord, reader: AttributeReader, fields: dict[str, Any]) -> ClientCall:
    ids = (reader.text("request_id"), reader.text("client_request_id"))
    apart = (reader.text("event.sequence"), fields.get("usage"))
    return _call(CLAUDE_CODE, record, reader, fields, ids, apart)


def _codex_event(record: LogRecord, reader: AttributeReader) -> ClientCall | None:
    kind = reader.text("event.kind")
    if kind == "response.failed":
        return _call(CODEX, record, reader, {"status": "error"})
    # The same event comes a second time without any counts.
    if kind != "response.completed" or "input_token_count" not in record.attributes:
        return None
    usage = {
        "input_tokens": reader.required_count("input_token_count"),
        "input_tokens_details": {
            "cached_tokens": reader.count("cached_token_count") or 0,
            "cache_write_tokens": reader.count("cache_write_token_count") or 0,
        },
        "output_tokens": reader.required_count("output_token_count"),
        "output_tokens_details": {"reasoning_tokens": reader.count("reasoning_token_count") or 0},
    }
    return _call(CODEX, record, reader, {"usage": usage}, apart=(usage,))


def _gemini_response(record: LogRecord, reader: AttributeReader) -> ClientCall:
    usage = {
        "promptTokenCount": reader.required_count("input_token_count"),
        "candidatesTokenCount": reader.required_count("output_token_count"),
        "cachedContentTokenCount": reader.count("cached_content_token_count") or 0,
        "thoughtsTokenCount": reader.count("thoughts_token_count") or 0,
        "toolUsePromptTokenCount": reader.count("tool_token_count") or 0,
    }
    apart = (reader.text("prompt_id"), usage)
    return _call(GEMINI_CLI, record, reader, {"usage": usage}, apart=apart)


def _gemini_error(record: LogRecord, reader: AttributeReader) -> ClientCall:
    return _call(GEMINI_CLI, record, reader, {"status": "error"}, apart=(reader.text("prompt_id"),))


def _call(
    client: Client,
    record: LogRecord,
    reader: AttributeReader,
    fields: dict[str, Any],
    ids: Iterable[str] = (),
    apart: tuple[object, ...] = (),
) -> ClientCall:
    common = client_fields(client, reader, record.resource.attributes)
    names = tuple(call_name(text) for text in ids if text)
    if not names:
        moment = reader.text("event.timestamp") or record.time_ns
        names = (derived_name(client, common["session_id"], moment, common["model"], *apart),)
    duration = reader.milliseconds("duration_ms")
    return ClientCall({**common, **fields, "duration_ms": duration}, names)


_READERS: dict[str, Reader] = {
    "claude_code.api_request": _claude_request,
    "claude_code.api_error": _claude_error,
    "codex.sse_event": _codex_event,
    "gemini_cli.api_response": _gemini_response,
    "gemini_cli.api_error": _gemini_error,
}
