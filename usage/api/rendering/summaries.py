"""Summaries and their cards as JSON values."""

from typing import Any

from usage.api.rendering.figures import group_as_json, money_text, part_as_json
from usage.models import Organization
from usage.selectors.cards import Point, Series
from usage.selectors.currency import ledger_currency
from usage.selectors.frames import Frame
from usage.selectors.people import Spender
from usage.selectors.questions import UsageAnswer, UsageSums
from usage.selectors.summaries import BILLING_SCOPE, Breakdown, Cards, Summary
from usage.selectors.usage import sums_as_json


def frame_as_json(frame: Frame, cards: Cards) -> dict[str, Any]:
    """What an answer is about. Its unpriced events are those of all the months shown."""
    return {
        "timezone": frame.time_zone,
        "currency": frame.currency or ledger_currency(),
        "billing_scope": next(iter(frame.filters.get(BILLING_SCOPE, ())), None),
        "as_of": cards.as_of,
        "unpriced_events": cards.monthly.unpriced_events,
    }


def cards_as_json(cards: Cards) -> dict[str, Any]:
    """Today, the week and the month, and the series they end."""
    return {
        "today": _card(cards.daily),
        "week": _card(cards.weekly),
        "month": _card(cards.monthly),
        "daily_series": series_as_json(cards.daily),
        "weekly_series": series_as_json(cards.weekly),
        "monthly_series": series_as_json(cards.monthly),
    }


def summary_as_json(summary: Summary) -> dict[str, Any]:
    """Cards and leaders of the month."""
    paid = summary.models.totals
    return {
        **cards_as_json(summary.cards),
        "top_users": _people(summary.users, paid),
        "top_models": _groups(summary.models),
        "most_used_models": {
            "by_events": _groups(summary.models_by_events),
            "by_tokens": _groups(summary.models_by_tokens),
        },
        "providers": _groups(summary.providers),
        "organizations": _groups(summary.organizations),
    }


def breakdown_as_json(breakdown: Breakdown) -> dict[str, Any]:
    """The month's projects and people of one organization."""
    return {
        "projects": _groups(breakdown.projects),
        "people": _people(breakdown.people, breakdown.projects.totals),
    }


def organization_as_json(organization: Organization) -> dict[str, Any]:
    """Who an organization is."""
    return {"slug": organization.slug, "name": organization.name}


def series_as_json(series: Series) -> list[dict[str, Any]]:
    """Periods by their first days, ascending."""
    return [{"date": point.start, **_point(point)} for point in series.points]


def _card(series: Series) -> dict[str, Any]:
    now, before = series.present, series.previous
    previous = {"from": before.start, "to": before.end, **_point(before)}
    return {"from": now.start, "to": now.end, **_point(now), "previous": previous}


def _point(point: Point) -> dict[str, Any]:
    return {
        **sums_as_json(point.sums),
        "org_cost": money_text(point.org_cost),
        "user_cost": money_text(point.user_cost),
    }


def _groups(answer: UsageAnswer) -> list[dict[str, Any]]:
    return [group_as_json(row, answer.totals) for row in answer.rows]


def _people(people: list[Spender], whole: UsageSums) -> list[dict[str, Any]]:
    return [
        {
            "organization": person.organization,
            "key": person.key,
            "email": person.email,
            "display_name": person.display_name,
            **part_as_json(person.sums, whole),
        }
        for person in people
    ]
