"""Claude Code's session logs → sightings. Pure: no database, no clock, no files.

One answer of the model is written as several rows: snapshots while it streams, and
copies in the logs of resumed sessions. They share `message.id` and `requestId`, which make the
event id; live telemetry names the call by one of the two.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

import msgspec

from usage.ingest.provider_usage import read_usage
from usage.ingest.values import MAX_DURATION_MS, EventValue, Rejection
from usage.sightings.values import Sighting, call_name

PROVIDER = "anthropic"
MAIN_AGENT = "Claude Code"
SIDE_AGENT = "Claude Code subagent"
SYNTHETIC = "<synthetic>"
_NAME_LENGTH = 128
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


Calls = list[Sighting | Rejection]


class LogReader:
    """Reads the rows of logs in turn.

    An answer is a row for each of its parts, which mostly say the same of it. What the first of
    them tells is handed out again for the others, the very same objects.
    """

    def __init__(self, origin: Origin) -> None:
        self._origin = origin
        self._last: tuple[datetime, tuple[object, ...], Calls] | None = None

    def read_line(self, line: bytes) -> Calls:
        """The calls of one line: none for rows that cost nothing, several for answers that
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
        said = _said(row)
        if self._last and self._last[0] <= row.timestamp and self._last[1] == said:
            return self._last[2]
        calls: Calls = [
            event if isinstance(event, Rejection) else Sighting(event, names, settles_place=True)
            for event, names in _events(row, message.model, message.usage, self._origin)
        ]
        self._last = row.timestamp, said, calls
        return calls


def _said(row: _Row) -> tuple[object, ...]:
    """All that a row says of its call but when it was seen."""
    return (
        _id_parts(row), row.message, row.session_id, row.cwd, row.version, row.git_branch,
        row.is_sidechain, row.duration_ms, row.cost,
    )  # fmt: skip


def _events(
    row: _Row, model: str, usage: dict[str, Any], origin: Origin
) -> Iterator[tuple[EventValue | Rejection, tuple[str, ...]]]:
    parts = _id_parts(row)
    event_id = ":".join(parts)
    iterations = usage.get("iterations")
    whole = {name: value for name, value in usage.items() if name != "iterations"}
    yield _event(row, event_id, model, whole, origin), tuple(map(call_name, parts))
    numbers = {"compaction": 0, "advisor_message": 0}
    for entry in iterations if isinstance(iterations, list) else ():
        kind = entry.get("type") if isinstance(entry, dict) else None
        if kind in numbers:
            # Passes that the counts of the message leave out; an advisor is another model.
            numbers[kind] += 1
            name = f"{kind.removesuffix('_message')}-{numbers[kind]}"
            own_model = str(entry.get("model") or model)
            yield _event(row, f"{event_id}:{name}", own_model, entry, origin), ()


def _id_parts(row: _Row) -> list[str]:
    parts = [part for part in (row.message.id, row.request_id) if part]
    if not parts and row.uuid:
        parts = [row.uuid]
    if not parts:
        raise Malformed("the row has no message id, request id or uuid")
    return parts


def _event(
    row: _Row, event_id: str, model: str, usage: dict[str, Any], origin: Origin
) -> EventValue | Rejection:
    main = ":compaction-" not in event_id and ":advisor-" not in event_id
    cost = row.cost if main and row.cost is not None and row.cost > 0 else None
    event = EventValue(
        event_id=call_name(event_id),
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
        tags=_tags(row.git_branch, row.version),
    )
    return read_usage(event)


@lru_cache
def _tags(git_branch: str | None, version: str | None) -> dict[str, str]:
    given = {"client": "claude-code", "git_branch": git_branch, "version": version}
    return {name: clean[:256] for name, value in given.items() if (clean := _clean(value))}


def _duration(milliseconds: float | None) -> int | None:
    if milliseconds is None or not 0 <= milliseconds <= MAX_DURATION_MS:
        return None
    return round(milliseconds)


def _clean(text: str | None) -> str:
    return _UNNAMEABLE.sub("", text or "")


def _name(text: str | None) -> str | None:
    return _clean(text)[:_NAME_LENGTH] or None


@lru_cache
def project_of(folder: str | None) -> str | None:
    """The project that work in `folder` (POSIX or Windows path) belongs to, None for no folder.

    Worktrees that Claude Code makes under `.claude/` belong to the folder above it.
    """
    parts = [part for part in re.split(r"[/\\]", folder or "") if part]
    if ".claude" in parts[1:]:
        parts = parts[: parts.index(".claude", 1)]
    return _name(parts[-1]) if parts else None
