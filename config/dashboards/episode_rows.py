"""Sessions and runs as rows of tables."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from config.dashboards.calls import Link, link_to
from config.dashboards.links import events_url
from config.dashboards.question import Question
from usage.formats import money
from usage.selectors.episodes import Episode
from usage.selectors.sums import known_cost

PLACES = 4
ACTIVE = timedelta(minutes=15)
STATUS_BADGES = {"success": "", "partial": "w", "error": "o"}
"""How the badge of an episode's status is drawn: plain, as a warning, as a failure."""


@dataclass(frozen=True, slots=True)
class EpisodeRow:
    """A session or run. `started` is in the page's zone; `cost` is None where nobody knows any of
    it, `amount` says it in words. An `active` one is taken to be going on."""

    episode: Episode
    link: Link
    person: Link
    project: Link
    model: Link
    started: datetime
    cost: Decimal | None
    amount: str
    events_url: str
    badge: str
    active: bool


def read_rows(question: Question, episodes: Iterable[Episode], currency: str) -> list[EpisodeRow]:
    """The episodes in their order; `currency` is that of their sums."""
    return [_row(question, episode, currency) for episode in episodes]


def is_active(question: Question, episode: Episode) -> bool:
    """Whether an episode is taken to be going on: its last call was made a short while ago."""
    return timedelta(0) <= question.now - episode.ended_at < ACTIVE


def episode_events_url(question: Question, episode: Episode) -> str:
    """All events of an episode, whatever the question filters for, "" where nobody may follow."""
    whole = replace(
        question,
        first=episode.started_at.astimezone(question.zone).date(),
        last=episode.ended_at.astimezone(question.zone).date(),
        filters={"organization": episode.organization, episode.kind.value: episode.id},
    )
    return events_url(whole)


def _row(question: Question, episode: Episode, currency: str) -> EpisodeRow:
    named = {
        "organization": episode.organization,
        episode.kind.value: episode.id,
        "project": episode.project,
        "subject": episode.subject,
        "provider": episode.provider,
        "model": episode.model,
    }
    return EpisodeRow(
        episode=episode,
        link=link_to(question, episode.kind.value, named),
        person=link_to(question, "subject", named),
        project=link_to(question, "project", named),
        model=link_to(question, "model", named),
        started=episode.started_at.astimezone(question.zone),
        cost=known_cost(episode.sums),
        amount=money(known_cost(episode.sums), currency, PLACES),
        events_url=episode_events_url(question, episode),
        badge=STATUS_BADGES[episode.status],
        active=question.linked and is_active(question, episode),
    )
