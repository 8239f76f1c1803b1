import base64
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from tests.usage.conftest import event
from usage.callbacks.litellm import read_payload
from usage.ingest.pipeline import Caller
from usage.ingest.values import Rejection
from usage.keys import create_key
from usage.mapping.book import Rule, RuleBook
from usage.models import UsageEvent
from usage.organizations import ensure_organization
from usage.sightings.intake import take_in
from usage.sightings.values import Sighting

pytestmark = pytest.mark.django_db

CALL = "a5dc2c3b-fbe9-45e7-a239-afa08e8a30e2"
USAGE = {
    "prompt_tokens": 2006, "completion_tokens": 1300, "total_tokens": 3306,
    "prompt_tokens_details": {"cached_tokens": 1920, "audio_tokens": None},
    "completion_tokens_details": {"reasoning_tokens": 1024},
}  # fmt: skip


def payload(**changes: Any) -> dict[str, Any]:
    metadata = {
        "user_api_key_alias": "web", "user_api_key_team_alias": "search",
        "user_api_key_team_id": "7c1", "user_api_key_user_id": "u-7",
        "user_api_key_user_email": "ann@acme.test", "user_api_key_spend": 1.5,
        "spend_logs_metadata": {"cost_center": "eng-1", "prompt": "a secret"},
        "requester_metadata": {"feature": "review", "note": "x" * 300},
        "usage_object": USAGE, "applied_guardrails": [], "requester_ip_address": "10.0.0.1",
        **changes.pop("metadata", {}),
    }  # fmt: skip
    return {
        "id": "chatcmpl-e4ae7453-2d9d-4913-9717-edb1e13a58c8", "litellm_call_id": CALL,
        "trace_id": "sess-1", "session_id": "", "call_type": "acompletion", "cache_hit": None,
        "stream": True, "status": "success", "custom_llm_provider": "openai",
        "startTime": 1795176000.25, "endTime": 1795176002.65, "model": "openai/gpt-5",
        "response_cost": 0.013347500000000001, "prompt_tokens": 2006, "completion_tokens": 1300,
        "total_tokens": 3306, "request_tags": ["jobID:1", "prod", "User-Agent: curl"],
        "end_user": None, "api_base": "https://api.openai.com",
        "messages": [{"role": "user", "content": "a secret"}],
        "response": {"model": "gpt-5-2025-08-07", "choices": ["a secret"], "usage": USAGE},
        "model_parameters": {"stream": True}, "error_information": {"error_code": ""},
        "metadata": metadata, **changes,
    }  # fmt: skip


def failure(**changes: Any) -> dict[str, Any]:
    error = {"error_code": "500", "error_class": "InternalServerError", "error_message": "secret"}
    empty: dict[str, Any] = {"usage_object": {}}
    return payload(
        id=CALL, status="failure", response={}, response_cost=0.0, prompt_tokens=0,
        completion_tokens=0, total_tokens=0, error_information=error, metadata=empty, **changes,
    )  # fmt: skip


def post(client: APIClient, body: Any, kind: str = "application/json") -> Any:
    text = body if isinstance(body, str) else json.dumps(body)
    return client.post("/api/v1/litellm/", text, content_type=kind)


def stored() -> UsageEvent:
    return UsageEvent.objects.select_related("kind", "team", "subject", "project").get()


def test_a_call_is_stored_with_its_counts_cost_names_and_tags_and_without_its_text(
    client: APIClient,
) -> None:
    answer = post(client, [payload()])
    assert answer.json() == {
        "accepted": 1, "duplicates": 0, "conflicts": 0, "rejected": 0, "unpriced": 0,
        "results": [],
    }  # fmt: skip
    call = stored()
    assert call.event_id == "chatcmpl-e4ae7453-2d9d-4913-9717-edb1e13a58c8"
    assert call.occurred_at.isoformat() == "2026-11-20T12:00:00.250000+00:00"
    assert (call.duration_ms, call.session_id) == (2400, "sess-1")
    assert (call.kind.provider, call.kind.model) == ("openai", "gpt-5")
    assert (call.kind.response_model, call.kind.operation) == ("gpt-5-2025-08-07", "chat")
    assert (call.input_tokens, call.cache_read_tokens) == (2006, 1920)
    assert (call.output_tokens, call.reasoning_tokens) == (1300, 1024)
    assert call.cost == Decimal("0.0133475")
    assert call.reported_cost == Decimal("0.0133475")
    assert getattr(call.team, "slug", None) == "search"
    assert call.subject is not None
    assert (call.subject.key, call.subject.email) == ("ann@acme.test", "ann@acme.test")
    assert call.tags == {
        "jobID": "1", "prod": "true", "cost_center": "eng-1", "feature": "review",
        "litellm_key": "web",
    }  # fmt: skip


def test_single_payloads_and_lines_are_read_and_what_is_sent_again_counts_once(
    client: APIClient,
) -> None:
    other = payload(id="chatcmpl-0a1b2c3d4e5f")
    lines = "\n".join(map(json.dumps, (payload(), other)))
    assert post(client, payload()).json()["accepted"] == 1
    again = post(client, lines, "application/x-ndjson").json()
    assert (again["accepted"], again["duplicates"]) == (1, 1)
    assert client.post("/api/v1/litellm", [payload(), other], format="json").json()["accepted"] == 0
    assert UsageEvent.objects.count() == 2


def test_each_failed_attempt_is_one_event_without_cost_beside_the_one_that_succeeded(
    client: APIClient,
) -> None:
    cancelled = failure(startTime=1795175990.0)
    cancelled["error_information"] = {"error_code": "499"}
    sent = [failure(startTime=1795175999.0), cancelled, payload()]
    assert post(client, sent).json()["accepted"] == 3
    assert post(client, sent).json()["duplicates"] == 3
    statuses = UsageEvent.objects.order_by("occurred_at").values_list(
        "status", "input_tokens", "reported_cost"
    )
    known = UsageEvent.Status
    assert [row[:2] for row in statuses] == [
        (known.CANCELLED, 0), (known.ERROR, 0), (known.SUCCESS, 2006),
    ]  # fmt: skip
    assert [row[2] for row in statuses[:2]] == [None, None]


def test_a_cache_hit_keeps_its_tokens_and_costs_nothing(client: APIClient) -> None:
    hit = payload(id="chatcmpl-e4ae7453-2d9d_cache_hit1795176003.1", cache_hit=True)
    post(client, [payload(), hit])
    cached = UsageEvent.objects.get(event_id__contains="cache_hit")
    assert (cached.input_tokens, cached.cost, cached.reported_cost) == (2006, Decimal(0), None)
    assert (cached.tags or {})["cache_hit"] == "true"


def test_anthropics_counts_are_inclusive_as_litellm_puts_them(client: APIClient) -> None:
    usage = {
        "prompt_tokens": 2406, "completion_tokens": 393, "total_tokens": 2799,
        "cache_read_input_tokens": 1800, "cache_creation_input_tokens": 556,
        "prompt_tokens_details": {
            "cached_tokens": 1800, "cache_creation_tokens": 556,
            "cache_creation_token_details": {
                "ephemeral_5m_input_tokens": 456, "ephemeral_1h_input_tokens": 100}},
        "server_tool_use": {"web_search_requests": 2},
    }  # fmt: skip
    sent = payload(
        custom_llm_provider="anthropic", model="claude-opus-4-8", api_base="",
        metadata={"usage_object": usage}, response={"text": "redacted-by-litellm"},
    )  # fmt: skip
    assert post(client, sent).json()["unpriced"] == 0
    call = stored()
    assert (call.input_tokens, call.cache_read_tokens) == (2406, 1800)
    assert (call.cache_write_tokens, call.cache_write_1h_tokens) == (556, 100)
    assert call.cost == Decimal("0.014825") + Decimal("0.02")  # two searches at 0.01
    assert call.meters == {"web_searches": 2}


@pytest.mark.parametrize(
    ("changes", "provider", "model", "operation"),
    [
        ({"custom_llm_provider": "bedrock", "model": "bedrock/us.anthropic.claude-sonnet-4-5"},
         "aws", "us.anthropic.claude-sonnet-4-5", "chat"),
        ({"custom_llm_provider": "groq", "model": "openai/gpt-oss-120b"},
         "groq", "openai/gpt-oss-120b", "chat"),
        ({"model": "text-embedding-3-small", "call_type": "aembedding"},
         "openai", "text-embedding-3-small", "embeddings"),
        ({"custom_llm_provider": "openrouter", "model": "openrouter/anthropic/claude-opus-4.8",
          "call_type": "_arealtime"}, "openrouter", "anthropic/claude-opus-4.8", "arealtime"),
    ],
)  # fmt: skip
def test_providers_models_and_kinds_of_calls_are_named_as_elsewhere(
    client: APIClient, changes: dict[str, Any], provider: str, model: str, operation: str
) -> None:
    post(client, payload(api_base="", response={"usage": USAGE}, **changes))
    kind = stored().kind
    assert (kind.provider, kind.model, kind.operation) == (provider, model, operation)


def test_a_call_that_telemetry_told_by_the_same_response_id_counts_once(
    client: APIClient, caller: Caller
) -> None:
    wrapped = "litellm:custom_llm_provider:openai;model_id:m1;response_id:resp_68af1c9d2"
    told = event("resp_68af1c9d2", model="gpt-5", provider="openai", input_tokens=2006,
                 output_tokens=1300, subject=None)  # fmt: skip
    take_in([Sighting(told)], caller)
    sent = payload(id="resp_" + base64.b64encode(wrapped.encode()).decode())
    assert post(client, sent).json()["accepted"] == 1
    counted = UsageEvent.objects.filter(state=UsageEvent.State.COUNTED)
    assert sum(call.cache_read_tokens for call in counted) == 1920
    assert sum(call.input_tokens for call in counted) == 2006
    assert post(client, sent).json()["duplicates"] == 1


def test_trace_ids_that_litellm_draws_for_each_request_are_no_sessions(client: APIClient) -> None:
    post(client, payload(trace_id="9f02de85-8ece-4816-bc4a-b76b568788bf"))
    assert stored().session_id is None


def test_an_unnamed_provider_is_that_of_the_key(catalogue: None) -> None:
    _, secret = create_key("acme", ["ingest"], "gateway", provider="groq")
    client = APIClient(headers={"Authorization": f"Bearer {secret}"})
    post(client, payload(custom_llm_provider=None, api_base="", model="gpt-oss-120b"))
    assert stored().kind.provider == "groq"


def test_a_site_key_stores_where_the_organizations_alias_says(
    client_for: Callable[..., APIClient],
) -> None:
    ensure_organization("globex")
    site = client_for(None, "ingest")
    sent = [payload(metadata={"user_api_key_org_alias": "globex"}), payload(id="chatcmpl-00a1b2c3")]
    answer = post(site, sent).json()
    assert (answer["accepted"], answer["rejected"]) == (1, 1)
    assert answer["results"][0]["errors"][0]["field"] == "organization"
    assert stored().organization.slug == "globex"


@pytest.mark.parametrize(
    "changes",
    [
        {"startTime": None}, {"startTime": "soon"}, {"startTime": 1e300},
        {"model": None, "response": 7}, {"metadata": {"usage_object": {"prompt_tokens": -1}}},
        {"metadata": {"usage_object": {**USAGE, "prompt_tokens": "many"}}},
        {"metadata": {"usage_object": {"prompt_tokens": 1,
                      "prompt_tokens_details": {"cached_tokens": 9}}}},
    ],
)  # fmt: skip
def test_what_cannot_be_counted_is_refused_and_harms_no_other(
    client: APIClient, changes: dict[str, Any]
) -> None:
    bad = payload(id="chatcmpl-bad0bad0bad1", **changes)
    answer = post(client, [bad, "no object", payload()])
    assert answer.status_code == 200
    assert [row["index"] for row in answer.json()["results"]] == [0, 1]
    assert post(client, [bad]).status_code == 422
    assert stored().input_tokens == 2006


@pytest.mark.parametrize(
    "oddity",
    [
        {"metadata": 7}, {"response": [1]}, {"request_tags": {"a": 1}}, {"end_user": {"a": 1}},
        {"model_parameters": "x"}, {"error_information": None}, {"response_cost": "free"},
        {"endTime": -1}, {"litellm_call_id": 7}, {"session_id": ["x"]}, {"api_base": 1},
        {"messages": None, "unheard_of": {"a": [1]}}, {"call_type": "x" * 500},
    ],
)  # fmt: skip
def test_odd_parts_are_left_out(client: APIClient, oddity: dict[str, Any]) -> None:
    answer = post(client, {**payload(), **oddity})
    assert answer.status_code == 200
    assert stored().output_tokens == 1300


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=5,
)
PARTS = [*payload(), "usage_object", "spend_logs_metadata", "prompt_tokens_details"]


@given(st.dictionaries(st.sampled_from(PARTS), JSON))
@settings(max_examples=40, deadline=None)
def test_no_shape_of_any_part_breaks_the_reading(parts: dict[str, Any]) -> None:
    usage = {**USAGE, "prompt_tokens_details": parts.pop("prompt_tokens_details", None)}
    metadata = {"usage_object": usage, **{n: parts.pop(n) for n in PARTS[-3:] if n in parts}}
    raw = json.dumps({**payload(metadata=metadata), **parts}).encode()
    found = read_payload(raw, RuleBook([Rule("*", "project")], {}), None)
    assert isinstance(found, Sighting | Rejection)


@pytest.mark.parametrize("number", ["1e400", "1" * 5000])
def test_a_number_that_none_could_hold_is_left_out_of_what_rules_see(
    client: APIClient, number: str
) -> None:
    body = json.dumps(payload(metadata={"user_api_key_alias": "HUGE"})).replace('"HUGE"', number)
    answer = post(client, body)
    assert (answer.status_code, answer.json()["accepted"]) == (200, 1)


def test_bodies_that_are_no_json_and_keys_that_may_not_write_are_refused(
    client: APIClient, client_for: Callable[..., APIClient]
) -> None:
    assert post(client, "[{").status_code == 400
    assert post(client, "nonsense").status_code == 400
    assert post(client, "").status_code == 400
    assert post(client_for("acme", "read"), [payload()]).status_code == 403
    assert post(APIClient(), [payload()]).status_code == 401
    assert post(client, []).json()["accepted"] == 0
