"""Sessions and runs: the dearest of a period, and one in full."""

from collections.abc import Sequence
from datetime import UTC
from decimal import Decimal

from usage.formats import share
from usage.reports.documents import (
    ESTIMATE,
    SUM_COLUMNS,
    Column,
    Document,
    Fact,
    Facts,
    Kind,
    Sheet,
    sum_values,
    unpriced_note,
)
from usage.reports.periods import Period
from usage.reports.scope import Scope
from usage.reports.status_line import status_line
from usage.selectors.currency import ledger_currency
from usage.selectors.episode_figures import EpisodeFigures, figures_of
from usage.selectors.episodes import Episode, EpisodeKind, dearest_episodes, find_episode
from usage.selectors.sums import known_cost

WHOLE = Decimal(100)


class UnknownEpisodeError(LookupError):
    """No session or run has this id; the text says so."""


def dearest_sheet(
    scope: Scope, period: Period, kind: EpisodeKind, limit: int, *, details: bool = False
) -> Sheet:
    """The sessions or runs that cost most within a period. Raises QuestionError."""
    found = dearest_episodes(
        scope.viewer,
        kind,
        period.start,
        period.end,
        time_zone=scope.time_zone,
        filters=scope.filters,
        limit=limit,
        currency=scope.currency,
    )
    columns = (
        Column("rank", "#", Kind.COUNT),
        Column(kind.value, kind.value, Kind.TEXT),
        Column("cost_shown", "cost", Kind.MONEY, data=False),
        Column("tokens_shown", "tokens", Kind.COUNT, data=False),
        Column("calls_shown", "calls", Kind.COUNT, data=False, people=details),
        Column("project", "project", Kind.TEXT),
        Column("organization", "organization", Kind.TEXT, people=False),
        Column("subject", "user", Kind.TEXT, people=details, spare=True),
        Column("model", "model", Kind.TEXT, people=details, spare=True),
        Column("started_at", "started", Kind.INSTANT, people=details, spare=True),
        Column("duration_ms", "duration", Kind.DURATION, people=False),
        Column(
            "status", "status", Kind.TEXT, people=details and kind is EpisodeKind.RUN, spare=True
        ),
        *(column for column in SUM_COLUMNS if column.name != "duration_ms"),
    )
    rows = [_row(rank, episode) for rank, episode in enumerate(found, start=1)]
    return Sheet(f"top_{kind}s", f"Top {kind}s", columns, rows, most=limit)


def _row(rank: int, episode: Episode) -> Sequence[object]:
    sums = episode.sums
    values = [
        value
        for column, value in zip(SUM_COLUMNS, sum_values(sums), strict=True)
        if column.name != "duration_ms"
    ]
    return (
        rank,
        episode.id,
        known_cost(sums),
        sums.total_tokens,
        sums.events,
        episode.project,
        episode.organization,
        episode.subject,
        episode.model,
        episode.started_at.astimezone(UTC),
        episode.duration_ms,
        episode.status,
        *values,
    )


def find_session(scope: Scope, session_id: str) -> Episode:
    """The session of this id. Raises UnknownEpisodeError, and QuestionError where several
    organizations have one."""
    slugs = scope.organizations or (None,)
    for slug in slugs:
        episode = find_episode(scope.viewer, EpisodeKind.SESSION, session_id, slug)
        if episode is not None:
            return episode
    raise UnknownEpisodeError(f"there is no session {session_id!r}")


def session_document(episode: Episode) -> Document:
    """Everything about one session, costs in the ledger currency."""
    figures = figures_of(episode)
    return Document(
        title=f"Session {episode.id}",
        currency=ledger_currency(),
        parts=(_who(episode), *_split(episode, figures), _efficiency(episode, figures)),
        notes=(ESTIMATE,),
        line=status_line(episode),
    )


def _who(episode: Episode) -> Facts:
    return Facts(
        (
            Fact("session_id", "Session", Kind.TEXT, episode.id, people=False),
            Fact("organization", "Organization", Kind.TEXT, episode.organization),
            Fact("project", "Project", Kind.TEXT, episode.project),
            Fact("subject", "User", Kind.TEXT, episode.subject),
            Fact("started_at", "Started", Kind.INSTANT, episode.started_at),
            Fact("ended_at", "Ended", Kind.INSTANT, episode.ended_at, people=False),
            Fact("duration_ms", "Duration", Kind.DURATION, episode.duration_ms),
            Fact("provider", "Provider", Kind.TEXT, episode.provider, people=False),
            Fact("model", "Model", Kind.TEXT, episode.model),
            Fact("status", "Status", Kind.TEXT, episode.status, people=False),
        )
    )


def _split(episode: Episode, figures: EpisodeFigures) -> tuple[Sheet, Facts]:
    sums = episode.sums
    priced = known_cost(sums) is not None
    columns = (
        Column("what", "", Kind.TEXT),
        Column("tokens", "tokens", Kind.COUNT),
        Column("tokens_share", "share", Kind.PERCENT),
        Column("cost", "cost", Kind.MONEY),
        Column("cost_share", "share", Kind.PERCENT),
    )
    prompt, completion = figures.prompt_cost_share, figures.completion_cost_share
    rows = (
        ("input (prompt)", sums.input_tokens, figures.input_share,
         sums.input_cost if priced else None, prompt),
        ("output (completion)", sums.output_tokens, figures.output_share,
         sums.output_cost if priced else None, completion),
        ("total", sums.total_tokens, WHOLE, sums.cost if priced else None, WHOLE),
    )  # fmt: skip
    exact = (
        Fact("total", "", Kind.MONEY, known_cost(sums), people=False),
        *(
            Fact(column.name, "", column.kind, value, people=False)
            for column, value in zip(SUM_COLUMNS, sum_values(sums), strict=True)
            if column.name != "duration_ms"
        ),
        Fact("input_percent", "", Kind.PERCENT, figures.input_share, people=False),
        Fact("output_percent", "", Kind.PERCENT, figures.output_share, people=False),
        Fact("prompt_cost_percent", "", Kind.PERCENT, prompt, people=False),
        Fact("completion_cost_percent", "", Kind.PERCENT, completion, people=False),
    )
    return Sheet("split", "Tokens and cost", columns, rows, data=False), Facts(exact)


def _efficiency(episode: Episode, figures: EpisodeFigures) -> Facts:
    sums = episode.sums
    cached = share(sums.cache_read_tokens, sums.input_tokens)
    return Facts(
        (
            Fact("calls", "Total calls", Kind.COUNT, sums.events, note=unpriced_note(sums)),
            Fact("tokens_per_call", "Tokens per call", Kind.NUMBER, figures.tokens_per_call),
            Fact("cost_per_call", "Cost per call", Kind.MONEY, figures.cost_per_call),
            Fact("tokens_per_minute", "Tokens per minute", Kind.NUMBER, figures.tokens_per_minute),
            Fact("cost_per_minute", "Cost per minute", Kind.MONEY, figures.cost_per_minute),
            Fact("cached_percent", "Read from cache", Kind.PERCENT, cached, note="of input"),
        ),
        title="Efficiency",
    )
