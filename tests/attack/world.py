"""An installation to attack: the whole of it, as `up` runs it, with budgets that soon are full."""

import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from config.embedded import EmbeddedServer
from tests.attack.clients import PROJECTS, SUBJECTS
from tests.config.running import PROJECT, WEB, WORKER, Up, free_port, until

_BUDGETS = """
from decimal import Decimal
from budgets.models import Budget
from budgets.setting import Actor, save_budget
from usage.models import Project, Subject
from usage.organizations import ensure_organization
acme = ensure_organization("acme")
projects = [Project.objects.create(organization=acme, slug=f"p{n}") for n in range(PROJECTS)]
for n in range(SUBJECTS):
    Subject.objects.create(organization=acme, key=f"s{n}")
rows = [
    dict(period="day", limit=1),
    dict(period="month", limit="1.1"),
    dict(project=projects[0], period="day", limit="0.35"),
    dict(project=projects[0], period="month", limit="0.4"),
    dict(per="subject", period="day", limit="0.1"),
    dict(per="subject", period="month", limit="0.12"),
    dict(project=projects[1], period="month", measure="tokens", limit=60000),
    dict(period="day", limit="0.5", enforcement="soft"),
]
for number, row in enumerate(rows):
    fields = {"enforcement": "hard", **row, "limit": Decimal(row["limit"])}
    save_budget(Budget(organization=acme, name=f"b{number}", **fields), None, Actor(None, "attack"))
"""


@dataclass
class World:
    """A running installation and its key of scopes ingest and check."""

    up: Up
    key: str

    @property
    def conninfo(self) -> str:
        """Of its database."""
        return EmbeddedServer(self.up.data).conninfo

    def manage(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a management command."""
        return _manage(self.up.data, *words)

    def kill(self, what: str, chance: random.Random) -> None:
        """`kill -9` a web worker, the web master, the Celery worker, or all of PostgreSQL."""
        if what == "PostgreSQL":
            victims = self._database()
        elif what == "web worker":
            victims = self._web_worker(chance)
        else:
            victims = self.up.children({"web master": WEB, "worker": WORKER}[what])[:1]
        for victim in victims:
            with suppress(psutil.NoSuchProcess):
                victim.kill()

    def _web_worker(self, chance: random.Random) -> list[psutil.Process]:
        found = [child for master in self.up.children(WEB) for child in master.children()]
        return chance.sample(found, min(1, len(found)))

    def _database(self) -> list[psutil.Process]:
        with suppress(OSError, ValueError, psutil.NoSuchProcess):
            text = (self.up.data / "postgres" / "postmaster.pid").read_text()
            postmaster = psutil.Process(int(text.split()[0]))
            return [postmaster, *postmaster.children(recursive=True)]
        return []


@contextmanager
def running_world() -> Iterator[World]:
    """Start everything on a temporary folder, with budgets that are full within seconds."""
    folder = Path(tempfile.mkdtemp(prefix="tallyman-attack-"))
    data = folder / "data"
    up = Up(data, free_port(), TALLYMAN_PRICES_URL="")
    try:
        up.await_ready()
        script = f"PROJECTS, SUBJECTS = {PROJECTS}, {SUBJECTS}"
        done = _manage(data, "shell", "--no-imports", "-c", script + _BUDGETS)
        if done.returncode:
            raise RuntimeError(done.stderr)
        scopes = [word for scope in ("ingest", "check", "read") for word in ("--scope", scope)]
        key = _manage(data, "apikey", "create", "--organization", "acme", *scopes).stdout
        until(up.is_ready)
        yield World(up, key.split()[-1])
    finally:
        up.process.terminate()
        up.process.wait(90)
        shutil.rmtree(folder, ignore_errors=True)


def _manage(data: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=PROJECT,
        env={**os.environ, "TALLYMAN_DATA": str(data)},
        capture_output=True,
        text=True,
        check=False,
    )
