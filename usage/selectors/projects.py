"""Projects: what each spent this month, one by one or all that a viewer sees."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import reduce
from operator import or_

from django.db.models import Max, Q

from usage.ingest.partitions import next_month
from usage.models import DailyRollup, MonthlyRollup, Organization, Project
from usage.selectors.access import Viewer
from usage.selectors.cards import Series, daily
from usage.selectors.cursors import fingerprint
from usage.selectors.episodes import Episode, EpisodeKind, dearest_episodes
from usage.selectors.filters import ORGANIZATION
from usage.selectors.frames import Frame
from usage.selectors.overview import MAX_CHOICES, visible
from usage.selectors.pages import OrderKey, read_page
from usage.selectors.questions import UsageAnswer, UsageSums

TOP_RUNS = 5
TREND_MONTHS = 6
RECENT = 50
PROJECT = "project"
_KEYS = (OrderKey("organization__slug", str), OrderKey("slug", str))


@dataclass(frozen=True, slots=True)
class ProjectUse:
    """A project with its sums of the month, None without usage.

    `last_used` is the latest day of its organization's zone with a call, whenever that was.
    """

    project: Project
    organization: Organization
    sums: UsageSums | None
    last_used: date | None


@dataclass(frozen=True, slots=True)
class ProjectPage:
    """Projects by organization and slug; `totals` are all the viewer's usage of the month."""

    projects: list[ProjectUse]
    totals: UsageSums
    as_of: datetime
    next_cursor: str | None
    previous_cursor: str | None


@dataclass(frozen=True, slots=True)
class ProjectSummary:
    """A month of one project: `agents` by agent type, the dearest first, with the totals of
    all, and the dearest runs. `daily` are the latest days, whatever the month."""

    agents: UsageAnswer
    runs: list[Episode]
    daily: Series


def list_projects(frame: Frame, *, archived: bool, limit: int, cursor: str) -> ProjectPage:
    """A page of the projects that the frame's viewer sees in its organizations, used or not.

    Archived ones are left out unless asked for. Raises QuestionError.
    """
    rows = visible(Project.objects.select_related(ORGANIZATION), frame.viewer)
    if ORGANIZATION in frame.filters:
        rows = rows.filter(organization__slug__in=frame.filters[ORGANIZATION])
    if not archived:
        rows = rows.filter(archived_at=None)
    slugs = sorted(frame.filters.get(ORGANIZATION, ()))
    question = fingerprint("projects", slugs, archived)
    page = read_page(rows, _KEYS, descending=False, limit=limit, cursor=cursor, question=question)
    whole = frame.ask(*frame.month)
    sums = _sums_of(frame, page.rows)
    used = _last_days(page.rows)
    return ProjectPage(
        [
            ProjectUse(
                project,
                project.organization,
                sums.get((project.organization.slug, project.slug)),
                used.get(project.pk),
            )
            for project in page.rows
        ],
        whole.totals,
        whole.as_of,
        page.next_cursor,
        page.previous_cursor,
    )


def read_project(frame: Frame, month: Frame, days: int) -> ProjectSummary:
    """The summary of the one project both frames are about: the month of `month`, and the
    last `days` days of `frame`. Raises QuestionError."""
    return ProjectSummary(agents_of(month), runs_of(month), daily(frame, days))


def agents_of(month: Frame) -> UsageAnswer:
    """A month by agent type, the dearest first. Raises QuestionError."""
    return month.ask(*month.month, group_by=("agent_type",), order_by="-cost")


def runs_of(month: Frame) -> list[Episode]:
    """The dearest runs of a month with their sums within it. Raises QuestionError."""
    return dearest_episodes(
        month.viewer,
        EpisodeKind.RUN,
        *month.month,
        time_zone=month.time_zone,
        filters=month.filters,
        limit=TOP_RUNS,
        currency=month.currency,
    )


def dearest_project(frame: Frame) -> Project | None:
    """The project with most spend in the frame's month, one without usage where there is none,
    None for who sees no project. Raises QuestionError."""
    seen = visible(Project.objects.select_related(ORGANIZATION), frame.viewer)
    start, end = frame.month
    for row in frame.rank(start, end, PROJECT, 1, group_by=(ORGANIZATION, PROJECT)).rows:
        slugs = {"organization__slug": row.group[ORGANIZATION], "slug": row.group[PROJECT]}
        return seen.filter(**slugs).first()
    return seen.filter(archived_at=None).order_by("organization__slug", "slug").first()


def project_switches(viewer: Viewer) -> list[Project]:
    """The projects that a viewer can turn to, with their organizations, by slug."""
    rows = visible(Project.objects.select_related(ORGANIZATION), viewer)
    return list(rows.filter(archived_at=None).order_by("organization__slug", "slug")[:MAX_CHOICES])


def _sums_of(frame: Frame, projects: Sequence[Project]) -> dict[tuple[str, str], UsageSums]:
    if not projects:
        return {}
    filters = {
        ORGANIZATION: sorted({project.organization.slug for project in projects}),
        PROJECT: sorted({project.slug for project in projects}),
    }
    answer = frame.filtered(filters).ask(*frame.month, group_by=(ORGANIZATION, PROJECT))
    return {
        (row.group[ORGANIZATION] or "", row.group[PROJECT] or ""): row.sums for row in answer.rows
    }


def _last_days(projects: Iterable[Project]) -> dict[int, date]:
    owners = {project.pk: project.organization_id for project in projects}
    mine = {
        "organization_id__in": sorted(set(owners.values())),
        "project_id__in": list(owners),
        "events__gt": 0,
    }
    # No index leads to a project's days, but months are few and lead to the right days.
    months = MonthlyRollup.objects.filter(**mine).order_by().values("project_id")
    latest = [(row["project_id"], row["last"]) for row in months.annotate(last=Max("month"))]
    within = [
        Q(organization_id=owners[pk], project_id=pk, day__gte=month, day__lt=next_month(month))
        for pk, month in latest
    ]
    if not within:
        return {}
    days = DailyRollup.objects.filter(reduce(or_, within), events__gt=0).order_by()
    return {
        row["project_id"]: row["last"]
        for row in days.values("project_id").annotate(last=Max("day"))
    }
