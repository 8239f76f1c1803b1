"""`POST /litellm/` in the OpenAPI document."""

from typing import Any

from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiRequest,
    OpenApiResponse,
    extend_schema,
)
from msgspec import Struct, field

from usage.api.schema.components import one_of, schema_of
from usage.api.schema.events import Refusal
from usage.api.schema.inspection import PROBLEM_TYPE, problem_answer
from usage.ingest.values import Report


class LiteLLMPayload(Struct):
    """A `StandardLoggingPayload`, by the members that are read; all others are left alone. Times
    are seconds since 1970, the cost is in USD."""

    id: str
    model: str
    start_time: float = field(name="startTime")
    end_time: float | None = field(default=None, name="endTime")
    status: str = "success"
    litellm_call_id: str | None = None
    trace_id: str | None = None
    session_id: str | None = None
    call_type: str = ""
    cache_hit: bool | None = None
    custom_llm_provider: str | None = None
    api_base: str | None = None
    response_cost: float | None = None
    prompt_tokens: int = 0
    completion_tokens: int = 0
    total_tokens: int = 0
    request_tags: list[str] = field(default_factory=list)
    end_user: str | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    response: Any = None
    error_information: dict[str, Any] | None = None
    model_parameters: dict[str, Any] = field(default_factory=dict)


_PAYLOAD = {
    "id": "chatcmpl-8f2b6c1e", "litellm_call_id": "a5dc2c3b-fbe9-45e7-a239-afa08e8a30e2",
    "call_type": "acompletion", "status": "success", "custom_llm_provider": "openai",
    "model": "gpt-5", "startTime": 1795176000.0, "endTime": 1795176002.4, "cache_hit": False,
    "response_cost": 0.0133475, "end_user": "ann", "request_tags": ["feature:review"],
    "metadata": {"user_api_key_team_alias": "search"},
    "response": {"model": "gpt-5-2025-08-07", "usage": {
        "prompt_tokens": 2006, "completion_tokens": 1300, "total_tokens": 3306,
        "prompt_tokens_details": {"cached_tokens": 1920},
        "completion_tokens_details": {"reasoning_tokens": 1024}}},
}  # fmt: skip
_RECEIPTS = {
    "accepted": 1, "duplicates": 0, "conflicts": 0, "rejected": 0, "unpriced": 0, "results": [],
}  # fmt: skip

POST_LITELLM = extend_schema(
    operation_id="litellm_store",
    summary="Store calls that LiteLLM logged",
    description=(
        "Takes what LiteLLM's generic API callback posts: standard logging payloads in an array, "
        "one a line, or a single one; up to 10,000 and 16 MiB, also with gzip. A call counts "
        "once, also when telemetry tells of it by the same response id. Messages and answers are "
        "not read. LiteLLM's own cost is kept as the reported cost; a call its cache answered "
        "costs nothing. Teams, people, sessions and tags follow the attribute rules. "
        "`accepted` counts new calls and known ones that this made fuller; `results` holds only "
        "what was rejected."
    ),
    tags=["events"],
    request={
        "application/json": OpenApiRequest(
            one_of(LiteLLMPayload, list[LiteLLMPayload]),
            examples=[OpenApiExample("A call", value=_PAYLOAD)],
        ),
        "application/x-ndjson": {"type": "string", "description": "One payload a line."},
    },
    responses={
        (200, "application/json"): OpenApiResponse(
            schema_of(Report),
            "What became of the calls.",
            examples=[OpenApiExample("A new call", value=_RECEIPTS)],
        ),
        (422, PROBLEM_TYPE): problem_answer(
            422, "Every payload was rejected; nothing is stored.", schema_of(Refusal)
        ),
    },
)
"""Decorates the method that stores."""
