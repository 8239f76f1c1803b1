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
from dataclasses import dataclass
from pathlib import Path

from config.embedded import EmbeddedServer

PROJECT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Stack:
    """A running installation of its own."""

    port: int
    key: str
    conninfo: str
    environ: dict[str, str]

    def manage(self, *words: str) -> str:
        """Run a management command; return what it printed."""
        done = subprocess.run(
            [sys.executable, "manage.py", *words],
            cwd=PROJECT,
            env=self.environ,
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout


@contextlib.contextmanager
def running_stack() -> Iterator[Stack]:
    """Start everything on a temporary folder; stop and remove it afterwards."""
    data = Path(tempfile.mkdtemp(prefix="tallyman-bench-"))
    kept = ("DATABASE", "CELERY", "DJANGO", "TALLYMAN", "SECRET")
    environ = {name: text for name, text in os.environ.items() if not name.startswith(kept)}
    environ |= {
        "TALLYMAN_DATA": str(data),
        "SECRET_KEY": "bench",
        "TALLYMAN_PRICES_URL": "",
        "DJANGO_SETTINGS_MODULE": "config.settings",
    }
    server = EmbeddedServer(data)
    server.attach()
    try:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = int(probe.getsockname()[1])
        stack = Stack(port, "", server.conninfo, environ)
        stack.manage("migrate", "--verbosity", "0")
        stack.manage("prices", "sync")
        stack.manage("collectstatic", "--no-input", "--verbosity", "0")
        scopes = ("--scope", "ingest", "--scope", "read")
        key = stack.manage("apikey", "create", "--organization", "bench", *scopes).strip()
        with _web(stack):
            yield Stack(port, key.splitlines()[-1], server.conninfo, environ)
    finally:
        server.detach()
        shutil.rmtree(data, ignore_errors=True)


@contextlib.contextmanager
def _web(stack: Stack) -> Iterator[None]:
    command = [sys.executable, "-m", "gunicorn", "-c", "python:config.web_server"]
    process = subprocess.Popen(
        [*command, "-b", f"127.0.0.1:{stack.port}", "-w", "2"], cwd=PROJECT, env=stack.environ
    )
    try:
        _await(f"http://127.0.0.1:{stack.port}/healthz")
        yield
    finally:
        process.terminate()
        process.wait(30)


def _await(url: str) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            urllib.request.urlopen(url, timeout=2).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return
