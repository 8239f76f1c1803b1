"""PgBouncer in transaction mode before the database, and a streaming replica beside it."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from config.embedded import EmbeddedServer, binary
from config.server_account import ServerAccount
from tests.config.running import PROJECT, environ_of, free_port, installed, until

# So few server connections that clients take turns on them.
_POOLER = """
[databases]
tallyman = host={sockets} port=5432
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = trust
auth_file = {folder}/users
pool_mode = transaction
default_pool_size = 3
logfile = {folder}/pgbouncer.log
"""


@contextmanager
def running(command: list[str], account: ServerAccount, log: Path) -> Iterator[None]:
    with log.open("w") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, **account.run_as)
    yield
    process.send_signal(signal.SIGINT)
    process.wait(30)


def answers(url: str) -> bool:
    try:
        psycopg.connect(url).close()
    except psycopg.OperationalError:
        return False
    return True


@contextmanager
def pooled(server: EmbeddedServer, account: ServerAccount, folder: Path) -> Iterator[str]:
    port, home = free_port(), folder / "pooler"
    account.own(home)
    settings = _POOLER.format(sockets=server.socket_folder, port=port, folder=home)
    (home / "pgbouncer.ini").write_text(settings)
    (home / "users").write_text('"tallyman" ""\n')
    url = f"postgresql://tallyman@127.0.0.1:{port}/tallyman"
    command = [shutil.which("pgbouncer") or "", str(home / "pgbouncer.ini")]
    with running(command, account, folder / "pgbouncer.out"):
        until(lambda: answers(url), 20)
        yield url


@contextmanager
def standby(server: EmbeddedServer, account: ServerAccount, folder: Path) -> Iterator[str]:
    # The primary's socket lies in its own folder, and so does what locks it in a copy of that.
    home, sockets = folder / "standby", folder / "sockets"
    account.own(home)
    account.own(sockets)
    copy = [binary("pg_basebackup"), "-h", str(server.socket_folder), "-U", "tallyman"]
    copy += ["-D", str(home), "--write-recovery-conf", "--checkpoint=fast", "--no-sync"]
    subprocess.run(copy, check=True, capture_output=True, **account.run_as)
    url = f"postgresql://tallyman@/tallyman?host={sockets}"
    command = [binary("postgres"), "-D", str(home), "-k", str(sockets)]
    with running(command, account, folder / "standby.out"):
        until(lambda: answers(url), 30)
        yield url


@pytest.fixture(scope="module")
def seen() -> Iterator[dict[str, Any]]:
    """What a process saw that did a bit of everything there."""
    if shutil.which("pgbouncer") is None:
        assert not os.environ.get("TALLYMAN_TEST_ALL"), "pgbouncer is missing"
        pytest.skip("pgbouncer is missing")
    folder = Path(tempfile.mkdtemp())
    server = EmbeddedServer(installed(folder / "data"))
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder)
        server.attach()
        stack.callback(server.detach)
        account = ServerAccount(server.folder)
        account.let_through(folder / "any")
        places = {
            "DATABASE_URL": stack.enter_context(pooled(server, account, folder)),
            "DATABASE_REPLICA_URL": stack.enter_context(standby(server, account, folder)),
            "SECRET_KEY": "test",
            "ALLOWED_HOSTS": "testserver",
            "DJANGO_SETTINGS_MODULE": "config.settings",
        }
        done = subprocess.run(
            [sys.executable, "-m", "tests.config.past_one_machine"],
            cwd=PROJECT,
            env={**environ_of(folder / "data"), **places},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        log = (folder / "data" / "postgres.log").read_text()
        yield {**json.loads(done.stdout), "log": log}


def test_everything_works_through_a_pooler_that_lends_connections_by_transaction(
    seen: dict[str, Any],
) -> None:
    assert (seen["queued"], seen["reserved"]) == (12, "settled")
    assert seen["focus"] > 1
    assert "ERROR" not in seen["log"]


def test_a_standby_that_is_level_answers_reads_and_writes_files(seen: dict[str, Any]) -> None:
    level = seen["level"]
    assert (level["events"], level["standby"]) == (60, True)
    assert seen["broken"] == 60
    assert seen["export"] == {"status": "done", "rows": 60, "standby": True}


def test_what_it_has_not_got_yet_is_told_by_as_of(seen: dict[str, Any]) -> None:
    held = seen["held"]
    assert (held["events"], held["standby"]) == (60, True)
    assert held["age"] > seen["level"]["age"] >= 0


def test_one_too_far_behind_is_not_read(seen: dict[str, Any]) -> None:
    behind = seen["behind"]
    assert (behind["events"], behind["standby"]) == (66, False)
    assert seen["ready"] == "behind"
