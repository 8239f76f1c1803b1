import ast
import sys
import time
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from budgets.static.tallyman import tallyman
from budgets.static.tallyman.tallyman import Blocked, Client, Refused, Unavailable
from tests.budgets.guard.guard_server import (
    ALLOWED,
    BLOCKED,
    CALL,
    DROPPED,
    NOWHERE,
    RESERVED,
    Answer,
    GuardServer,
)


def test_a_call_is_held_then_settled_with_what_it_used(client: Client, server: GuardServer) -> None:
    with client.reserve(**CALL, ttl=60, key="review-42", on_expiry="settle") as held:
        assert (held.status, held.id, held.amount) == ("held", "5f1c", Decimal("0.096"))
        assert held.expires_at == datetime(2026, 11, 22, 10, 5, 0, 250_000, UTC)
        cost = held.settle({"input_tokens": 9, "output_tokens": 2}, duration_ms=80, run_id=None)

    assert (cost, held.cost, held.status) == (Decimal("0.0123"), Decimal("0.0123"), "settled")
    asked = {name: value for name, value in CALL.items() if value is not None}
    assert server.asked == [
        ("/api/v1/reservations/",
         {**asked, "reservation_key": "review-42", "ttl_seconds": 60, "on_expiry": "settle"}),
        ("/api/v1/reservations/5f1c/settle/",
         {"duration_ms": 80, "usage": {"input_tokens": 9, "output_tokens": 2}}),
    ]  # fmt: skip
    assert {sent["Authorization"] for sent in server.headers} == {"Bearer tm_key"}


def test_a_check_tells_every_budget_in_decimals_and_aware_times(
    client: Client, server: GuardServer
) -> None:
    server.script = [Answer(200, {**BLOCKED, "decision": "warn"})]

    decision = client.check(project="web", amount=Decimal("0.25"))

    assert (decision.allowed, decision.decision, decision.answered) == (True, "warn", True)
    assert (decision.binding, decision.message) == (7, BLOCKED["message"])
    assert (decision.estimated_cost, decision.retry_at) == (
        Decimal("0.096"),
        datetime(2026, 11, 23, tzinfo=UTC),
    )
    (budget,) = decision.budgets
    assert (budget["remaining"], budget["percent"]) == (Decimal("0.004"), Decimal("99.9"))
    assert (budget["name"], budget["end"]) == ("web a day", datetime(2026, 11, 23, tzinfo=UTC))
    assert server.asked == [("/api/v1/budgets/check/", {"project": "web", "amount": "0.25"})]


def test_a_blocked_call_does_not_run_and_says_why(client: Client, server: GuardServer) -> None:
    server.script = [Answer(402, BLOCKED)]

    with pytest.raises(Blocked) as caught, client.reserve(**CALL):
        pytest.fail("ran")

    assert str(caught.value) == caught.value.message == BLOCKED["message"]
    assert caught.value.response["title"] == "Payment Required"
    assert caught.value.retry_at == datetime(2026, 11, 23, tzinfo=UTC)
    assert (caught.value.decision.allowed, caught.value.decision.binding) == (False, 7)
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "failure",
    [DROPPED, Answer(200, ALLOWED, delay=0.5), Answer(429, {}, {"Retry-After": "0"}),
     Answer(502, b"<html>"), Answer(503, {}), Answer(504, {})],
    ids=["dropped", "too slow", "429", "502", "503", "504"],
)  # fmt: skip
def test_what_fails_for_a_moment_is_asked_again_in_the_same_words(
    client: Client, server: GuardServer, failure: Answer
) -> None:
    server.script = [failure, failure]
    held = client.reserve(**CALL)
    server.script = [failure]
    held.settle(output_tokens=3)

    assert (held.status, held.decision.answered, len(server.asked)) == ("settled", True, 5)
    holds, ends = server.asked[:3], server.asked[3:]
    assert holds[0] == holds[1] == holds[2]
    assert len(holds[0][1]["reservation_key"]) == 32
    assert ends[0] == ends[1]
    assert client.reserve(**CALL).key != held.key


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 409, 422])
@pytest.mark.parametrize("fail", ["open", "closed"])
def test_what_the_server_refuses_is_told_at_once_in_either_mode(
    client: Client, server: GuardServer, status: int, fail: Any
) -> None:
    client.configure(url=server.url, key="tm_key", fail=fail)
    fault = {"field": "projekt", "code": "unknown", "message": "No such field."}
    server.script = [Answer(status, {"detail": "Not valid.", "errors": [fault]})] * 2

    with pytest.raises(Refused, match=r"^Not valid\. projekt: No such field\.$"):
        client.reserve(projekt="web")
    with pytest.raises(Refused):
        client.check(projekt="web")
    assert len(server.asked) == 2


@pytest.mark.parametrize(
    ("answer", "told"),
    [(Answer(429, {}, {"Retry-After": "60"}), "HTTP 429"), (Answer(500, b"oops"), "HTTP 500"),
     (Answer(200, b"<html>log in</html>"), "HTTP 200 without reason")],
)  # fmt: skip
def test_what_a_second_try_will_not_mend_is_decided_by_the_fail_mode_at_once(
    client: Client, server: GuardServer, answer: Answer, told: str
) -> None:
    server.script = [answer]
    began = time.monotonic()

    decision = client.check(**CALL)

    assert (decision.allowed, decision.answered, len(server.asked)) == (True, False, 1)
    assert told in decision.message
    assert time.monotonic() - began < 1


def test_without_a_server_the_fail_mode_decides(
    client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("TALLYMAN_URL", NOWHERE)
    monkeypatch.setenv("TALLYMAN_KEY", "tm_key\n")
    client.configure(retries=0)
    with client.reserve(**CALL) as held:
        assert (held.status, held.id, held.decision.allowed) == ("unanswered", None, True)
        held.release()
    assert not held.decision.answered
    assert "The call runs unasked." in caplog.text

    for mode in ("closed", "clsoed"):
        monkeypatch.setenv("TALLYMAN_FAIL", mode)
        refusal = client.check(**CALL)
        assert (refusal.allowed, refusal.answered) == (False, False)
        assert "ConnectionRefusedError" in refusal.message
        with pytest.raises(Unavailable), client.reserve(**CALL):
            pytest.fail("ran")


def test_a_missing_address_or_key_is_an_error_and_not_a_failure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("TALLYMAN_URL", raising=False)
    for settings in ({"key": "tm_key"}, {"url": "tallyman:8000", "key": "k"}, {"url": NOWHERE}):
        with pytest.raises(ValueError, match="TALLYMAN_URL"):
            Client(**settings).check(amount=1)


def test_the_functions_of_the_module_use_one_client_set_up_from_the_environment(
    server: GuardServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TALLYMAN_URL", f"{server.url}/")
    monkeypatch.setenv("TALLYMAN_KEY", "tm_site")
    monkeypatch.setenv("TALLYMAN_ORGANIZATION", "acme")
    tallyman.configure()

    assert tallyman.check(amount="0.25").allowed
    with tallyman.reserve(amount=1, organization="globex") as held:
        held.release()

    assert server.asked[0] == ("/api/v1/budgets/check/", {"organization": "acme", "amount": "0.25"})
    assert server.asked[1][1]["organization"] == "globex"
    assert server.paths()[2] == "reservations/5f1c/release/"
    assert tallyman.flush() == len(tallyman.client.unsent) == 0


def test_asking_again_by_the_same_key_finds_what_is_held(
    client: Client, server: GuardServer
) -> None:
    server.script = [
        Answer(200, {**RESERVED, "decision": None}),
        Answer(409, {"detail": "Another call has this key."}),
        Answer(200, {**ALLOWED, **RESERVED, "status": "settled"}),
    ]
    held = client.reserve(**CALL, key="job-1")
    assert (held.status, held.decision.decision) == ("held", "allow")
    with pytest.raises(Refused, match="Another call has this key"):
        client.reserve(amount=9, key="job-1")
    with pytest.raises(Refused, match="job-1 is settled already"):
        client.reserve(**CALL, key="job-1")


def test_the_file_runs_alone_on_python_3_9() -> None:
    source = Path(tallyman.__file__).read_text()
    tree = ast.parse(source, feature_version=(3, 9))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    names = {
        name.split(".")[0]
        for node in imports
        for name in ([node.module or "."] if isinstance(node, ast.ImportFrom) else
                     [alias.name for alias in node.names])
    }  # fmt: skip
    assert names <= sys.stdlib_module_names
    assert {"http", "json", "decimal"} <= names
