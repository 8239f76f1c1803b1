"""Claude Code's session logs, made up but true to size, and how long they take to import."""

import json
import random
import tempfile
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.bench.figures import Figure, compared
from tests.bench.stack import Stack

ROUNDS = 3
MOST_TIMES_PARSING = 4
SESSIONS, TURNS = 40, 70
_WORDS = ("the", "tally", "of", "all", "calls", "is", "kept", "where", "tests", "run", "again")
_PARSE = """
import json, time
from pathlib import Path
began = time.perf_counter()
for file in sorted(Path({folder!r}).rglob("*.jsonl")):
    with file.open("rb") as lines:
        for line in lines:
            json.loads(line)
print(time.perf_counter() - began)
"""
_IMPORT = """
import io, time
from django.core.management import call_command
began = time.perf_counter()
call_command("import", "claude-code", {folder!r}, "--organization", "bench", stdout=io.StringIO())
print(time.perf_counter() - began)
"""


def bench_transcripts(stack: Stack) -> list[Figure]:
    """Importing logs of a size never seen before, beside parsing every line of them."""
    pairs, size = [], 0
    for number in range(ROUNDS):
        with tempfile.TemporaryDirectory(prefix="tallyman-bench-logs-") as name:
            size = write_transcripts(Path(name), number, SESSIONS)
            parsing = float(stack.shell(_PARSE.format(folder=name)))
            importing = float(stack.shell(_IMPORT.format(folder=name)).split()[-1])
        pairs.append((importing, parsing))
    what = f"import of Claude Code's logs, {size / 2**20:.0f} MB"
    return [compared(what, "s", pairs, "json.loads", most=MOST_TIMES_PARSING)]


def write_transcripts(folder: Path, seed: int, sessions: int) -> int:
    """Write so many sessions; returns their bytes."""
    chance, size = random.Random(seed), 0
    for number in range(sessions):
        project = folder / f"-srv-project-{number % 10}"
        project.mkdir(parents=True, exist_ok=True)
        session = str(uuid.UUID(int=chance.getrandbits(128)))
        text = "\n".join(json.dumps(row, separators=(",", ":")) for row in _rows(chance, session))
        size += (project / f"{session}.jsonl").write_text(text + "\n")
    return size


def _rows(chance: random.Random, session: str) -> list[dict[str, Any]]:
    at = datetime.now(UTC) - timedelta(days=chance.randrange(1, 60))
    rows: list[dict[str, Any]] = []
    parent = None
    for turn in range(TURNS):
        at += timedelta(seconds=chance.randrange(5, 60))
        frame = {
            "isSidechain": False, "userType": "external", "entrypoint": "cli",
            "cwd": f"/srv/project-{turn % 10}", "sessionId": session, "version": "2.1.197",
            "gitBranch": "main",
        }  # fmt: skip
        call = f"msg_{chance.getrandbits(96):024x}"
        for part in range(1 + turn % 2):
            said = _said(chance, frame, parent, at, call, part)
            rows.append(said)
            parent = said["uuid"]
        answer = _tool_result(chance, frame, parent, at)
        rows.append(answer)
        parent = answer["uuid"]
    return rows


def _said(
    chance: random.Random, frame: dict[str, Any], parent: str | None, at: datetime, call: str,
    part: int,
) -> dict[str, Any]:  # fmt: skip
    written = chance.randrange(3000)
    return {
        "parentUuid": parent,
        **frame,
        "message": {
            "id": call, "type": "message", "role": "assistant", "model": "claude-opus-4-8",
            "content": [{"type": "text", "text": _text(chance, 900)}], "stop_reason": "tool_use",
            "stop_sequence": None,
            "usage": {
                "input_tokens": 4, "cache_creation_input_tokens": written,
                "cache_read_input_tokens": chance.randrange(90_000),
                "output_tokens": 20 + 100 * part, "service_tier": "standard",
                "cache_creation": {
                    "ephemeral_1h_input_tokens": 0, "ephemeral_5m_input_tokens": written,
                },
            },
        },
        "requestId": f"req_{call}", "type": "assistant", "uuid": _uuid(chance),
        "timestamp": _stamp(at),
    }  # fmt: skip


def _tool_result(
    chance: random.Random, frame: dict[str, Any], parent: str | None, at: datetime
) -> dict[str, Any]:
    text = _text(chance, chance.randrange(1000, 12_000))
    result = {"tool_use_id": _uuid(chance), "type": "tool_result", "content": text}
    return {
        "parentUuid": parent, **frame, "type": "user",
        "message": {"role": "user", "content": [result]},
        "uuid": _uuid(chance), "timestamp": _stamp(at),
        "toolUseResult": {"stdout": text, "stderr": "", "interrupted": False},
    }  # fmt: skip


def _text(chance: random.Random, size: int) -> str:
    words = chance.choices(_WORDS, k=40)
    return (" ".join(words) + "\n") * (size // 200 + 1)


def _uuid(chance: random.Random) -> str:
    return str(uuid.UUID(int=chance.getrandbits(128)))


def _stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03}Z"
