"""Sessions and runs as JSON values."""

from typing import Any
from urllib.parse import urlencode

from usage.api.rendering.figures import average_text, group_as_json, money_text, percentage
from usage.selectors.episode_details import EpisodeDetail, events_span
from usage.selectors.episode_figures import EpisodeFigures, figures_of
from usage.selectors.episodes import Episode, EpisodeKind
from usage.selectors.usage import sums_as_json

_TOKEN_PLACES, _MONEY_PLACES = 2, 10


def episode_as_json(episode: Episode) -> dict[str, Any]:
    """What an episode is, with its sums; a run has its trigger besides."""
    trigger = {"run_trigger": episode.run_trigger} if episode.kind is EpisodeKind.RUN else {}
    return {
        f"{episode.kind}_id": episode.id,
        "organization": episode.organization,
        "project": episode.project,
        "subject": episode.subject,
        "provider": episode.provider,
        "model": episode.model,
        **trigger,
        "status": episode.status,
        "started_at": episode.started_at,
        "ended_at": episode.ended_at,
        "duration_ms": episode.duration_ms,
        "totals": sums_as_json(episode.sums),
    }


def detail_as_json(detail: EpisodeDetail) -> dict[str, Any]:
    """An episode with its models, averages and shares; a session has its metadata besides."""
    episode, models = detail.episode, detail.models
    figures = figures_of(episode)
    metadata = {"cost": _metadata(episode)} if episode.kind is EpisodeKind.SESSION else {}
    return {
        **episode_as_json(episode),
        "currency": models.currency,
        "as_of": models.as_of,
        "unpriced_events": models.unpriced_events,
        **metadata,
        "averages": _averages(figures),
        "shares": _shares(figures),
        "models": [group_as_json(row, models.totals) for row in models.rows],
    }


def events_path(episode: Episode) -> str:
    """The query string that lists an episode's events."""
    start, end = events_span(episode)
    return urlencode(
        {
            "organization": episode.organization,
            episode.kind.value: episode.id,
            "from": start.isoformat(),
            "to": end.isoformat(),
        }
    )


def _metadata(episode: Episode) -> dict[str, Any]:
    return {
        "total": money_text(episode.sums.cost),
        "tokens": episode.sums.total_tokens,
        "model": episode.model,
        "api_calls": episode.sums.events,
    }


def _averages(figures: EpisodeFigures) -> dict[str, Any]:
    return {
        "tokens_per_call": average_text(figures.tokens_per_call, _TOKEN_PLACES),
        "cost_per_call": average_text(figures.cost_per_call, _MONEY_PLACES),
        "tokens_per_minute": average_text(figures.tokens_per_minute, _TOKEN_PLACES),
        "cost_per_minute": average_text(figures.cost_per_minute, _MONEY_PLACES),
    }


def _shares(figures: EpisodeFigures) -> dict[str, Any]:
    return {
        "input_tokens_percent": percentage(figures.input_share),
        "output_tokens_percent": percentage(figures.output_share),
        "input_cost_percent": percentage(figures.prompt_cost_share),
        "output_cost_percent": percentage(figures.completion_cost_share),
    }
