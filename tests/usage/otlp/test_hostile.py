import time
from itertools import permutations
from typing import Any

import pytest
from rest_framework.test import APIClient

from tests.usage.conftest import event
from tests.usage.otlp import wire
from tests.usage.otlp.telling import SHIPPED_RULES, chat, span
from usage.ingest.pipeline import Caller
from usage.models import UsageEvent
from usage.otlp.spans import read_spans
from usage.sightings import intake
from usage.sightings.intake import take_in
from usage.sightings.naming import Name, register_names
from usage.sightings.values import Sighting
from usage.verification import verify

pytestmark = pytest.mark.django_db


def post(client: APIClient, path: str, body: dict[str, Any]) -> Any:
    return client.post(path, wire.as_json(body), content_type=wire.JSON)


def counted() -> list[UsageEvent]:
    found = UsageEvent.objects.filter(state=UsageEvent.State.COUNTED)
    return list(found.select_related("kind", "team").order_by("id"))


def claude(request: str, minute: int = 0, **more: Any) -> dict[str, Any]:
    told = {
        "session.id": "s-9", "model": "claude-opus-4-8", "input_tokens": 50, "output_tokens": 9,
        "request_id": request, **more,
    }  # fmt: skip
    at = str(wire.NOW_NS + minute * 60 * 10**9)
    return wire.log(
        "api_request", told, timeUnixNano=at, body={"stringValue": "claude_code.api_request"}
    )


def minutes_of(*minutes: int, **resource: Any) -> dict[str, Any]:
    points = [
        {
            "attributes": wire.attributes(
                {"session.id": "s-9", "model": "claude-opus-4-8", "type": kind}
            ),
            "timeUnixNano": str(wire.NOW_NS + minute * 60 * 10**9),
            "asInt": value,
        }
        for minute in minutes
        for kind, value in (("input", 50), ("output", 9))
    ]
    metric = {
        "name": "claude_code.token.usage",
        "sum": {"aggregationTemporality": 1, "dataPoints": points},
    }
    told = {"attributes": wire.attributes(resource)}
    return {"resourceMetrics": [{"resource": told, "scopeMetrics": [{"metrics": [metric]}]}]}


def test_metrics_never_add_to_logs_whatever_tags_the_sender_sets(client: APIClient) -> None:
    client_tag = {"client": "acme-corp"}
    post(client, "/otlp/v1/metrics", minutes_of(1, 2, **client_tag))
    assert sum(e.input_tokens for e in counted()) == 100
    post(
        client,
        "/otlp/v1/logs",
        wire.logs(claude("req_011CabcdE5"), claude("req_011CabcdE6"), **client_tag),
    )
    post(client, "/otlp/v1/metrics", minutes_of(3, **client_tag))
    assert [e.event_id for e in counted()] == ["req_011CabcdE5", "req_011CabcdE6"]
    assert not verify().drifts


def test_a_call_named_like_a_mark_of_sessions_breaks_nothing(
    client: APIClient, caller: Caller
) -> None:
    post(client, "/otlp/v1/metrics", minutes_of(1))
    [sum_] = counted()
    take_in([Sighting(event("other"), (sum_.occurred_at.isoformat(),))], caller)
    answer = post(client, "/otlp/v1/logs", wire.logs(claude("req_011CabcdE5")))
    assert answer.status_code == 200
    assert sorted(e.event_id for e in counted()) == ["other", "req_011CabcdE5"]


def test_numbers_beyond_all_bounds_are_told_and_stop_nothing(client: APIClient) -> None:
    big = "1e99999999"
    spans = [
        wire.chat(1, **{"langfuse.observation.cost_details": f'{{"a": {big}, "b": 1}}'}),
        wire.chat(2, **{"gen_ai.usage.cost": big}),
        wire.chat(3, **{"langfuse.observation.usage_details": f'{{"input": {big}}}'}),
    ]
    assert post(client, "/otlp/v1/traces", wire.spans(*spans)).status_code == 200
    logs = wire.logs(claude("req_011CabcdE5", cost_usd_micros=big), claude("req_011CabcdE7"))
    assert post(client, "/otlp/v1/logs", logs).status_code == 200
    for usage in (
        f'"prompt_tokens":{big},"completion_tokens_details":{{"reasoning_tokens":1}}',
        '"prompt_tokens":1e99999999999999999999',
    ):
        body = (
            '{"id":"chatcmpl-Zx81uq902","model":"gpt-5","startTime":1795176000,"response_cost":1e-99999999999999999999,"metadata":'
            f'{{"usage_object":{{{usage},"completion_tokens":1,"total_tokens":2}}}}}}'
        )
        assert client.post(
            "/api/v1/litellm/", body.encode(), content_type=wire.JSON
        ).status_code in (200, 422)
    assert {e.event_id for e in counted()} >= {
        "chatcmpl-9c4Bq001",
        "chatcmpl-9c4Bq002",
        "req_011CabcdE7",
    }


def test_deep_and_long_traces_take_time_that_grows_with_their_size_alone() -> None:
    plain = {"http.method": "GET"}
    path = [span(n, n + 1, attributes=plain) for n in range(1, 3000)]
    leaves = [span(100_000 + n, 1) for n in range(2000)]
    nested = [span(n, n - 1) for n in range(1, 2000)]
    many = {f"x{n}": "v" for n in range(30_000)}
    ring = [span(n, n % 500 + 1) for n in range(1, 501)]
    began = time.perf_counter()
    for spans in (
        [*path, *leaves],
        nested,
        ring,
        [span(1, attributes={**chat(), **many})],
        [span(n, resource=many) for n in (1, 2)],
    ):
        assert any(isinstance(each, Sighting) for each in read_spans(spans, SHIPPED_RULES, "acme"))
    assert time.perf_counter() - began < 5


def test_the_call_inside_counts_though_the_one_around_it_was_stored_at_the_same_moment(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(organization_id: int, leading: dict[Name, str], *until: Any) -> None:
        register_names(organization_id, leading, *until)
        monkeypatch.setattr(intake, "register_names", register_names)
        take_in([Sighting(event("inner"), span="t-in", inside="t-out")], caller)

    monkeypatch.setattr(intake, "register_names", interrupted)
    take_in([Sighting(event("chatcmpl-9aZq71bd"), span="t-out")], caller)
    assert [e.event_id for e in counted()] == ["inner"]


def test_of_sources_that_count_alike_the_one_nearest_the_provider_tells_model_and_tier(
    caller: Caller,
) -> None:
    alias = {"model": "our-alias", "provider": "openai", "duration_ms": 2100}
    near = {"model": "claude-haiku-4-5", "duration_ms": 2000}
    batch = {"model": "claude-haiku-4-5", "duration_ms": 2200, "service_tier": "batch"}
    orders = [(alias, near), (near, alias), (alias, batch), (batch, alias), (near, batch, alias)]
    for number, order in enumerate(orders):
        for told in order:
            take_in([Sighting(event(f"r-{number}", **told))], caller)
    assert [(e.kind.model, e.kind.service_tier) for e in counted()] == [
        ("claude-haiku-4-5", "batch" if batch in order else "standard") for order in orders
    ]
    assert not verify().drifts


def test_spans_and_logs_of_a_call_count_it_once_in_whatever_order_and_with_whatever_ids(
    caller: Caller,
) -> None:
    number = 0
    for named in ((0, 0, 1), (0, 1, 0), (1, 0, 0), (1, 1, 0)):
        for order in permutations(range(3)):
            number += 1
            outer, inner = f"t{number}-1", f"t{number}-2"
            places: list[dict[str, Any]] = [
                {"span": outer},
                {"span": inner, "inside": outer},
                {"inside": inner},
            ]
            for which in (*order, order[0]):
                own = places[which].get("span") or f"log-{number}"
                name = f"id-{number}" if named[which] else own
                take_in([Sighting(event(name), **places[which])], caller)
    assert len(counted()) == number
    assert not verify().drifts
