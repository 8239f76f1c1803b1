"""`GET /summary/` and `GET /organizations/{slug}/summary/` in the OpenAPI document."""

from datetime import date
from typing import Any, Literal, TypeAlias

from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema

from usage.api.schema.bodies import Answer, CurrencyCode, Instant, Money, Share, Sums
from usage.api.schema.components import Schema, schema_of
from usage.api.schema.limits import EFFECTIVE_LIMIT, EffectiveLimit
from usage.api.schema.parameters import CURRENCY, TIMEZONE, parameter, path_word, words

PAYERS = ("", "org", "user")
Day: TypeAlias = date


class PaidSums(Sums):
    """Sums whose cost is divided by who pays the provider."""

    org_cost: Money
    user_cost: Money


class SeriesPoint(PaidSums):
    """The sums of a day, or of the week or month that begins on `date`."""

    date: Day


class CardPeriod(PaidSums, rename={"from_": "from"}):
    """The sums of a period; `to` is exclusive."""

    from_: Day
    to: Day


class Card(CardPeriod):
    """The present period beside the whole one before."""

    previous: CardPeriod


class PartSums(Sums):
    """Sums, and what part of the whole cost they are."""

    percent_of_total: Share


class TopUser(PartSums):
    """A subject; e-mail and name are empty where nobody gave them."""

    organization: str
    key: str
    email: str
    display_name: str


class TopModel(PartSums):
    """A model."""

    model: str


class ProviderPart(PartSums):
    """A provider, null where events give none."""

    provider: str | None


class OrganizationPart(PartSums):
    """An organization."""

    organization: str


class ProjectPart(PartSums):
    """A project, null for usage that names none."""

    project: str | None


class MostUsedModels(Answer):
    """The models of most calls and of most tokens."""

    by_events: list[TopModel]
    by_tokens: list[TopModel]


class Cards(Answer):
    """Today, this week and this month, and the series they end, ascending and without a gap.

    `billing_scope` is null where both are in the sums. `unpriced_events` are those of all the
    months shown.
    """

    timezone: str
    currency: CurrencyCode
    billing_scope: Literal["org", "user"] | None
    as_of: Instant
    unpriced_events: int
    today: Card
    week: Card
    month: Card
    daily_series: list[SeriesPoint]
    weekly_series: list[SeriesPoint]
    monthly_series: list[SeriesPoint]


class SummaryBody(Cards):
    """Cards, and this month's leaders, the dearest first."""

    top_users: list[TopUser]
    top_models: list[TopModel]
    most_used_models: MostUsedModels
    providers: list[ProviderPart]
    organizations: list[OrganizationPart]
    effective_limits: list[EffectiveLimit]


class OrganizationName(Answer):
    """An organization and the name it is shown by, empty where nobody gave it."""

    slug: str
    name: str


class OrganizationSummaryBody(SummaryBody):
    """The summary of one organization, and its dearest projects and people of the month."""

    organization: OrganizationName
    projects: list[ProjectPart]
    people: list[TopUser]


SUMS: dict[str, Any] = {
    "events": 3, "errors": 0, "unpriced_events": 0, "input_tokens": 12_000,
    "output_tokens": 800, "cache_read_tokens": 0, "cache_write_tokens": 0,
    "cache_write_1h_tokens": 0, "reasoning_tokens": 0, "duration_ms": 5400,
    "cost": "0.0480000000", "input_cost": "0.0360000000", "output_cost": "0.0120000000",
    "cache_cost": "0.0000000000", "total_tokens": 12_800,
}  # fmt: skip
PAID = {**SUMS, "org_cost": "0.0480000000", "user_cost": "0.0000000000"}
WHOLE = {**SUMS, "percent_of_total": 100.0}
_PERSON = {"organization": "acme", "key": "ann", "email": "", "display_name": "Ann"}
_MODEL = {"model": "claude-sonnet-4-5", **WHOLE}


def _card(first: str, end: str, before: str) -> Schema:
    previous = {"from": before, "to": first, **PAID}
    return {"from": first, "to": end, **PAID, "previous": previous}


CARDS: dict[str, Any] = {
    "timezone": "Europe/Berlin", "currency": "USD", "billing_scope": None,
    "as_of": "2026-11-22T08:00:03Z", "unpriced_events": 0,
    "today": _card("2026-11-22", "2026-11-23", "2026-11-21"),
    "week": _card("2026-11-16", "2026-11-23", "2026-11-09"),
    "month": _card("2026-11-01", "2026-12-01", "2026-10-01"),
    "daily_series": [{"date": "2026-11-22", **PAID}],
    "weekly_series": [{"date": "2026-11-16", **PAID}],
    "monthly_series": [{"date": "2026-11-01", **PAID}],
}  # fmt: skip
_SUMMARY = {
    **CARDS,
    "top_users": [{**_PERSON, **WHOLE}],
    "top_models": [_MODEL],
    "most_used_models": {"by_events": [_MODEL], "by_tokens": [_MODEL]},
    "providers": [{"provider": "anthropic", **WHOLE}],
    "organizations": [{"organization": "acme", **WHOLE}],
    "effective_limits": [EFFECTIVE_LIMIT],
}
_ORGANIZATION_SUMMARY = {
    "organization": {"slug": "acme", "name": "Acme Ltd"},
    **_SUMMARY,
    "projects": [{"project": "web", **WHOLE}],
    "people": [{**_PERSON, **WHOLE}],
}
BILLING_SCOPE = words(
    "billing_scope", PAYERS, "", "Only calls that the organization, or the user, pays for."
)
ORGANIZATIONS = parameter(
    "organization", {"type": "array", "items": {"type": "string"}},
    "Only this organization; may be repeated.",
)  # fmt: skip

SUMMARY = extend_schema(
    operation_id="summary",
    summary="Everything at a glance",
    tags=["summary"],
    parameters=[ORGANIZATIONS, BILLING_SCOPE, TIMEZONE, CURRENCY],
    responses={
        (200, "application/json"): OpenApiResponse(
            schema_of(SummaryBody),
            "The summary.",
            examples=[OpenApiExample("One day of usage", value=_SUMMARY)],
        )
    },
)
"""Decorates the method that answers."""

ORGANIZATION_SUMMARY = extend_schema(
    operation_id="organization_summary",
    summary="One organization at a glance",
    tags=["summary"],
    parameters=[
        path_word("slug", "The organization's slug."), BILLING_SCOPE, TIMEZONE, CURRENCY,
    ],
    responses={
        (200, "application/json"): OpenApiResponse(
            schema_of(OrganizationSummaryBody),
            "The summary.",
            examples=[OpenApiExample("One day of usage", value=_ORGANIZATION_SUMMARY)],
        )
    },
)  # fmt: skip
"""Decorates the method that answers."""
