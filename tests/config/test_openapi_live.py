import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.config.running import PROJECT, Up, free_port, installed

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
)
EXAMPLES = 2


@pytest.fixture(scope="module")
def up() -> Iterator[Up]:
    folder = Path(tempfile.mkdtemp())
    run = Up(installed(folder / "data"), free_port())
    run.await_ready()
    yield run
    assert run.stop(signal.SIGTERM) == 0
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def key(up: Up) -> str:
    words = [word for scope in ("ingest", "read", "check", "manage") for word in ("--scope", scope)]
    key = manage(up, "apikey", "create", "--organization", "acme", *words).strip()
    events = [event(number) for number in range(1, 40)]
    assert post(up, key, "events", events)["accepted"] == 39
    manage(up, "rollup")
    return key


@pytest.fixture(scope="module")
def reservation(up: Up, key: str) -> str:
    """Held of the first budget, which has warned about it in the first decision and alert."""
    channel = {"name": "ops", "kind": "email", "target": "ops@example.org"}
    assert post(up, key, "channels", channel)["id"] == 1
    assert post(up, key, "budgets", {"per": "subject", "limit": "0.01"})["id"] == 1
    call = {"project": "web", "subject": "ann", "amount": "1"}
    return str(post(up, key, "reservations", call)["id"])


def post(up: Up, key: str, path: str, body: object) -> Any:
    request = urllib.request.Request(
        f"http://127.0.0.1:{up.port}/api/v1/{path}/",
        json.dumps(body).encode(),
        {"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)


def event(number: int) -> dict[str, object]:
    at = datetime.now(UTC) - timedelta(hours=5 * number, minutes=1)
    return {
        "event_id": f"e{number}", "occurred_at": at.isoformat(), "provider": "anthropic",
        "model": "claude-sonnet-4-5" if number % 3 else "unknown-9", "project": "web",
        "subject": "ann", "team": "core", "session_id": "s1", "run_id": "r1",
        "run_trigger": "push", "status": "success" if number % 4 else "error",
        "input_tokens": 1000, "output_tokens": 50, "duration_ms": 5, "tags": {"env": "live"},
        "meters": {"web_searches": 1},
    }  # fmt: skip


def manage(up: Up, *words: str) -> str:
    return subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=PROJECT,
        env={**os.environ, "TALLYMAN_DATA": str(up.data)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def test_no_answer_fails_or_is_undocumented(up: Up, key: str, reservation: str) -> None:
    done = subprocess.run(
        [
            shutil.which("schemathesis", path=Path(sys.executable).parent) or "schemathesis",
            "run", f"http://127.0.0.1:{up.port}/api/v1/schema/",
            "--header", f"Authorization: Bearer {key}", "--checks", ",".join(CHECKS),
            "--phases", "examples,fuzzing", "--max-examples", str(EXAMPLES), "--seed", "1",
            "--workers", "1", "--no-shrink", "--continue-on-failure", "--warnings", "off",
        ],
        cwd=PROJECT,
        env={
            **os.environ,
            "SCHEMATHESIS_HOOKS": "tests.config.openapi_hooks",
            "SEEDED_RESERVATION": reservation,
            "NO_COLOR": "1",
        },
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )  # fmt: skip
    found = re.search(r"([\d,]+) generated", done.stdout)
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2_000:]
    assert found
    assert int(found[1].replace(",", "")) > 100
