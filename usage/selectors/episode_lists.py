"""Sessions and runs in pages."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from django.db.models import Count, Q, QuerySet, Sum

from usage.models.rollups import Episode as EpisodeRollup
from usage.selectors.access import Viewer
from usage.selectors.cursors import fingerprint
from usage.selectors.episodes import Episode, EpisodeKind, episode_of, rollups
from usage.selectors.overview import visible
from usage.selectors.pages import OrderKey, read_money, read_page, read_pk, read_time
from usage.selectors.periods import bounds_of
from usage.selectors.questions import QuestionError, UsageSums
from usage.selectors.sums import total_of

ORDERS = ("-started_at", "started_at", "-cost", "cost")
_KEYS = {"started_at": OrderKey("started_at", read_time), "cost": OrderKey("cost", read_money)}
_PATHS = {
    "organization": "organization__slug",
    "project": "project__slug",
    "subject": "subject__key",
    "provider": "main_kind__provider",
    "model": "main_kind__model",
}
FILTERS = tuple(_PATHS)
_TOTALS = ("events", "unpriced_events", "input_tokens", "output_tokens", "cost")


@dataclass(frozen=True, slots=True, kw_only=True)
class EpisodeQuery:
    """Which sessions or runs: those whose first call lies from `start` to before `end`.

    Dates are days of `time_zone`. `filters` maps the names in FILTERS to allowed values, ""
    for not given; projects and subjects are those of the latest call, models those that most
    was spent on. `order_by` is one of ORDERS.
    """

    viewer: Viewer
    kind: EpisodeKind
    start: date | datetime
    end: date | datetime
    time_zone: str = "UTC"
    filters: Mapping[str, Collection[str]] = field(default_factory=dict)
    order_by: str = ORDERS[0]
    limit: int = 100
    cursor: str = ""


@dataclass(frozen=True, slots=True)
class EpisodePage:
    """Episodes with the sums of their whole length, and the cursors of the pages around."""

    episodes: list[Episode]
    next_cursor: str | None
    previous_cursor: str | None


@dataclass(frozen=True, slots=True)
class EpisodeTotals:
    """How many sessions or runs a question finds, and of all together the sums in `_TOTALS`."""

    episodes: int
    sums: UsageSums


def list_episodes(query: EpisodeQuery) -> EpisodePage:
    """A page of sessions or runs in one statement. Raises QuestionError."""
    if query.order_by not in ORDERS:
        raise QuestionError("order_by", "unknown_order", f"Order by one of {', '.join(ORDERS)}.")
    page = read_page(
        _found(query),
        (_KEYS[query.order_by.removeprefix("-")], OrderKey("id", read_pk)),
        descending=query.order_by.startswith("-"),
        limit=query.limit,
        cursor=query.cursor,
        question=_fingerprint(query),
    )
    episodes = [episode_of(query.kind, row) for row in page.rows]
    return EpisodePage(episodes, page.next_cursor, page.previous_cursor)


def total_episodes(query: EpisodeQuery) -> EpisodeTotals:
    """What the pages of a question add up to, in one statement. Raises QuestionError."""
    found = _found(query).aggregate(episodes=Count("pk"), **{name: Sum(name) for name in _TOTALS})
    sums = {name: found[name] for name in _TOTALS if found[name] is not None}
    tokens = sums.get("input_tokens", 0) + sums.get("output_tokens", 0)
    return EpisodeTotals(found["episodes"], replace(total_of(()), **sums, total_tokens=tokens))


def _found(query: EpisodeQuery) -> QuerySet[EpisodeRollup]:
    bounds = bounds_of(query.start, query.end, query.time_zone)
    return visible(rollups(query.kind), query.viewer).filter(
        _allowed(query.filters), started_at__gte=bounds.start, started_at__lt=bounds.end
    )


def _allowed(filters: Mapping[str, Collection[str]]) -> Q:
    allowed = Q()
    for name, values in filters.items():
        if any("\0" in value for value in values):
            raise QuestionError(name, "invalid", "A value cannot hold a NUL character.")
        path = _PATHS[name]
        one_of = Q(**{f"{path}__in": sorted(values)})
        allowed &= one_of | Q(**{f"{path}__isnull": True}) if "" in values else one_of
    return allowed


def _fingerprint(query: EpisodeQuery) -> str:
    filters = sorted((name, sorted(values)) for name, values in query.filters.items())
    bounds = (query.start.isoformat(), query.end.isoformat(), query.time_zone)
    return fingerprint(query.kind.value, bounds, filters, query.order_by)
