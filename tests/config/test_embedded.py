import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from django.db import connection

from config.embedded import EmbeddedServer

PROJECT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedServer]:
    folder = Path(tempfile.mkdtemp())
    found = EmbeddedServer(folder)
    found.attach()
    yield found
    found.detach()
    shutil.rmtree(folder)


def server_pid(server: EmbeddedServer) -> int:
    return int((server.folder / "postmaster.pid").read_text().splitlines()[0])


def show(server: EmbeddedServer, name: str) -> str:
    with psycopg.connect(server.conninfo) as session:
        row = session.execute("SELECT current_setting(%s)", [name]).fetchone()
    assert row is not None
    return str(row[0])


@pytest.mark.django_db
def test_tests_run_on_postgresql() -> None:
    assert connection.vendor == "postgresql"


def test_it_is_postgresql_18_and_gives_up_no_durability(server: EmbeddedServer) -> None:
    assert show(server, "server_version_num").startswith("18")
    assert (show(server, "fsync"), show(server, "synchronous_commit")) == ("on", "on")
    assert (show(server, "shared_buffers"), show(server, "max_connections")) == ("256MB", "200")


def test_it_listens_on_no_network_and_its_folder_is_private(server: EmbeddedServer) -> None:
    assert show(server, "listen_addresses") == ""
    assert server.folder.stat().st_mode & 0o777 == 0o700


def test_it_outlives_all_users_but_the_last(server: EmbeddedServer) -> None:
    other = EmbeddedServer(server.data)
    other.attach()
    other.detach()
    assert server.accepts()


def test_it_comes_back_with_its_data_after_kill_9(server: EmbeddedServer) -> None:
    with psycopg.connect(server.conninfo) as session:
        session.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    os.kill(server_pid(server), signal.SIGKILL)
    while server.accepts():
        pass
    assert server.revive() is True
    assert server.revive() is False
    with psycopg.connect(server.conninfo) as session:
        assert session.execute("SELECT answer FROM kept").fetchone() == (42,)


def test_a_folder_that_is_too_deep_for_a_socket_gets_a_short_one(tmp_path: Path) -> None:
    deep = EmbeddedServer(tmp_path / ("x" * 100))
    assert len(str(deep.socket_folder)) < 50
    assert deep.socket_folder == EmbeddedServer(deep.data).socket_folder
    assert deep.socket_folder != EmbeddedServer(tmp_path / ("y" * 100)).socket_folder
    deep.attach()
    try:
        assert show(deep, "server_version_num").startswith("18")
        assert deep.socket_folder.stat().st_mode & 0o777 == 0o700
    finally:
        deep.detach()
        shutil.rmtree(deep.socket_folder)


def test_help_starts_no_database(tmp_path: Path) -> None:
    for arguments in (["migrate", "--help"], ["check"]):
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=PROJECT,
            env={**os.environ, "TALLYMAN_DATA": str(tmp_path)},
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert not (tmp_path / "postgres").exists()
