"""One installation is started once and goes through all of its life here, in this order."""

import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.budgets.channels.live import Live, environment
from tests.budgets.channels.mailbox import Mailbox, mail_server
from tests.budgets.channels.sink import Answer, Sink, http_sink
from tests.config.running import (
    BEAT,
    DATABASE,
    PASSWORD,
    WEB,
    WORKER,
    Up,
    free_port,
    is_gone,
    until,
)


@pytest.fixture(scope="module")
def data() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp())
    yield folder / "data"
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def receivers() -> Iterator[tuple[Mailbox, Sink, Sink]]:
    with mail_server() as mailbox, http_sink() as hook, http_sink() as slack:
        yield mailbox, hook, slack


@pytest.fixture(scope="module")
def up(data: Path, receivers: tuple[Mailbox, Sink, Sink]) -> Iterator[Up]:
    run = Up(data, free_port(), **environment(*receivers))
    yield run
    if run.process.poll() is None:
        run.stop(signal.SIGTERM)


def test_the_first_start_says_how_to_log_in_and_what_to_try(up: Up) -> None:
    up.await_ready()
    text = up.read()
    assert f"ready: http://127.0.0.1:{up.port}/" in text
    assert "as admin" in text
    assert PASSWORD not in text
    assert re.search(r"try: curl .* 'Authorization: Bearer tm_\w+\.\w+'", text)


def test_the_first_curl_line_is_accepted(up: Up) -> None:
    found = re.search(r"try: (curl .*)", up.read())
    assert found
    done = subprocess.run(["bash", "-c", found[1]], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["accepted"] == 1, done.stdout


def test_web_worker_and_beat_work_together(up: Up) -> None:
    assert up.get("/healthz") == (200, {"status": "ok"})
    until(up.is_ready)


def test_a_crossing_is_told_once_everywhere_though_the_worker_dies_while_sending(
    up: Up, receivers: tuple[Mailbox, Sink, Sink]
) -> None:
    live, stopped, going_on = Live(up, *receivers), threading.Event(), threading.Event()
    hook, slack = live.hook, live.slack

    def wait(_: object) -> Answer:
        stopped.set()
        going_on.wait(90)
        return Answer()

    live.add_channels()
    live.add_budgets(["web"])
    hook.answer = wait
    (worker,) = up.children(WORKER)
    worker.kill()
    live.spend(0.9, ["web"], "first")
    assert stopped.wait(90)
    (worker,) = up.children(WORKER)
    # Its children would go on for a moment, and get their answer.
    for process in (*worker.children(), worker):
        process.kill()
    going_on.set()
    hook.answer = lambda _: Answer()
    until(lambda: is_gone(worker))
    live.write("UPDATE budgets_notice SET lease_until = now() WHERE state = 'waiting'")
    notices = "SELECT state, count(*) FROM budgets_notice GROUP BY state"
    until(lambda: live.read(notices) == [("sent", 3)])
    assert live.read("SELECT count(*) FROM budgets_alert") == [(1,)]
    # It had come to all of them before: again, and as the same message.
    assert [len(hook.ids()), len(live.mails())] == [1, 1]
    assert hook.ids().total() == 2
    before = hook.ids().total(), len(slack.requests), live.mails().total()
    live.spend(0.3, ["web"], "second")
    until(lambda: live.read(notices) == [("sent", 6)])
    after = hook.ids().total(), len(slack.requests), live.mails().total()
    assert [new - old for new, old in zip(after, before, strict=True)] == [1, 1, 1]


def test_a_second_start_on_the_same_data_is_refused(up: Up) -> None:
    second = Up(up.data, free_port())
    assert second.process.wait(90) == 1
    assert second.read().strip() == f"CommandError: Tallyman already runs on {up.data}"
    assert up.get("/healthz")[0] == 200


def test_a_port_in_use_is_said_so(up: Up, data: Path) -> None:
    second = Up(data.with_name("other"), up.port)
    assert second.process.wait(90) == 1
    assert "Address already in use" in second.read()
    assert len(second.read().strip().splitlines()) == 1


def test_what_is_killed_is_started_again(up: Up) -> None:
    names = (WEB, WORKER, BEAT, DATABASE)
    old = [process for name in names for process in up.children(name)]
    assert len(old) == len(names)
    for process in old:
        process.kill()
    until(lambda: all(map(is_gone, old)) and all(map(up.children, names)))
    until(up.is_ready)
    assert [len(up.children(name)) for name in names] == [1] * 4


def test_kill_9_leaves_no_orphans_but_the_database(up: Up) -> None:
    until(lambda: len(up.members()) >= 7)
    members = up.members()
    up.stop(signal.SIGKILL)
    until(lambda: all(map(is_gone, members)))


@pytest.fixture(scope="module")
def redis_url() -> Iterator[str | None]:
    if shutil.which("redis-server") is None:
        assert not os.environ.get("TALLYMAN_TEST_ALL"), "redis-server is missing"
        yield None
        return
    port = free_port()
    server = subprocess.Popen(
        ["redis-server", "--port", str(port), "--save", "", "--bind", "127.0.0.1"],
        stdout=subprocess.DEVNULL,
    )
    yield f"redis://127.0.0.1:{port}/0"
    server.terminate()
    server.wait(10)


@pytest.fixture(scope="module")
def again(up: Up, redis_url: str | None) -> Iterator[Up]:
    """The next start on the same data: with another broker, where there is one."""
    broker = {"CELERY_BROKER_URL": redis_url} if redis_url else {}
    run = Up(up.data, up.port, **broker)
    yield run
    if run.process.poll() is None:
        run.stop(signal.SIGTERM)


def test_redis_takes_over_as_broker_when_it_is_configured(again: Up, redis_url: str | None) -> None:
    if redis_url is None:
        pytest.skip("redis-server is missing")
    began = time.monotonic()
    again.await_ready()
    until(lambda: again.get("/readyz")[1]["beat_age"] < time.monotonic() - began)
    assert again.is_ready()


def test_the_next_start_finds_all_data_and_ctrl_c_stops_everything(again: Up) -> None:
    again.await_ready()
    assert "login:" not in again.read()
    assert "Bearer" not in again.read()
    until(again.is_ready)
    members = again.members()
    lines = (again.data / "postgres" / "postmaster.pid").read_text().splitlines()
    database = psutil.Process(int(lines[0]))
    assert again.stop(signal.SIGINT) == 0
    assert [process for process in members if not is_gone(process)] == []
    assert is_gone(database)
    assert again.get("/healthz")[0] == 0
