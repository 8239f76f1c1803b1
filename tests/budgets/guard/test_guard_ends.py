import asyncio
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from budgets.static.tallyman.tallyman import Client, Refused, Unavailable
from tests.budgets.guard.guard_server import (
    BLOCKED,
    CALL,
    DROPPED,
    Answer,
    GuardServer,
)

AMOUNT: dict[str, Any] = {"project": "web", "amount": "0.25"}
ESTIMATED = ("reservations/5f1c/settle/", {"estimated": True})
RELEASED: tuple[str, dict[str, Any]] = ("reservations/5f1c/release/", {})


class Crash(Exception):
    pass


def last(server: GuardServer) -> tuple[str, dict[str, Any]]:
    path, body = server.asked[-1]
    return path.removeprefix("/api/v1/"), body


@pytest.mark.parametrize(
    ("call", "crashes", "on_error", "expected"),
    [(CALL, False, "release", ESTIMATED), (AMOUNT, False, "release", RELEASED),
     (CALL, True, "release", RELEASED), (CALL, True, "settle", ESTIMATED),
     (AMOUNT, True, "settle", RELEASED)],
)  # fmt: skip
def test_a_block_that_tells_nothing_ends_as_promised(
    client: Client, server: GuardServer, call: dict[str, Any], crashes: bool, on_error: Any,
    expected: object, caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    try:
        with client.reserve(**call, on_error=on_error):
            if crashes:
                raise Crash
    except Crash:
        assert crashes
    assert (len(server.asked), last(server)) == (2, expected)
    assert ("told nothing" in caplog.text) is not crashes


@pytest.mark.parametrize("action", ["settle", "release"])
def test_what_was_said_in_the_block_stands_though_it_crashes_afterwards(
    client: Client, server: GuardServer, action: str
) -> None:
    def crash_after_saying_it() -> None:
        with client.reserve(**CALL) as held:
            held.settle(output_tokens=5) if action == "settle" else held.release()
            raise Crash

    with pytest.raises(Crash):
        crash_after_saying_it()
    assert server.paths() == ["reservations/", f"reservations/5f1c/{action}/"]


def test_an_end_that_cannot_be_told_is_kept_and_told_later_in_the_same_words(
    client: Client, server: GuardServer, caplog: pytest.LogCaptureFixture
) -> None:
    with client.reserve(**CALL) as held:
        server.script = [DROPPED] * 3
        assert held.settle({"input_tokens": 9, "output_tokens": 2}) is None
    assert (held.status, len(client.unsent), len(server.asked)) == ("unsent", 1, 4)
    assert f"settle of reservation {held.key}: Tallyman could not be asked" in caplog.text

    server.script = [Answer(503)] * 3
    assert (client.flush(), len(client.unsent)) == (0, 1)
    assert (client.flush(), len(client.unsent), held.status) == (1, 0, "settled")
    assert server.asked[1:] == [server.asked[1]] * 7

    with client.reserve(**CALL) as held:
        server.script = [DROPPED] * 3
        held.release()
    server.script = [Answer(409, {"detail": "It has expired."})]
    assert (client.flush(), len(client.unsent)) == (0, 0)
    assert f"release of reservation {held.key}: It has expired." in caplog.text


def test_failing_closed_an_end_that_cannot_be_told_is_raised_and_kept_all_the_same(
    client: Client, server: GuardServer
) -> None:
    client.configure(url=server.url, key="tm_key", fail="closed", timeout=0.3, retries=1)

    def call(crash: type[Exception] | None = None) -> None:
        with client.reserve(**CALL) as held:
            server.script = [DROPPED] * 2
            if crash:
                raise crash
            held.settle(output_tokens=5)

    with pytest.raises(Unavailable):
        call()
    assert (len(client.unsent), server.paths()[1:]) == (1, ["reservations/5f1c/settle/"] * 2)
    with pytest.raises(Crash):
        call(Crash)
    assert (client.flush(), last(server)) == (2, RELEASED)


@pytest.mark.parametrize("fail", ["open", "closed"])
def test_where_the_usage_is_refused_the_estimate_counts(
    client: Client, server: GuardServer, fail: Any, caplog: pytest.LogCaptureFixture
) -> None:
    client.configure(url=server.url, key="tm_key", fail=fail)
    refusal = Answer(422, {"detail": "No provider reports usage so."})
    raised = False
    try:
        with client.reserve(**CALL) as held:
            server.script = [refusal]
            held.settle({"tokens": 5})
    except Refused:
        raised = True
    assert raised is (fail == "closed")
    assert (last(server), held.status) == (ESTIMATED, "settled")
    assert "No provider reports usage so." in caplog.text


def test_a_call_that_ran_unasked_is_held_by_its_key_and_settled_afterwards(
    client: Client, server: GuardServer
) -> None:
    server.script = [Answer(503)] * 3
    began = datetime.now(UTC)
    with client.reserve(**CALL) as held:
        late = datetime.now(UTC)
        held.settle(output_tokens=5)
    assert (held.status, held.id) == ("settled", "5f1c")
    assert server.asked[3] == server.asked[0]
    path, body = last(server)
    assert (path, body.pop("output_tokens"), len(body)) == ("reservations/5f1c/settle/", 5, 1)
    assert began <= datetime.fromisoformat(body["occurred_at"]) <= late


@pytest.mark.parametrize(
    ("used", "expected"),
    [({"usage": {"input_tokens": 9, "output_tokens": 2}},
      {"usage": {"input_tokens": 9, "output_tokens": 2}}),
     ({}, {"estimated": True, "input_tokens": 12_000, "output_tokens": 4_000})],
)  # fmt: skip
def test_a_call_that_ran_unasked_and_would_be_blocked_now_is_recorded_as_an_event(
    client: Client, server: GuardServer, used: Any, expected: Any
) -> None:
    server.script = [*[Answer(503)] * 3, Answer(402, BLOCKED)]
    with client.reserve(**CALL, organization="acme") as held:
        cost = held.settle(**used)
    path, event = last(server)
    dimensions = {name: CALL[name] for name in ("project", "provider", "model")}
    assert path == "events/"
    assert datetime.fromisoformat(event.pop("occurred_at")) <= datetime.now(UTC)
    assert event == {**dimensions, **expected, "organization": "acme", "event_id": held.key}
    assert (held.status, str(cost)) == ("settled", "0.5000000000")


def test_a_long_call_is_kept_alive_until_its_block_ends(
    client: Client, server: GuardServer, caplog: pytest.LogCaptureFixture
) -> None:
    long_call: dict[str, Any] = {**CALL, "ttl": 0.1, "keep_alive": True}
    began = time.monotonic()
    with client.reserve(**long_call) as held:
        server.script = [Answer(409, {"detail": "It has expired."})]
        while server.paths().count("reservations/5f1c/extend/") < 3:
            time.sleep(0.01)
        assert 0.15 <= time.monotonic() - began < 2
        held.settle(output_tokens=5)
    told = len(server.asked)
    time.sleep(0.12)
    assert len(server.asked) == told
    assert server.asked[1][1] == {"ttl_seconds": 0.1}
    assert "is not extended: It has expired." in caplog.text


def test_a_hold_is_extended_by_hand(client: Client, server: GuardServer) -> None:
    with client.reserve(**CALL) as held:
        held.expires_at = None
        held.extend(900)
        assert (last(server)[1], held.status) == ({"ttl_seconds": 900}, "held")
        assert held.expires_at is not None


@dataclass
class Dumped:
    counts: dict[str, Any] = field(default_factory=lambda: {"input_tokens": 9, "output_tokens": 2})

    def model_dump(self, *, by_alias: bool) -> dict[str, Any]:
        assert by_alias
        return self.counts


class Listed:
    def to_dict(self) -> dict[str, Any]:
        return {"input_tokens": 9, "output_tokens": 2}


COUNTS = {"input_tokens": 9, "output_tokens": 2}
WHOLE = {"model": "m-1", "service_tier": "flex", "usage": COUNTS}


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        (COUNTS, COUNTS),
        (Dumped(), COUNTS),
        (Listed(), COUNTS),
        (SimpleNamespace(**COUNTS, cache=SimpleNamespace(read=1), _raw="text", tier=None),
         {**COUNTS, "cache": {"read": 1}}),
        ({**WHOLE, "content": [{"text": "secret"}], "id": "msg"}, WHOLE),
        (Dumped({**WHOLE, "content": "secret"}), WHOLE),
        (SimpleNamespace(model="m-1", usage=Dumped(), content="secret"),
         {"model": "m-1", "usage": COUNTS}),
        ({"type": "response.completed", "response": {**WHOLE, "output": "secret"}}, WHOLE),
        ({"content": "secret", "usage_metadata": COUNTS}, COUNTS),
        ({"model": "m-1", "message": "secret", "prompt_eval_count": 9, "eval_count": 2},
         {"model": "m-1", "prompt_eval_count": 9, "eval_count": 2}),
        ({"model": "m-1", "content": "secret", "usage": None}, None),
        ({}, None), (None, None), ("none", None),
    ],
)  # fmt: skip
def test_usage_is_taken_from_whatever_a_provider_answers_and_text_stays_here(
    client: Client, server: GuardServer, usage: Any, expected: Any
) -> None:
    with client.reserve(**CALL) as held:
        held.settle(usage)
    body = last(server)[1]
    assert body.get("usage") == expected
    assert body.get("estimated") is (True if expected is None else None)


def test_an_event_loop_asks_reserves_and_settles(client: Client, server: GuardServer) -> None:
    async def call() -> None:
        assert (await client.acheck(**AMOUNT)).allowed
        async with client.areserve(**CALL) as held:
            await held.asettle(output_tokens=5)
        async with client.areserve(**CALL):
            pass
        with pytest.raises(Crash):
            async with client.areserve(**CALL):
                raise Crash

    asyncio.run(call())
    ends = ["settle", "settle", "release"]
    assert server.paths() == [
        "budgets/check/",
        *(path for end in ends for path in ("reservations/", f"reservations/5f1c/{end}/")),
    ]
    assert last(server) == RELEASED
