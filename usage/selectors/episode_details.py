"""One session or run with the models it used."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from usage.models.events import BUCKET
from usage.selectors.access import Viewer
from usage.selectors.episodes import Episode, status_of
from usage.selectors.filters import ORGANIZATION
from usage.selectors.questions import UsageAnswer, UsageQuery
from usage.selectors.usage import query_usage

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class EpisodeDetail:
    """An episode whose sums are the totals of `models`, the dearest first, so that both hold
    as of one moment and in one currency."""

    episode: Episode
    models: UsageAnswer


def read_detail(viewer: Viewer, episode: Episode, currency: str = "") -> EpisodeDetail:
    """The models of an episode, costs in `currency` (empty: the ledger's). Raises QuestionError."""
    query = UsageQuery(
        viewer=viewer,
        start=_bucket_of(episode.started_at),
        end=_bucket_of(episode.ended_at) + BUCKET,
        group_by=("provider", "model"),
        filters={ORGANIZATION: [episode.organization], episode.kind.value: [episode.id]},
        order_by="-cost",
        currency=currency,
    )
    answer = query_usage(query)
    totals = answer.totals
    return EpisodeDetail(replace(episode, sums=totals, status=status_of(totals)), answer)


def events_span(episode: Episode) -> tuple[datetime, datetime]:
    """From the first call to just after the last."""
    return episode.started_at, episode.ended_at + timedelta(microseconds=1)


def _bucket_of(at: datetime) -> datetime:
    return at - (at - _EPOCH) % BUCKET
