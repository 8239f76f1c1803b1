"""Real clients over real HTTP: their calls count once, though sent twice and the server killed."""

import json
import shutil
import tempfile
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from tests.clients.expected import CALLS
from tests.clients.world import World, by_id, expected_of, running_clients, stop, told
from tests.config.running import Up, free_port, installed, until

OTLP = [name for name in CALLS if name not in ("litellm", "cloudevents")]


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    folder = Path(tempfile.mkdtemp())
    up = Up(installed(folder / "data"), free_port())
    try:
        with running_clients(up) as running:
            yield running
    finally:
        stop(up)
        shutil.rmtree(folder)


@pytest.mark.parametrize("name", CALLS)
def test_every_call_of_a_client_counts_once(world: World, name: str) -> None:
    client = world.clients[name]
    assert by_id([told(event) for event in world.events(name)]) == expected_of(name), client.said
    assert client.process is not None
    assert client.process.returncode == 0, client.said


@pytest.mark.parametrize("name", OTLP)
def test_exporters_are_told_that_nothing_was_refused(world: World, name: str) -> None:
    answers = [*world.clients[name].relay.passed, *world.answers_again[name]]
    assert {answer.status for answer in answers} == {200}
    for answer in answers:
        if answer.kind == "application/x-protobuf":
            read = ExportTraceServiceResponse.FromString(answer.answer)
            assert not read.HasField("partial_success")
        else:
            assert answer.kind == "application/json"
            assert not json.loads(answer.answer).get("partialSuccess")


@pytest.mark.parametrize("name", OTLP)
def test_spans_are_put_to_the_project_and_team_of_their_resource(world: World, name: str) -> None:
    events = world.events(name)
    assert {event["project"] for event in events} == {"billing-bot"}
    assert {event["team"] for event in events} == {"search"}


@pytest.mark.parametrize("name", ["langfuse", "litellm"])
def test_who_asked_in_which_session_is_kept(world: World, name: str) -> None:
    (event,) = [event for event in world.events(name) if event["output_tokens"]]
    assert (event["subject"], event["session_id"]) == ("ada@example.org", "talk-1")
    assert Decimal(event["reported_cost"]) == Decimal("0.0133475")


def test_sums_are_those_of_the_calls(world: World) -> None:
    for name, calls in CALLS.items():
        expected = (len(calls), sum(Decimal(call.cost) for call in calls))

        def sums(name: str = name) -> tuple[int, Decimal]:
            totals = world.ask(name, "/api/v1/usage/?from=2026-11-01&to=2026-12-01")["totals"]
            return totals["events"], Decimal(totals["cost"])

        until(lambda: sums() == expected, 20)  # noqa: B023 - asked before the next one
