import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from budgets.static.tallyman import tallyman
from tests.budgets.guard.event_server import LOST, EventServer, keeping_events
from tests.budgets.guard.guard_server import NOWHERE, Answer

CALL: dict[str, Any] = {"model": "m-1", "provider": "openai", "input_tokens": 9}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[EventServer]:
    monkeypatch.setattr(tallyman, "_EVERY", 0.05)
    monkeypatch.setattr(tallyman, "_LONGEST_PAUSE", 0.05)
    with keeping_events() as kept:
        yield kept


@pytest.fixture
def told() -> list[tallyman.TallymanError]:
    return []


@pytest.fixture
def client(server: EventServer, told: list[tallyman.TallymanError]) -> tallyman.Client:
    return tallyman.Client(url=server.url, key="tm_key", timeout=0.5, on_error=told.append)


def until(reached: Any, seconds: float = 5) -> None:
    end = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_calls_are_told_by_themselves_in_batches_over_one_connection(
    client: tallyman.Client, server: EventServer
) -> None:
    before = datetime.now(UTC)
    threads = [
        threading.Thread(target=lambda: [client.record(**CALL) for _ in range(300)])
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    until(lambda: len(server.events) == 1200)
    client.record(**CALL)
    until(lambda: len(client.outbox) == 0)

    assert {len(batch) <= 500 for batch in server.batches} == {True}
    assert len(server.connections) == 1
    event = next(iter(server.events.values()))
    assert before <= datetime.fromisoformat(event.pop("occurred_at")) <= datetime.now(UTC)
    assert len(event.pop("event_id")) == 32
    assert (event, client.outbox.told) == (CALL, 1201)


ANSWER = {
    "id": "msg_01XFDUDYJgAACzvnptvVoYEL", "model": "m-1", "content": "secret",
    "usage": {"input_tokens": 9, "output_tokens": 2},
}  # fmt: skip
COUNTED = {"model": "m-1", "usage": ANSWER["usage"]}


@pytest.mark.parametrize(
    ("usage", "fields", "name", "expected"),
    [
        (ANSWER, {}, ANSWER["id"], {"model": "m-1", "usage": COUNTED}),
        (SimpleNamespace(**ANSWER), {"model": "asked", "tags": {"a": "b"}}, ANSWER["id"],
         {"model": "asked", "usage": COUNTED, "tags": {"a": "b"}}),
        ({**ANSWER, "id": "chatcmpl-483"}, {"event_id": "mine"}, "mine",
         {"model": "m-1", "usage": COUNTED}),
        ({"modelVersion": "g-1", "responseId": "q3WhZ5rLDpKmkdUPj6zK4Q", "usageMetadata": {"a": 1}},
         {}, "q3WhZ5rLDpKmkdUPj6zK4Q",
         {"model": "g-1", "usage": {"modelVersion": "g-1", "usageMetadata": {"a": 1}}}),
        (None, {"model": "m-1", "status": "error", "reported_cost": Decimal("0.5")}, "",
         {"model": "m-1", "status": "error", "reported_cost": "0.5"}),
    ],
)  # fmt: skip
def test_an_event_has_the_name_of_the_response_and_none_of_its_text(
    client: tallyman.Client, server: EventServer, usage: Any, fields: dict[str, Any], name: str,
    expected: dict[str, Any],
) -> None:  # fmt: skip
    given = client.record(usage, occurred_at="2026-11-22T10:00:00Z", **fields)
    assert client.flush(5) == 1
    assert given == name or (not name and len(given) == 32)
    occurred = {"event_id": given, "occurred_at": "2026-11-22T10:00:00Z"}
    assert server.events == {given: {**expected, **occurred}}


def test_what_is_told_again_after_a_lost_answer_or_a_failure_has_the_same_words(
    client: tallyman.Client, server: EventServer, told: list[tallyman.TallymanError]
) -> None:
    html = Answer(200, b"<html>Sign in to this network</html>")
    later = Answer(429, {"detail": "Slower."}, {"Retry-After": "0"})
    moved = Answer(301, None, {"Location": NOWHERE})
    unknown = Answer(401, {"detail": "The API key is not known."})
    foreign = Answer(400, {"detail": "The request cannot be read.", "errors": []})
    server.script = [LOST, later, moved, Answer(503), unknown, foreign, html]
    names = {client.record(**CALL) for _ in range(3)}
    until(lambda: len(client.outbox) == 0)
    assert (set(server.events), server.repeats, server.script) == (names, 3, [])
    assert [type(error) for error in told] == [tallyman.Unavailable]


def test_calls_wait_for_a_server_that_is_away(
    client: tallyman.Client, server: EventServer, told: list[tallyman.TallymanError]
) -> None:
    with keeping_events() as restarting:
        client.configure(url=restarting.url, key="tm_key", timeout=0.5, on_error=told.append)
        client.record(**CALL)
        until(lambda: len(restarting.events) == 1)
        restarting.script = [LOST]
    client.outbox.put(b'{"model": "m-1", "event_id": "later"}')
    until(lambda: bool(told))
    with keeping_events(restarting):
        until(lambda: len(client.outbox) == 0)
    assert (len(restarting.events), restarting.repeats) == (2, 1)
    assert ([type(error) for error in told], client.outbox.given_up) == ([tallyman.Unavailable], 0)


def test_of_a_full_buffer_the_oldest_give_way_and_are_counted(
    server: EventServer, told: list[tallyman.TallymanError], caplog: pytest.LogCaptureFixture
) -> None:
    client = tallyman.Client(url=NOWHERE, key="tm_key", buffer=600, on_error=told.append)
    names = [client.record(**CALL)]
    until(lambda: bool(told))
    names += [client.record(**CALL) for _ in range(1500)]
    until(lambda: client.outbox.given_up > 0)
    assert len(client.outbox) <= 600 + 500
    client.configure(url=server.url, key="tm_key", on_error=told.append)
    client.flush(5)
    assert client.outbox.given_up + len(server.events) == len(names)
    assert set(server.events) >= set(names[-600:])
    dropped = [error.response["events"] for error in told if isinstance(error, tallyman.Dropped)]
    assert sum(dropped) == client.outbox.given_up >= 401
    assert f"{dropped[0]} events are given up: the buffer is full." in caplog.text


def test_refused_events_are_told_one_by_one_and_harm_no_other(
    client: tallyman.Client, server: EventServer, told: list[tallyman.TallymanError],
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    server.script = [Answer(413, {"detail": "Too large."})] * 2
    for number in range(4):
        client.record(**CALL, event_id=f"good-{number}")
    client.record(input_tokens=1, event_id="bad")
    assert client.flush(5) == 4
    assert len(server.events) == 4
    (refused,) = told
    assert isinstance(refused, tallyman.Refused)
    assert "bad is refused: model: Say which model." in refused.message
    assert refused.response["errors"][0]["code"] == "required"

    server.script = [Answer(400, {"detail": "Not JSON.", "errors": [{"code": "malformed"}]})]
    client.record(**CALL, event_id="alone")
    assert client.flush(5) == 0
    assert told[-1].message == "Event alone is refused: Not JSON."


def test_nothing_that_is_recorded_raises_or_blocks(
    told: list[tallyman.TallymanError], caplog: pytest.LogCaptureFixture
) -> None:
    def fail(error: tallyman.TallymanError) -> None:
        told.append(error)
        raise RuntimeError

    client = tallyman.Client(url="", key="", on_error=fail)
    wrong: tuple[Any, ...] = (float("nan"), "\ud800", {1: {2}})
    for value in wrong[:2]:
        client.record(model="m", reported_cost=value)
    loop: dict[str, Any] = {}
    loop["loop"] = loop
    client.record(model="m", tags=loop)
    assert [type(error) for error in told] == [tallyman.Refused] * 3
    began = time.thread_time()
    for _ in range(200):
        client.record(**CALL)
    # About 30 µs each of this thread's own time; ten times that leaves room for a slow machine.
    assert time.thread_time() - began < 200 * 300e-6
    assert client.flush(0.1) == 0
    assert any("Set TALLYMAN_URL" in error.message for error in told)
    client.outbox.start_anew()


SCRIPT = """
import multiprocessing, os, sys, tallyman
tallyman.record(model="m-1", event_id="before")
child = os.fork()
tallyman.record(model="m-1", event_id="child" if child == 0 else "parent")
if child:
    os.waitpid(child, 0)
    other = multiprocessing.get_context("fork").Process(
        target=tallyman.record, kwargs={"model": "m-1", "event_id": "process"})
    other.start()
    other.join()
"""


def test_what_interrupts_a_recording_may_record_itself(
    client: tallyman.Client, server: EventServer
) -> None:
    def interrupt(*_: object) -> None:
        client.record(**CALL)

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
    try:
        names = [client.record(**CALL) for _ in range(3000)]
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    until(lambda: len(client.outbox) == 0)
    assert set(server.events) > set(names)


def test_a_process_tells_before_it_ends_and_so_do_those_it_forks(server: EventServer) -> None:
    folder = str(Path(tallyman.__file__).parent)
    environ = {"TALLYMAN_URL": server.url, "TALLYMAN_KEY": "tm_key", "PYTHONPATH": folder}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SCRIPT], env=environ, check=False,
        capture_output=True, text=True, timeout=20,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert set(server.events) == {"before", "child", "parent", "process"}
    assert server.repeats == 0

    unheard = {**environ, "TALLYMAN_URL": NOWHERE}
    began = time.monotonic()
    lost = subprocess.run(
        [sys.executable, "-c", "import tallyman; tallyman.record(model='m-1')"], env=unheard,
        check=False, capture_output=True, text=True, timeout=20,
    )  # fmt: skip
    assert lost.returncode == 0
    assert "1 events are given up: the process ended." in lost.stderr
    assert time.monotonic() - began < 10
