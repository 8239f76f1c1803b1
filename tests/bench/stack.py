"""A fresh database and two web processes, as `up` starts them, without worker and beat."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg

from config.embedded import EmbeddedServer

PROJECT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Stack:
    """A running installation of its own."""

    port: int
    key: str
    conninfo: str
    environ: dict[str, str]
    web_pid: int = 0

    def manage(self, *words: str) -> str:
        """Run a management command; return what it printed."""
        done = subprocess.run(
            [sys.executable, "manage.py", *words],
            cwd=PROJECT,
            env=self.environ,
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
        return done.stdout

    def query(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """The rows that a statement of a superuser finds, which is committed."""
        with psycopg.connect(self.conninfo, autocommit=True) as connection:
            cursor = connection.execute(statement.encode(), values or None)
            return cursor.fetchall() if cursor.description else []

    def shell(self, *lines: str) -> str:
        """Run Python inside the installation; return what it printed."""
        return self.manage("shell", "--no-imports", "-c", "\n".join(lines))


@contextlib.contextmanager
def running_stack() -> Iterator[Stack]:
    """Start everything on a temporary folder; stop and remove it afterwards."""
    data = Path(tempfile.mkdtemp(prefix="tallyman-bench-"))
    try:
        with installed(data) as stack, serving(stack) as served:
            yield served
    finally:
        shutil.rmtree(data, ignore_errors=True)


def clean_environ(data: Path) -> dict[str, str]:
    """The environment of an installation in a folder, without what this shell has set for one."""
    kept = ("DATABASE", "CELERY", "DJANGO", "TALLYMAN", "SECRET")
    environ = {name: text for name, text in os.environ.items() if not name.startswith(kept)}
    return environ | {
        "TALLYMAN_DATA": str(data),
        "TALLYMAN_PRICES_URL": "",
        "TALLYMAN_OPENROUTER_URL": "",
        "DJANGO_SETTINGS_MODULE": "config.settings",
    }


@contextlib.contextmanager
def installed(data: Path) -> Iterator[Stack]:
    """An installation in a folder, made if it is missing, with its database running."""
    environ = clean_environ(data)
    server = EmbeddedServer(data)
    server.attach()
    try:
        stack = Stack(0, "", server.conninfo, environ)
        stack.manage("migrate", "--verbosity", "0")
        stack.manage("prices", "sync")
        stack.manage("collectstatic", "--no-input", "--verbosity", "0")
        yield stack
    finally:
        server.detach()


@contextlib.contextmanager
def serving(stack: Stack, organization: str = "bench") -> Iterator[Stack]:
    """Two web processes, yardsticks among their URLs, and a key of an organization."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = int(probe.getsockname()[1])
    scopes = ("--scope", "ingest", "--scope", "read", "--scope", "check")
    key = stack.manage("apikey", "create", "--organization", organization, *scopes).strip()
    command = [sys.executable, "-m", "gunicorn", "-c", "python:config.web_server"]
    process = subprocess.Popen(
        [*command, "-b", f"127.0.0.1:{port}", "-w", "2"],
        cwd=PROJECT,
        env=stack.environ | {"DJANGO_SETTINGS_MODULE": "tests.bench.settings"},
    )
    try:
        _await(f"http://127.0.0.1:{port}/healthz")
        yield replace(stack, port=port, key=key.splitlines()[-1], web_pid=process.pid)
    finally:
        process.terminate()
        process.wait(30)


def _await(url: str) -> None:
    deadline = time.monotonic() + 120
    while True:
        try:
            urllib.request.urlopen(url, timeout=2).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return
