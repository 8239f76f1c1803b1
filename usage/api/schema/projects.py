"""`GET /projects/` and what is about one project in the OpenAPI document."""

from typing import Annotated, Any, Literal

from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from msgspec import Meta

from usage.api.schema.bodies import Answer, CurrencyCode, Instant, Link, Money, Share, Sums
from usage.api.schema.components import Schema, schema_of
from usage.api.schema.event_reads import StoredEvent
from usage.api.schema.limits import EFFECTIVE_LIMIT, EffectiveLimit
from usage.api.schema.parameters import (
    CURRENCY,
    CURSOR,
    ORGANIZATION,
    TIMEZONE,
    limit,
    parameter,
    path_word,
    words,
)
from usage.api.schema.summaries import (
    BILLING_SCOPE,
    ORGANIZATIONS,
    PAID,
    SUMS,
    WHOLE,
    Day,
    PartSums,
    SeriesPoint,
)

_PATTERN = r"^\d{4}-(0[1-9]|1[0-2])$"
MonthName = Annotated[str, Meta(pattern=_PATTERN, examples=["2026-11"])]


class ListedProject(PartSums):
    """A project with its usage of the month, and the latest day it was ever used on."""

    project: str
    organization: str
    name: str
    archived_at: Instant | None
    last_used: Day | None


class ProjectList(Answer):
    """A page of projects; `unpriced_events` are those of all usage of the month."""

    month: MonthName
    timezone: str
    currency: CurrencyCode
    as_of: Instant
    unpriced_events: int
    results: list[ListedProject]
    next: Link | None
    previous: Link | None


class OneProject(Answer):
    """Which project an answer is about."""

    project: str
    organization: str
    name: str
    archived_at: Instant | None


class AgentPart(PartSums):
    """A kind of agent, null where events give none; the rate is in percent of its events."""

    agent_type: str | None
    success_rate: Share


class TopRun(Answer):
    """A run with what it did within the month; it may have started before."""

    run_id: str
    status: Literal["success", "partial", "error"]
    run_trigger: str | None
    started_at: Instant
    ended_at: Instant
    events: int
    errors: int
    unpriced_events: int
    total_tokens: int
    cost: Money
    percent_of_total: Share


class ProjectSummaryBody(OneProject):
    """A month of one project; agents and runs come dearest first."""

    month: MonthName
    timezone: str
    currency: CurrencyCode
    as_of: Instant
    unpriced_events: int
    totals: Sums
    agent_breakdown: list[AgentPart]
    top_runs: Annotated[list[TopRun], Meta(max_length=5)]
    daily_series: list[SeriesPoint]
    budget: EffectiveLimit | None


class TrendMonth(Sums):
    """The sums of a calendar month."""

    month: MonthName


class ProjectTrendBody(OneProject):
    """Six months, oldest first."""

    timezone: str
    currency: CurrencyCode
    as_of: Instant
    unpriced_events: int
    results: Annotated[list[TrendMonth], Meta(min_length=6, max_length=6)]


class ProjectRecentBody(OneProject):
    """The latest calls, newest first."""

    results: Annotated[list[StoredEvent], Meta(max_length=50)]


_PROJECT = {"project": "web", "organization": "acme", "name": "", "archived_at": None}
_ABOUT: dict[str, Any] = {
    "timezone": "Europe/Berlin", "currency": "USD", "as_of": "2026-11-22T08:00:03Z",
    "unpriced_events": 0,
}  # fmt: skip
_LIST = {
    "month": "2026-11", **_ABOUT,
    "results": [{**_PROJECT, "last_used": "2026-11-22", **WHOLE}],
    "next": None, "previous": None,
}  # fmt: skip
_SUMMARY = {
    **_PROJECT, "month": "2026-11", **_ABOUT, "totals": SUMS,
    "agent_breakdown": [{"agent_type": "research", **WHOLE, "success_rate": 100.0}],
    "top_runs": [
        {
            "run_id": "ci-4711", "status": "success", "run_trigger": "push",
            "started_at": "2026-11-22T07:10:00Z", "ended_at": "2026-11-22T07:14:00Z",
            "events": 3, "errors": 0, "unpriced_events": 0, "total_tokens": 12_800,
            "cost": "0.0480000000", "percent_of_total": 100.0,
        }
    ],
    "daily_series": [{"date": "2026-11-22", **PAID}],
    "budget": EFFECTIVE_LIMIT,
}  # fmt: skip
_SLUG = path_word("slug", "The project's slug.")
_MONTH = parameter(
    "month", {"type": "string", "pattern": _PATTERN}, "By default the present one.",
    example="2026-11",
)  # fmt: skip
_ABOUT_ONE = [_SLUG, ORGANIZATION, BILLING_SCOPE, TIMEZONE, CURRENCY, _MONTH]


def _answer(body: type[Answer], example: Schema | None = None) -> Any:
    examples = [OpenApiExample("One day of usage", value=example)] if example else []
    answer = OpenApiResponse(schema_of(body), "The answer.", examples=examples)
    return {(200, "application/json"): answer}


PROJECTS = extend_schema(
    operation_id="projects",
    summary="All projects with their usage of a month",
    tags=["projects"],
    parameters=[
        ORGANIZATIONS, BILLING_SCOPE, _MONTH, TIMEZONE, CURRENCY,
        words("archived", ("", "0", "1"), "", "With 1 archived projects are listed as well."),
        limit(100), CURSOR,
    ],
    responses=_answer(ProjectList, _LIST),
)  # fmt: skip
"""Decorates the method that lists."""

PROJECT_SUMMARY = extend_schema(
    operation_id="project_summary",
    summary="A month of one project",
    tags=["projects"],
    parameters=[
        *_ABOUT_ONE,
        words("days", ("7", "14", "30", "90"), "30", "How many days the daily series has."),
    ],
    responses=_answer(ProjectSummaryBody, _SUMMARY),
)
"""Decorates the method that answers."""

PROJECT_TREND = extend_schema(
    operation_id="project_trend",
    summary="Six months of one project",
    tags=["projects"],
    parameters=_ABOUT_ONE,
    responses=_answer(ProjectTrendBody),
)
"""Decorates the method that answers."""

PROJECT_RECENT = extend_schema(
    operation_id="project_recent",
    summary="The latest calls of one project",
    tags=["projects"],
    parameters=[_SLUG, ORGANIZATION],
    responses=_answer(ProjectRecentBody),
)
"""Decorates the method that answers."""
