"""Claude Code's session logs → events. Pure: no database, no clock, no files.

One answer of the model is written as several rows: snapshots while it streams, and
copies in the logs of resumed sessions. They share `message.id` and `requestId`, which
make the event id. `merge` folds any of them, in any order, into the same event: the
counts of the fullest row, the time, session and place of the earliest one.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import blake2b
from typing import Any

import msgspec

from usage.ingest.provider_usage import TOKEN_FIELDS, read_usage
from usage.ingest.values import MAX_DURATION_MS, EventValue, Rejection

PROVIDER = "anthropic"
MAIN_AGENT = "Claude Code"
SIDE_AGENT = "Claude Code subagent"
SYNTHETIC = "<synthetic>"
_NAME_LENGTH = 128
# Leaves room for the suffix of a correction.
_ID_LENGTH = 96
_UNNAMEABLE = re.compile(r"[\x00-\x1f\x7f]")


class _Head(msgspec.Struct):
    type: str = ""


class _Message(msgspec.Struct):
    id: str | None = None
    model: str | None = None
    usage: dict[str, Any] | None = None


class _Row(msgspec.Struct, rename="camel"):
    timestamp: datetime
    message: _Message
    uuid: str | None = None
    request_id: str | None = None
    session_id: str | None = None
    cwd: str | None = None
    version: str | None = None
    git_branch: str | None = None
    is_sidechain: bool | None = None
    duration_ms: float | None = None
    cost: Decimal | None = msgspec.field(default=None, name="costUSD")


_read_head = msgspec.json.Decoder(_Head).decode
_read_row = msgspec.json.Decoder(_Row).decode
_FAULTS = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class Malformed(Exception):
    """A line that is not a row Claude Code writes."""


@dataclass(frozen=True, slots=True)
class Origin:
    """What a log does not say: who worked, and where it is to be counted.

    Without `project`, the project is named by the last part of the working folder;
    folders of the same name are therefore one project, in whatever order logs arrive.
    """

    subject: str | None = None
    team: str | None = None
    project: str | None = None


def read_line(line: bytes, origin: Origin) -> list[EventValue | Rejection]:
    """The events of one line: none for rows that cost nothing, several for answers that
    took more than one pass of the model. Raises Malformed.
    """
    try:
        if _read_head(line).type != "assistant":
            return []
        row = _read_row(line)
    except _FAULTS as fault:
        raise Malformed(str(fault)) from fault
    message = row.message
    if message.usage is None or message.model is None or message.model == SYNTHETIC:
        return []
    if row.timestamp.tzinfo is None:
        raise Malformed("the timestamp has no offset")
    return list(_events(row, message.model, message.usage, origin))


def _events(
    row: _Row, model: str, usage: dict[str, Any], origin: Origin
) -> Iterator[EventValue | Rejection]:
    event_id = _event_id(row)
    iterations = usage.get("iterations")
    whole = {name: value for name, value in usage.items() if name != "iterations"}
    yield _event(row, event_id, model, whole, origin)
    numbers = {"compaction": 0, "advisor_message": 0}
    for entry in iterations if isinstance(iterations, list) else ():
        kind = entry.get("type") if isinstance(entry, dict) else None
        if kind in numbers:
            # Passes that the counts of the message leave out; an advisor is another model.
            numbers[kind] += 1
            name = f"{kind.removesuffix('_message')}-{numbers[kind]}"
            own_model = str(entry.get("model") or model)
            yield _event(row, f"{event_id}:{name}", own_model, entry, origin)


def _event_id(row: _Row) -> str:
    parts = [part for part in (row.message.id, row.request_id) if part]
    if not parts and row.uuid:
        parts = [row.uuid]
    if not parts:
        raise Malformed("the row has no message id, request id or uuid")
    return ":".join(parts)


def _event(
    row: _Row, event_id: str, model: str, usage: dict[str, Any], origin: Origin
) -> EventValue | Rejection:
    main = ":compaction-" not in event_id and ":advisor-" not in event_id
    cost = row.cost if main and row.cost is not None and row.cost > 0 else None
    event = EventValue(
        event_id=event_id if len(event_id) <= _ID_LENGTH else _digest(event_id),
        occurred_at=row.timestamp.astimezone(UTC),
        model=model[:_NAME_LENGTH],
        project=origin.project or project_of(row.cwd),
        subject=origin.subject,
        team=origin.team,
        provider=PROVIDER,
        operation="chat",
        action="chat",
        agent_type=SIDE_AGENT if row.is_sidechain else MAIN_AGENT,
        session_id=_name(row.session_id),
        duration_ms=_duration(row.duration_ms) if main else None,
        usage=usage,
        reported_cost=cost,
        currency="USD" if cost is not None else None,
        tags=_tags(row),
    )
    return read_usage(event)


def _tags(row: _Row) -> dict[str, str]:
    given = {"client": "claude-code", "git_branch": row.git_branch, "version": row.version}
    return {name: clean[:256] for name, value in given.items() if (clean := _clean(value))}


def _duration(milliseconds: float | None) -> int | None:
    if milliseconds is None or not 0 <= milliseconds <= MAX_DURATION_MS:
        return None
    return round(milliseconds)


def _clean(text: str | None) -> str:
    return _UNNAMEABLE.sub("", text or "")


def _name(text: str | None) -> str | None:
    return _clean(text)[:_NAME_LENGTH] or None


def project_of(folder: str | None) -> str | None:
    """The project that work in `folder` (POSIX or Windows path) belongs to, None for no folder.

    Worktrees that Claude Code makes under `.claude/` belong to the folder above it.
    """
    parts = [part for part in re.split(r"[/\\]", folder or "") if part]
    if ".claude" in parts[1:]:
        parts = parts[: parts.index(".claude", 1)]
    return _name(parts[-1]) if parts else None


def _digest(text: str) -> str:
    return blake2b(text.encode(), digest_size=16).hexdigest()


_USAGE_FIELDS = (
    *TOKEN_FIELDS.values(), "model", "service_tier", "meters", "reported_cost", "currency",
    "duration_ms",
)  # fmt: skip


def merge(one: EventValue, other: EventValue) -> EventValue:
    """The event both sightings of one answer stand for; the order never matters."""
    fuller = max(one, other, key=_fullness)
    earlier = min(one, other, key=_earliness)
    if fuller is earlier:
        return fuller
    counts = {name: getattr(fuller, name) for name in _USAGE_FIELDS}
    return msgspec.structs.replace(earlier, **counts)


def _fullness(event: EventValue) -> tuple[Any, ...]:
    return (
        event.output_tokens,
        event.input_tokens,
        *(getattr(event, name) for name in TOKEN_FIELDS.values()),
        sum((event.meters or {}).values(), Decimal(0)).normalize(),
        (event.reported_cost or Decimal(0)).normalize(),
        event.duration_ms or 0,
        event.service_tier,
        event.model,
    )


def _earliness(event: EventValue) -> tuple[Any, ...]:
    return (
        event.occurred_at,
        event.session_id or "",
        event.agent_type,
        event.project or "",
        sorted((event.tags or {}).items()),
    )


def correction_of(stored: EventValue, merged: EventValue, head: str) -> EventValue | None:
    """What must be sent so that `merged` takes the place of `stored`, whose last event is `head`.

    None when nothing that is counted has changed. The id follows from the content, so
    that importing the same logs again sends the same correction.
    """
    if _fullness(stored) == _fullness(merged) and _earliness(stored) == _earliness(merged):
        return None
    text = "\0".join(map(str, (*_fullness(merged), *_earliness(merged))))
    suffix = f"+{merged.output_tokens}-{_digest(text)[:8]}"
    return msgspec.structs.replace(merged, event_id=merged.event_id + suffix, corrects=head)
