import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from config.embedded import data_folder
from tests.digest import digest

PROJECT = Path(__file__).parents[2]
WEB, WORKER, BEAT, DATABASE = "tallyman web", "tallyman worker", "tallyman beat", "postgres"
PASSWORD = "correct-horse-battery"
PREPARE = (
    "from config import bootstrap; bootstrap.prepare_database(); bootstrap.ensure_static_files()"
)


def installed(data: Path) -> Path:
    """Makes `data` an installation that has not been started yet, and returns it.

    The schema, prices and static files of one are kept between runs, and copied.
    """
    kept = data_folder(os.environ) / f"installed-{digest()}"
    with kept.with_name("installed.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        if not kept.exists():
            for earlier in kept.parent.glob("installed-*"):
                shutil.rmtree(earlier)
            making = kept.with_name("installing")
            shutil.rmtree(making, ignore_errors=True)
            words = (sys.executable, "manage.py", "shell", "--no-imports", "-c", PREPARE)
            subprocess.run(words, cwd=PROJECT, env=environ_of(making), check=True)
            making.rename(kept)
        subprocess.run(["cp", "-a", kept, data], check=True)
    return data


def environ_of(data: Path) -> dict[str, str]:
    """The environment of a process of the product itself, whatever that of the tests is."""
    ours = ("DATABASE", "CELERY", "DJANGO", "TALLYMAN", "SECRET")
    environ = {name: text for name, text in os.environ.items() if not name.startswith(ours)}
    return {**environ, "TALLYMAN_DATA": str(data), "TALLYMAN_ADMIN_PASSWORD": PASSWORD}


class Up:
    """One run of `up` as a real process."""

    def __init__(self, data: Path, port: int, **extra: str) -> None:
        self.data, self.port = data, port
        self.log = data.with_name(f"{data.name}-{port}-{time.monotonic_ns()}.log")
        self.environ = {**environ_of(data), **extra}
        with self.log.open("w") as output:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "up", "--port", str(port)],
                cwd=PROJECT,
                env=self.environ,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def await_ready(self) -> float:
        began = time.monotonic()
        until(lambda: "ready:" in self.read() or self.process.poll() is not None, 240)
        assert self.process.poll() is None, self.read()
        return time.monotonic() - began

    def read(self) -> str:
        return self.log.read_text()

    def get(self, path: str) -> tuple[int, Any]:
        try:
            with urllib.request.urlopen(
                f"http://127.0.0.1:{self.port}{path}", timeout=20
            ) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error) if path == "/readyz" else None
        except OSError:
            return 0, None

    def is_ready(self) -> bool:
        return self.get("/readyz")[0] == 200

    def children(self, name: str) -> list[psutil.Process]:
        """The web master, the worker, beat or the database, by the name of the process."""
        found = psutil.Process(self.process.pid).children()
        return [child for child in found if not is_gone(child) and name_of(child) == name]

    def members(self) -> list[psutil.Process]:
        found = psutil.Process(self.process.pid).children(recursive=True)
        return [member for member in found if not is_gone(member) and name_of(member) != DATABASE]

    def stop(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        return self.process.wait(90)


def until(condition: Callable[[], object], seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.1)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def name_of(process: psutil.Process) -> str:
    try:
        return process.name()
    except psutil.NoSuchProcess:
        return ""


def is_gone(process: psutil.Process) -> bool:
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
