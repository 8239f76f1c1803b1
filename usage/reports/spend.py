"""The cost report: totals of a period, what they divide into, and how a budget stands."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from usage.formats import compact, money, quantity, share
from usage.reports.breakdowns import Grouping, Line, breakdown_sheet, lines_of
from usage.reports.documents import (
    ESTIMATE,
    SUM_COLUMNS,
    Document,
    Fact,
    Facts,
    Kind,
    Sheet,
    sum_values,
    unpriced_note,
)
from usage.reports.episodes import dearest_sheet
from usage.reports.hours import hour_pattern
from usage.reports.month_budget import MonthBudget, Standing, budget_facts, standing
from usage.reports.periods import Period
from usage.reports.scope import Scope
from usage.selectors.episode_counts import count_episodes
from usage.selectors.episodes import EpisodeKind
from usage.selectors.questions import UsageSums
from usage.selectors.sums import known_cost

TOP_SESSIONS = 5
BASIC = (Grouping.PROJECT, Grouping.MODEL)
DETAILED = (*BASIC, Grouping.USER, Grouping.TEAM)
_LATE = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class SpendReport:
    """The sums of a period as of `as_of`, and their parts.

    `sessions` are those with a call in the period, and `session_cost` is what calls that belong
    to one cost. Sheets are already in the order they are read.
    """

    scope: Scope
    period: Period
    as_of: datetime
    totals: UsageSums
    sessions: int
    session_cost: Decimal
    breakdowns: dict[Grouping, list[Line]]
    sheets: Sequence[Sheet] = field(default=())
    budget: Standing | None = None
    detailed: bool = False

    @property
    def cost_per_session(self) -> Decimal | None:
        """What a session cost on average; None without any."""
        return self.session_cost / self.sessions if self.sessions else None


def spend_report(
    scope: Scope,
    period: Period,
    groupings: Sequence[Grouping] = (),
    *,
    detailed: bool = False,
    budget: MonthBudget | None = None,
) -> SpendReport:
    """Put the report together: `groupings` take the place of the usual parts. Raises
    QuestionError."""
    answer = scope.ask(period)
    apart = scope.ask(period, filters={EpisodeKind.SESSION.value: [""]}).totals
    wanted = groupings or (DETAILED if detailed else BASIC)
    return SpendReport(
        scope=scope,
        period=period,
        as_of=answer.as_of,
        totals=answer.totals,
        sessions=_count_sessions(scope, period),
        session_cost=answer.totals.cost - apart.cost,
        breakdowns={by: lines_of(scope.every_row(period, by.names), by) for by in wanted},
        sheets=() if groupings else _more(scope, period, detailed=detailed),
        budget=standing(budget, period, scope) if budget else None,
        detailed=detailed,
    )


def spend_document(report: SpendReport) -> Document:
    """The report with its words."""
    details = report.detailed
    sheets = [
        breakdown_sheet(by, lines, report.totals, details=details)
        for by, lines in report.breakdowns.items()
    ]
    currency = report.scope.currency
    budget = [budget_facts(report.budget, currency)] if report.budget else []
    split = [_cost_split(report.totals)] if details else []
    return Document(
        title=f"Cost report: {report.period.title}",
        currency=currency,
        parts=(
            _period_facts(report),
            _total_facts(report),
            _totals_sheet(report.totals),
            *split,
            *budget,
            *sheets,
            *report.sheets,
        ),
        notes=(ESTIMATE, *_lateness(report)),
        subtitle=report.scope.words,
        line=_line(report),
    )


def _more(scope: Scope, period: Period, *, detailed: bool) -> tuple[Sheet, ...]:
    sessions = dearest_sheet(
        scope, period, EpisodeKind.SESSION, TOP_SESSIONS * (2 if detailed else 1), details=detailed
    )
    return (hour_pattern(scope, period).sheet, sessions) if detailed else (sessions,)


def _count_sessions(scope: Scope, period: Period) -> int:
    return count_episodes(
        scope.viewer,
        EpisodeKind.SESSION,
        period.start,
        period.end,
        time_zone=scope.time_zone,
        filters=scope.filters,
    )


def _period_facts(report: SpendReport) -> Facts:
    period, scope = report.period, report.scope
    return Facts(
        (
            Fact("from", "", Kind.DATE, period.start, people=False),
            Fact("to", "", Kind.DATE, period.end, people=False),
            Fact("timezone", "", Kind.TEXT, scope.time_zone, people=False),
            Fact("as_of", "", Kind.INSTANT, report.as_of.astimezone(UTC), people=False),
        )
    )


def _total_facts(report: SpendReport) -> Facts:
    sums = report.totals
    cost = known_cost(sums)
    return Facts(
        (
            Fact("total", "Total cost", Kind.MONEY, cost, note=unpriced_note(sums)),
            Fact("unpriced_events", "", Kind.COUNT, sums.unpriced_events, people=False),
            Fact("total_tokens", "Tokens", Kind.COUNT, sums.total_tokens),
            Fact("events", "Calls", Kind.COUNT, sums.events, note=_errors(sums)),
            Fact("sessions", "Sessions", Kind.COUNT, report.sessions),
            Fact("cost_per_session", "Average per session", Kind.MONEY, report.cost_per_session)
            if report.sessions
            else Fact("cost_per_session", "", Kind.MONEY, None, people=False),
        )
    )


def _errors(sums: UsageSums) -> str:
    return f"{sums.errors:,} with errors" if sums.errors else ""


def _totals_sheet(sums: UsageSums) -> Sheet:
    return Sheet("totals", "", SUM_COLUMNS, [sum_values(sums)], people=False, single=True)


def _cost_split(sums: UsageSums) -> Facts:
    cached = share(sums.cache_read_tokens, sums.input_tokens)
    return Facts(
        (
            Fact(
                "input", "Input", Kind.MONEY, sums.input_cost, share(sums.input_cost, sums.cost),
                note=f"{quantity(sums.input_tokens)} tokens",
            ),
            Fact(
                "cache", "of it cache", Kind.MONEY, sums.cache_cost,
                share(sums.cache_cost, sums.cost),
                note=f"{quantity(sums.cache_read_tokens)} tokens read,"
                f" {quantity(sums.cache_write_tokens)} written",
            ),
            Fact(
                "output", "Output", Kind.MONEY, sums.output_cost,
                share(sums.output_cost, sums.cost),
                note=f"{quantity(sums.output_tokens)} tokens",
            ),
            Fact("cache_hits", "Read from cache", Kind.PERCENT, cached, note="of input tokens"),
        ),
        "cost_split",
        "Cost split",
    )  # fmt: skip


def _lateness(report: SpendReport) -> tuple[str, ...]:
    if report.scope.now - report.as_of < _LATE:
        return ()
    return (f"Sums lag behind: they hold what arrived before {report.as_of:%Y-%m-%d %H:%M} UTC.",)


def _line(report: SpendReport) -> str:
    sums = report.totals
    note = unpriced_note(sums)
    average = report.cost_per_session
    parts = [
        f"{money(sums.cost, report.scope.currency)} estimated{f' {note}' if note else ''}",
        f"{compact(sums.total_tokens)} tokens",
        f"{quantity(sums.events)} calls",
        f"{quantity(report.sessions)} sessions",
    ]
    if average is not None:
        parts.append(f"{money(average, report.scope.currency)} a session")
    return f"{report.period.title} ({report.scope.words})\n{', '.join(parts)}"
