"""Sessions and runs as wholes: one by its id, or the dearest of a period."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from django.db.models import Q, QuerySet

from usage.models import RunRollup, SessionRollup
from usage.models.rollups import Episode as EpisodeRollup
from usage.selectors.access import Viewer, find_scope
from usage.selectors.filters import ORGANIZATION
from usage.selectors.questions import SUM_NAMES, QuestionError, UsageQuery, UsageSums
from usage.selectors.rankings import rank

_NAMED = ("organization", "project", "subject", "main_kind")


class EpisodeKind(StrEnum):
    """The two kinds of episodes, by the names of their dimensions."""

    SESSION = "session"
    RUN = "run"


@dataclass(frozen=True, slots=True)
class Episode:
    """A session or run. `organization` and `project` are slugs and `subject` a key; what is
    not given is None.

    Project and subject are those of its latest call; provider, model and trigger those of the
    kind of call it spent most on. `started_at` and `ended_at` are its first and last call.
    """

    kind: EpisodeKind
    id: str
    organization: str
    project: str | None
    subject: str | None
    provider: str | None
    model: str | None
    run_trigger: str | None
    started_at: datetime
    ended_at: datetime
    status: str
    sums: UsageSums

    @property
    def duration_ms(self) -> int:
        """From the first call to the last."""
        return round((self.ended_at - self.started_at).total_seconds() * 1000)


def find_episode(
    viewer: Viewer, kind: EpisodeKind, episode_id: str, organization: str | None = None
) -> Episode | None:
    """The session or run of this id with all its sums, None if a viewer sees none.

    Raises QuestionError when several organizations have one and none is named.
    """
    scope = find_scope(viewer, None if organization is None else [organization])
    named = {f"{kind}_id": episode_id, "organization_id__in": [scoped.id for scoped in scope]}
    found: list[EpisodeRollup] = (
        [] if "\0" in episode_id else list(rollups(kind).filter(**named)[:2])
    )
    if len(found) > 1:
        raise QuestionError(
            ORGANIZATION, "ambiguous", f"Several organizations have this {kind}; name one."
        )
    return next((episode_of(kind, row) for row in found), None)


def dearest_episodes(
    viewer: Viewer,
    kind: EpisodeKind,
    start: date | datetime,
    end: date | datetime,
    *,
    time_zone: str,
    filters: Mapping[str, Collection[str]] | None = None,
    limit: int = 5,
    currency: str = "",
) -> list[Episode]:
    """The sessions or runs that cost most from `start` to before `end`, dearest first.

    Their sums and status are those within the period, in `currency` (empty: the ledger's).
    What no sum holds yet, a moment after it was stored, is missing. Raises QuestionError.
    """
    query = UsageQuery(
        viewer=viewer,
        start=start,
        end=end,
        time_zone=time_zone,
        group_by=(ORGANIZATION, kind.value),
        filters=filters or {},
        order_by="-cost",
        currency=currency,
    )
    rows = [(tuple(row.group.values()), row.sums) for row in rank(query, kind.value, limit).rows]
    known = _find_all(kind, (key for key, _ in rows))
    return [episode_of(kind, known[key], sums) for key, sums in rows if key in known]


def rollups(kind: EpisodeKind) -> QuerySet[SessionRollup] | QuerySet[RunRollup]:
    """All sessions or runs, with what they are named by."""
    if kind is EpisodeKind.SESSION:
        return SessionRollup.objects.select_related(*_NAMED)
    return RunRollup.objects.select_related(*_NAMED)


def episode_of(kind: EpisodeKind, row: EpisodeRollup, sums: UsageSums | None = None) -> Episode:
    """A row of `rollups` as a value; `sums` stand in for those of the whole episode."""
    sums = sums or UsageSums(*(getattr(row, name) for name in SUM_NAMES))
    project, subject, main = (getattr(row, name) for name in _NAMED[1:])
    return Episode(
        kind=kind,
        id=getattr(row, f"{kind}_id"),
        organization=getattr(row.organization, "slug", ""),
        project=project.slug if project else None,
        subject=subject.key if subject else None,
        provider=(main.provider or None) if main else None,
        model=main.model if main else None,
        run_trigger=(main.run_trigger or None) if main else None,
        started_at=row.started_at,
        ended_at=row.ended_at,
        status=status_of(sums),
        sums=sums,
    )


def status_of(sums: UsageSums) -> str:
    """`success` when no call failed, `error` when all did, else `partial`."""
    if not sums.errors:
        return "success"
    return "error" if sums.errors == sums.events else "partial"


def _find_all(
    kind: EpisodeKind, keys: Iterable[tuple[str | None, ...]]
) -> dict[tuple[str | None, ...], EpisodeRollup]:
    wanted = Q()
    for organization, name in keys:
        wanted |= Q(organization__slug=organization, **{f"{kind}_id": name})
    if not wanted:
        return {}
    found = rollups(kind).filter(wanted)
    return {(getattr(r.organization, "slug", ""), getattr(r, f"{kind}_id")): r for r in found}
