"""Web processes and PostgreSQL are killed in the middle of a load; nothing answered is lost."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
import uuid
from collections import Counter
from collections.abc import Iterator
from http.client import HTTPException
from pathlib import Path

import psutil
import psycopg
import pytest

from config.embedded import EmbeddedServer
from tests.config.running import PROJECT, WEB, Up, free_port, installed, until

BATCH = 100
SECONDS_OF_LOAD = 6.0
PAUSE_SECONDS = 0.1
"""Between the batches of a client, so that the tests beside it have a processor too."""


@pytest.fixture(scope="module")
def up() -> Iterator[Up]:
    folder = Path(tempfile.mkdtemp())
    run = Up(installed(folder / "data"), free_port())
    run.await_ready()
    yield run
    run.stop(signal.SIGTERM)
    shutil.rmtree(folder)


def manage(up: Up, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=PROJECT,
        env={**os.environ, "TALLYMAN_DATA": str(up.data)},
        capture_output=True,
        text=True,
        check=False,
    )


class Load:
    """Clients that post batches of fresh ids and remember which were answered with 2xx."""

    def __init__(self, up: Up, key: str) -> None:
        self.url = f"http://127.0.0.1:{up.port}/api/v1/events/"
        self.key = key
        self.answered: list[list[str]] = []
        self.sent: list[list[str]] = []
        self.failures = 0
        self.codes: set[int] = set()
        self.running = True
        self.threads = [threading.Thread(target=self.work) for _ in range(4)]

    def work(self) -> None:
        while self.running:
            ids = [str(uuid.uuid4()) for _ in range(BATCH)]
            self.sent.append(ids)
            if self.post(ids):
                self.answered.append(ids)
                time.sleep(PAUSE_SECONDS)
            else:
                self.failures += 1
                time.sleep(0.05)

    def post(self, ids: list[str]) -> bool:
        events = [
            {
                "event_id": event_id,
                "occurred_at": "2026-11-20T12:00:00Z",
                "project": "web",
                "session_id": "s1",
                "provider": "anthropic",
                "model": "claude-sonnet-4-5",
                "input_tokens": 1000,
                "output_tokens": 100,
            }
            for event_id in ids
        ]
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        request = urllib.request.Request(self.url, json.dumps(events).encode(), headers)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return bool(json.load(answer)["accepted"] == BATCH)
        except urllib.error.HTTPError as error:
            self.codes.add(error.code)
            return False
        except (OSError, HTTPException, ValueError):
            return False


def web_workers(up: Up) -> list[psutil.Process]:
    return [child for master in up.children(WEB) for child in master.children()]


def postmaster(up: Up) -> psutil.Process:
    return psutil.Process(int((up.data / "postgres" / "postmaster.pid").read_text().split()[0]))


def test_what_was_answered_survives_kill_9_of_web_and_database(up: Up) -> None:
    key = manage(up, "apikey", "create", "--organization", "acme", "--scope", "ingest").stdout
    load = Load(up, key.strip())
    for thread in load.threads:
        thread.start()
    began = time.monotonic()
    until(lambda: len(load.answered) > 10, 40)
    for worker in web_workers(up):
        worker.kill()
    before_database = len(load.answered)
    until(lambda: len(load.answered) > before_database, 40)
    before_database = len(load.answered)
    postmaster(up).kill()
    until(lambda: len(load.answered) > before_database + 20, 40)
    for master in up.children(WEB):
        master.kill()
    until(lambda: time.monotonic() > began + SECONDS_OF_LOAD)
    until(up.is_ready, 40)
    load.running = False
    for thread in load.threads:
        thread.join()

    with psycopg.connect(EmbeddedServer(up.data).conninfo) as connection:
        rows = connection.execute("SELECT event_id FROM usage_usageevent").fetchall()
        keys = connection.execute("SELECT count(*) FROM usage_eventkey").fetchone()
    stored = Counter(event_id for (event_id,) in rows)
    assert load.failures > 0
    assert load.codes <= {503}
    assert len(load.answered) > 20
    assert set(stored.values()) == {1}
    assert all(event_id in stored for ids in load.answered for event_id in ids)
    assert {sum(event_id in stored for event_id in ids) for ids in load.sent} <= {0, BATCH}
    assert keys == (len(rows),)
    checked = manage(up, "verify")
    assert checked.returncode == 0, checked.stdout + checked.stderr
