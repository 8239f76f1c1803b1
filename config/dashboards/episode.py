"""One session or one run as a whole: what it used, call by call."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse

from config.dashboards.calls import Call, Link, link_to, read_calls
from config.dashboards.cards import Card
from config.dashboards.colours import OTHER, SERIES
from config.dashboards.episode_rows import STATUS_BADGES, episode_events_url, is_active
from config.dashboards.page import Page, render_page
from config.dashboards.panels import read_panel
from config.dashboards.question import CUSTOM, FILTERS, Question
from config.dashboards.reading import Reading
from usage.api.rendering.episodes import events_path
from usage.formats import UNKNOWN, compact, duration, money, percent, quantity, rounded, share
from usage.selectors.access import viewer_of
from usage.selectors.currency import ledger_currency
from usage.selectors.episode_details import EpisodeDetail, events_span, read_detail
from usage.selectors.episode_figures import EpisodeFigures, figures_of
from usage.selectors.episodes import Episode, EpisodeKind, find_episode
from usage.selectors.events import EventQuery, list_events
from usage.selectors.named import find_organization
from usage.selectors.sums import known_cost

CALLS = 200
BAR, GAP, HEIGHT = 8, 2, 100
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class TimelineBar:
    """A call in the drawing of all of them, oldest first: a bar as high as its cost."""

    x: int
    y: Decimal
    height: Decimal
    colour: int
    call: Call


def session_page(
    request: HttpRequest, context: dict[str, Any], organization: str, session: str
) -> HttpResponse:
    """The page of a session that the signed-in user sees; any other is not found."""
    return _episode_page(request, context, EpisodeKind.SESSION, organization, session)


def run_page(
    request: HttpRequest, context: dict[str, Any], organization: str, run: str
) -> HttpResponse:
    """The page of a run that the signed-in user sees; any other is not found."""
    return _episode_page(request, context, EpisodeKind.RUN, organization, run)


def _episode_page(
    request: HttpRequest, context: dict[str, Any], kind: EpisodeKind, organization: str, name: str
) -> HttpResponse:
    viewer = viewer_of(request.user)
    found = find_episode(viewer, kind, name, organization)
    owner = find_organization(viewer, organization)
    if found is None or owner is None:
        raise Http404
    # A day more to either side holds all of it in every zone.
    days = {
        "range": CUSTOM,
        "from": f"{found.started_at - _DAY:%Y-%m-%d}",
        "through": f"{found.ended_at + _DAY:%Y-%m-%d}",
    }
    page = Page(
        title=f"{kind.value.title()} {found.id}",
        template="dashboards/episode.html",
        read=partial(_read, episode=found, organization_id=owner.pk),
        crumbs=[(f"{kind.value.title()}s", reverse(f"admin:{kind.value}s"))],
        pinned={"organization": organization, kind.value: found.id},
        fixed={**dict.fromkeys(FILTERS, ""), **days},
    )
    return render_page(request, context, page)


def _read(reading: Reading, *, episode: Episode, organization_id: int) -> dict[str, Any]:
    question = reading.question
    detail = read_detail(reading.viewer, episode, question.currency)
    whole = detail.episode
    figures = figures_of(whole)
    colours = _colours(reading, detail)
    calls = _last_calls(reading, whole, organization_id)
    ledger = whole.sums if question.currency == ledger_currency() else episode.sums
    ended = whole.ended_at
    return {
        "episode": whole,
        "kind": whole.kind.value,
        "badge": STATUS_BADGES[whole.status],
        "active": is_active(question, whole),
        "started": whole.started_at.astimezone(question.zone),
        "ended": ended.astimezone(question.zone),
        "links": _about(question, whole),
        "cards": _cards(whole, figures, question.currency),
        "figures": figures,
        "rates": [
            ("Tokens", _whole(figures.tokens_per_call), _whole(figures.tokens_per_minute)),
            (
                "Cost",
                _amount(figures.cost_per_call, question.currency),
                _amount(figures.cost_per_minute, question.currency),
            ),
        ],
        "panel": read_panel(reading, "Models", "model"),
        "running": _running(calls, ledger.cost),
        "more": max(whole.sums.events - len(calls), 0),
        "bars": _timeline(calls, colours),
        "dearest": max((call.cost for call in calls if call.cost is not None), default=None),
        "width": len(calls) * (BAR + GAP),
        "ledger": ledger_currency(),
        "csv_url": f"{reverse('events')}?{events_path(episode)}&format=csv&state=counted",
        "all_url": episode_events_url(question, whole),
        "as_of": detail.models.as_of.astimezone(question.zone),
        "totals": whole.sums,
    }


def _cards(episode: Episode, figures: EpisodeFigures, currency: str) -> list[Card]:
    sums = episode.sums
    cached = percent(share(sums.cache_read_tokens, sums.input_tokens))
    return [
        Card(
            "Spend (estimated)",
            money(known_cost(sums), currency),
            f"{sums.cost:f} {currency}",
            f"{percent(figures.prompt_cost_share)} of it prompts",
            "",
            sums.unpriced_events,
        ),
        Card(
            "Tokens",
            compact(sums.total_tokens),
            quantity(sums.total_tokens),
            f"{cached} of input from cache",
            "",
        ),
        Card(
            "Calls",
            quantity(sums.events),
            quantity(sums.events),
            f"{quantity(sums.errors)} failed",
            "",
        ),
        Card(
            "Duration",
            duration(episode.duration_ms or sums.duration_ms or None),
            f"{quantity(episode.duration_ms)} ms from the first call to the last",
            f"{duration(sums.duration_ms)} in calls" if sums.duration_ms else "",
            "",
        ),
    ]


def _whole(value: Decimal | None) -> str:
    return UNKNOWN if value is None else quantity(rounded(value, 0))


def _amount(value: Decimal | None, currency: str) -> str:
    return UNKNOWN if value is None else money(value, currency)


def _about(question: Question, episode: Episode) -> list[tuple[str, Link]]:
    """Who and what it was for, with their pages over the range they show by themselves."""
    named = {
        "organization": episode.organization,
        "project": episode.project,
        "subject": episode.subject,
    }
    plain = replace(question, range=question.default_range, filters={})
    labels = {"organization": "Organization", "project": "Project", "subject": "Person"}
    return [(label, link_to(plain, kind, named)) for kind, label in labels.items()]


def _colours(reading: Reading, detail: EpisodeDetail) -> dict[str, int]:
    names = [row.group["model"] or "" for row in detail.models.rows]
    return reading.colours("model", list(dict.fromkeys(names))[:SERIES])


def _last_calls(reading: Reading, episode: Episode, organization_id: int) -> list[Call]:
    """The last calls that count, newest first."""
    start, end = events_span(episode)
    page = list_events(
        EventQuery(
            viewer=reading.viewer,
            start=start,
            end=end,
            filters={
                "organization": [episode.organization],
                episode.kind.value: [episode.id],
            },
            facts={"state": ["counted"]},
            limit=CALLS,
        )
    )
    return read_calls(reading.question, page.events, organization_id)


def _running(calls: Sequence[Call], whole: Decimal) -> list[tuple[Call, Decimal]]:
    """The calls, each with what had been spent when it was done.

    Told from the whole backwards, so that it holds for the last of many.
    """
    found = []
    for call in calls:
        found.append((call, whole))
        whole -= call.cost or Decimal(0)
    return found


def _timeline(calls: Sequence[Call], colours: dict[str, int]) -> list[TimelineBar]:
    top = max((call.cost or Decimal(0) for call in calls), default=Decimal(0)) or Decimal(1)
    bars = []
    for i, call in enumerate(reversed(calls)):
        height = max((call.cost or Decimal(0)) * HEIGHT / top, Decimal(1))
        bars.append(
            TimelineBar(
                i * (BAR + GAP),
                round(HEIGHT - height, 1),
                round(height, 1),
                colours.get(call.model.whole, OTHER),
                call,
            )
        )
    return bars
