"""The site overview: everything its template shows, read once."""

from datetime import UTC, datetime
from typing import Any

from django.urls import reverse

from config.dashboards.bars import GROUP_NAMES, read_bar
from config.dashboards.cards import read_cards
from config.dashboards.links import day_parts, events_url
from config.dashboards.panels import read_panels, read_unpriced
from config.dashboards.question import CUSTOM, GROUPS, Question
from config.dashboards.reading import Reading
from config.dashboards.spend import read_spend
from config.selectors import BEAT_SILENT_SECONDS, ROLLUP_LAG_SECONDS, beat_age
from pricing.selectors.syncing import sync_state
from usage.formats import days
from usage.selectors.access import Viewer
from usage.selectors.currency import shown_currencies
from usage.selectors.freshness import system_state, waiting_since
from usage.selectors.offers import offered_runs
from usage.selectors.overview import has_usage


def read_overview(viewer: Viewer, question: Question) -> dict[str, Any]:
    """The template context of the overview as `viewer` sees it."""
    reading = Reading(viewer, question)
    spend = read_spend(reading)
    answer = reading.trend(question.step)
    context = {
        "question": question,
        "bar": _bar(viewer, question),
        "currency": question.currency,
        "as_of": answer.as_of.astimezone(question.zone),
        "totals": answer.totals,
        "unpriced_url": events_url(question, unpriced="1"),
        "waiting": waiting_since(viewer),
        "offers": offered_runs(viewer),
        "sees_none": viewer.organization_ids == frozenset(),
    }
    if not answer.totals.events and not has_usage(viewer):
        return {**context, "empty": True}
    return {
        **context,
        "cards": read_cards(reading),
        "spend": spend,
        "table": [
            (period, costs, events_url(question, **day_parts(period.first, period.last)))
            for period, costs in spend.rows()
        ],
        "group_name": GROUP_NAMES[question.group],
        "range_text": days(question.first, question.last),
        "chart_url": reverse("admin:spend_chart") + question.query_string(),
        "csv_url": reverse("admin:overview_csv") + question.query_string(),
        "panels": read_panels(reading),
        "unpriced": read_unpriced(reading) if answer.unpriced_events else [],
        "system": _system() if viewer.organization_ids is None else None,
    }


def _bar(viewer: Viewer, question: Question) -> dict[str, Any]:
    bar = read_bar(viewer, question)
    if question.step is not question.steps[0]:
        bar["hidden"].append(("step", question.step))
    return {
        **bar,
        "custom": question.with_range(CUSTOM),
        "is_custom": question.range == CUSTOM,
        "steps": [(s.title(), question.query_string(step=s), s) for s in question.steps],
        "groups": [(name, GROUP_NAMES[name]) for name in GROUPS],
        "currencies": shown_currencies(),
    }


def _system() -> dict[str, Any]:
    state = system_state()
    now = datetime.now(UTC)
    lag = state.lag_seconds(now)
    age = beat_age()
    prices = sync_state()
    return {
        "pending": state.pending_marks,
        "lag_ms": int(lag * 1000),
        "late": lag > ROLLUP_LAG_SECONDS,
        "beat_ms": None if age is None else int(age * 1000),
        "silent": age is None or age > BEAT_SILENT_SECONDS,
        "prices": prices,
        "prices_ms": prices.last_at and int((now - prices.last_at).total_seconds() * 1000),
    }
