"""How much of a subscription plan is used: a message is one call."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from usage.formats import duration, share
from usage.reports.breakdowns import Grouping, Line, lines_of
from usage.reports.documents import Column, Document, Fact, Facts, Kind, Sheet, labels
from usage.reports.episodes import dearest_sheet
from usage.reports.periods import one_day
from usage.reports.plan_windows import Window, current_window
from usage.reports.scope import Scope
from usage.selectors.episodes import EpisodeKind
from usage.selectors.first_calls import first_call_at
from usage.selectors.questions import UsageQuery, UsageSums
from usage.selectors.sums import total_of
from usage.selectors.usage import query_usage

TOP_SESSIONS = 5


@dataclass(frozen=True, slots=True)
class QuotaPlan:
    """A subscription: `requests` messages in each `window` (see `plan_windows`), and as many
    tokens a day, None for any number."""

    name: str
    requests: int
    window: str
    daily_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class PlanLimits:
    """What budgets say of a plan: messages in each of a calendar `window`, and tokens a day."""

    requests: int | None = None
    window: str = ""
    daily_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class QuotaReport:
    """The current window of a plan with the messages of each project in it, and today's usage."""

    plan: QuotaPlan
    scope: Scope
    window: Window
    projects: list[Line]
    today: UsageSums
    today_projects: list[Line]
    sessions: Sheet

    @property
    def used(self) -> int:
        """Messages of the window so far."""
        return sum(line.sums.events for line in self.projects)

    @property
    def remaining(self) -> int:
        """Messages left, none where more were used than the plan has."""
        return max(self.plan.requests - self.used, 0)


def quota_report(scope: Scope, plan: QuotaPlan) -> QuotaReport:
    """Read the report. Raises QuestionError."""
    window = current_window(
        plan.window,
        scope.now,
        scope.time_zone,
        lambda start, end: first_call_at(scope.viewer, start, end, filters=scope.filters),
    )
    today = one_day(scope.today)
    by = Grouping.PROJECT
    today_projects = lines_of(scope.every_row(today, by.names), by)
    return QuotaReport(
        plan=plan,
        scope=scope,
        window=window,
        projects=_projects(scope, window),
        today=total_of(line.sums for line in today_projects),
        today_projects=today_projects,
        sessions=dearest_sheet(scope, today, EpisodeKind.SESSION, TOP_SESSIONS, details=True),
    )


def _projects(scope: Scope, window: Window) -> list[Line]:
    if window.start is None or window.end is None:
        return []
    by = Grouping.PROJECT
    answer = query_usage(
        UsageQuery(
            viewer=scope.viewer,
            start=window.start,
            end=window.end,
            time_zone=scope.time_zone,
            group_by=by.names,
            filters=scope.filters,
            order_by="-events",
        )
    )
    return lines_of(answer.rows, by)


def quota_document(report: QuotaReport) -> Document:
    """The report with its words."""
    scope = report.scope
    return Document(
        title=f"Quota: {report.plan.name}",
        currency=scope.currency,
        parts=(
            _facts(report),
            _sheet("projects", "Messages by project", report.projects, "messages"),
            _sheet("today_projects", "Tokens today by project", report.today_projects, "tokens"),
            report.sessions,
        ),
        notes=("A message is one metered call.",),
        subtitle=scope.words,
    )


def _facts(report: QuotaReport) -> Facts:
    plan, window = report.plan, report.window
    facts = (
        Fact("plan", "Plan", Kind.TEXT, plan.name),
        Fact("window", "", Kind.TEXT, plan.window, people=False),
        Fact("limit", "", Kind.COUNT, plan.requests, people=False),
        Fact("messages", "Messages used", Kind.COUNT, report.used,
             share=share(report.used, plan.requests),
             note=f"of {plan.requests:,} per {plan.window}"),
        Fact("remaining", "Messages remaining", Kind.COUNT, report.remaining),
        Fact("window_start", "Window began", Kind.INSTANT, window.start),
        Fact("resets_at", "Resets at", Kind.INSTANT, window.end,
             note=_until(window.end, report.scope.now)),
        Fact("tokens_today", "Tokens today", Kind.COUNT, report.today.total_tokens,
             share=share(report.today.total_tokens, plan.daily_tokens or 0),
             note="of unlimited" if plan.daily_tokens is None else f"of {plan.daily_tokens:,}"),
    )  # fmt: skip
    return Facts(facts)


def _until(end: datetime | None, now: datetime) -> str:
    if end is None:
        return "the next call opens a window"
    return f"in {duration(round((end - now).total_seconds() * 1000))}"


def _sheet(name: str, title: str, lines: Sequence[Line], measure: str) -> Sheet:
    def count(line: Line) -> int:
        return line.sums.events if measure == "messages" else line.sums.total_tokens

    lines = sorted(lines, key=count, reverse=True)
    whole = sum(map(count, lines))
    columns = (
        Column("label", "project", Kind.TEXT, data=False),
        Column("organization", "organization", Kind.TEXT, people=False),
        Column("project", "project", Kind.TEXT, people=False),
        Column("bar", "", Kind.BAR, data=False),
        Column(measure, measure, Kind.COUNT),
        Column("percent_of_total", "share", Kind.PERCENT),
    )
    named = labels([(line.owner, line.name) for line in lines], Grouping.PROJECT.missing)
    most = max(map(count, lines), default=0)
    rows = [
        (
            label,
            line.owner,
            line.name,
            share(count(line), most) or Decimal(0),
            count(line),
            share(count(line), whole),
        )
        for label, line in zip(named, lines, strict=True)
    ]
    return Sheet(name, title, columns, rows)
