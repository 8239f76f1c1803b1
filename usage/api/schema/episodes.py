"""Sessions and runs in the OpenAPI document."""

from typing import Any, Literal

from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema

from usage.api.schema.bodies import (
    Amount,
    Answer,
    Bound,
    CurrencyCode,
    Instant,
    Link,
    Money,
    Share,
    Sums,
)
from usage.api.schema.components import schema_of
from usage.api.schema.parameters import (
    CURRENCY,
    CURSOR,
    ORGANIZATION,
    PERIOD,
    limit,
    parameter,
    path_word,
    words,
)
from usage.api.schema.summaries import SUMS, WHOLE, PartSums
from usage.selectors.episode_lists import FILTERS, ORDERS


class EpisodeSums(Answer):
    """Project and subject are those of the latest call, provider and model those of the kind of
    call that most was spent on. It lasts from the first call to the last."""

    organization: str
    project: str | None
    subject: str | None
    provider: str | None
    model: str | None
    status: Literal["success", "partial", "error"]
    started_at: Instant
    ended_at: Instant
    duration_ms: int
    totals: Sums


class ListedSession(EpisodeSums):
    """A session as a whole."""

    session_id: str


class ListedRun(EpisodeSums):
    """A run as a whole."""

    run_id: str
    run_trigger: str | None


class EpisodeList(Answer, rename={"from_": "from"}):
    """A page of those whose first call lies from `from` to before `to`."""

    from_: Bound
    to: Bound
    timezone: str
    currency: CurrencyCode
    next: Link | None
    previous: Link | None


class SessionList(EpisodeList):
    """A page of sessions."""

    results: list[ListedSession]


class RunList(EpisodeList):
    """A page of runs."""

    results: list[ListedRun]


class EpisodeModel(PartSums):
    """A model of an episode and its part of the cost."""

    provider: str | None
    model: str | None


class EpisodeAverages(Answer):
    """Unpriced calls take no part in the cost per call; a single call has nothing per minute."""

    tokens_per_call: Amount | None
    cost_per_call: Amount | None
    tokens_per_minute: Amount | None
    cost_per_minute: Amount | None


class EpisodeShares(Answer):
    """Of all tokens, and of the whole cost."""

    input_tokens_percent: Share
    output_tokens_percent: Share
    input_cost_percent: Share
    output_cost_percent: Share


class EpisodeDetails(EpisodeSums):
    """What one episode shows; `events` lists its calls."""

    currency: CurrencyCode
    as_of: Instant
    unpriced_events: int
    averages: EpisodeAverages
    shares: EpisodeShares
    models: list[EpisodeModel]
    events: Link


class SessionCost(Answer):
    """A session's cost as metadata of it."""

    total: Money
    tokens: int
    model: str | None
    api_calls: int


class SessionBody(EpisodeDetails):
    """One session."""

    session_id: str
    cost: SessionCost


class RunBody(EpisodeDetails):
    """One run."""

    run_id: str
    run_trigger: str | None


_EPISODE: dict[str, Any] = {
    "organization": "acme", "project": "web", "subject": "ann", "provider": "anthropic",
    "model": "claude-sonnet-4-5", "status": "success", "started_at": "2026-11-22T07:10:00Z",
    "ended_at": "2026-11-22T07:14:00Z", "duration_ms": 240_000, "totals": SUMS,
}  # fmt: skip
_DETAILS: dict[str, Any] = {
    "currency": "USD", "as_of": "2026-11-22T08:00:03Z", "unpriced_events": 0,
    "averages": {
        "tokens_per_call": "4266.67", "cost_per_call": "0.0160000000",
        "tokens_per_minute": "3200.00", "cost_per_minute": "0.0120000000",
    },
    "shares": {
        "input_tokens_percent": 93.75, "output_tokens_percent": 6.25,
        "input_cost_percent": 75.0, "output_cost_percent": 25.0,
    },
    "models": [{"provider": "anthropic", "model": "claude-sonnet-4-5", **WHOLE}],
    "events": "https://tallyman.example/api/v1/events/?organization=acme&session=s1",
}  # fmt: skip
_COST = {
    "total": "0.0480000000", "tokens": 12_800, "model": "claude-sonnet-4-5", "api_calls": 3,
}  # fmt: skip
_LINE = "$0.05 · 12.8 k tokens · 3 calls · claude-sonnet-4-5"
_LISTING = [
    *PERIOD,
    *(
        parameter(
            name, {"type": "array", "items": {"type": "string"}},
            f"Only this {name}; may be repeated, empty = not given.",
        )
        for name in FILTERS
    ),
    words("order_by", ORDERS, ORDERS[0], "With `-` descending."),
    limit(100),
    CURSOR,
]  # fmt: skip


def _answer(body: type[Answer], example: dict[str, Any] | None = None) -> OpenApiResponse:
    examples = [OpenApiExample("Three calls", value=example)] if example else []
    return OpenApiResponse(schema_of(body), "The answer.", examples=examples)


SESSIONS = extend_schema(
    operation_id="sessions",
    summary="Sessions, newest or dearest first",
    tags=["sessions"],
    parameters=_LISTING,
    responses={(200, "application/json"): _answer(SessionList)},
)
"""Decorates the method that lists."""

RUNS = extend_schema(
    operation_id="runs",
    summary="Runs, newest or dearest first",
    tags=["runs"],
    parameters=_LISTING,
    responses={(200, "application/json"): _answer(RunList)},
)
"""Decorates the method that lists."""

SESSION = extend_schema(
    operation_id="session",
    summary="One session",
    tags=["sessions"],
    parameters=[
        path_word("session_id", "The session's id."), ORGANIZATION, CURRENCY,
        words("format", ("json", "line"), "json", "A line of text is for prompts."),
    ],
    responses={
        (200, "application/json"): _answer(
            SessionBody, {"session_id": "s1", **_EPISODE, **_DETAILS, "cost": _COST}
        ),
        (200, "text/plain"): OpenApiResponse(
            {"type": "string"}, "One line.", examples=[OpenApiExample("A line", value=_LINE)]
        ),
    },
)  # fmt: skip
"""Decorates the method that answers."""

RUN = extend_schema(
    operation_id="run",
    summary="One run",
    tags=["runs"],
    parameters=[path_word("run_id", "The run's id."), ORGANIZATION, CURRENCY],
    responses={
        (200, "application/json"): _answer(
            RunBody, {"run_id": "ci-7", "run_trigger": "push", **_EPISODE, **_DETAILS}
        )
    },
)
"""Decorates the method that answers."""
