"""`cost report`, `top`, `trends` and `compare`: what was spent."""

from typing import Annotated

from django_typer.management import command
from typer import Argument, Option

from usage.management.cost.base import CostCommand
from usage.management.cost.options import (
    Amount,
    Format,
    FormatOption,
    Limit,
    MoneyOptions,
    PeriodOptions,
    ScopeOptions,
)
from usage.management.option_groups import grouped_options
from usage.reports.breakdowns import Grouping
from usage.reports.comparisons import Comparable, compare, comparison_document
from usage.reports.episodes import find_session, session_document
from usage.reports.month_budget import MonthBudget
from usage.reports.scope import Scope
from usage.reports.spend import spend_document, spend_report
from usage.reports.tops import Top, top_document
from usage.reports.trends import default_period, trend_document
from usage.selectors.episodes import EpisodeKind
from usage.selectors.questions import Granularity

REPORT = """\b
examples:
  manage.py cost report
  manage.py cost report --this-month --budget 200 --organization acme
  manage.py cost report --from 2026-10-01 --to 2026-11-01 --by-project --format csv
  manage.py cost report --session session-abc123
"""
TOP = "\b\nexample:\n  manage.py cost top --sessions --limit 5 --show-details"
TRENDS = "\b\nexample:\n  manage.py cost trends --last-30-days --organization acme"
COMPARE = """\b
examples:
  manage.py cost compare 2026-10 2026-11
  manage.py cost compare web api --kind project --last-30-days
  manage.py cost compare session-abc123 session-def456
"""


class Reporting(CostCommand):
    """What was spent, on what, and how that changed."""

    @command(epilog=REPORT)
    @grouped_options
    def report(
        self,
        days: PeriodOptions,
        whose: ScopeOptions,
        shown: MoneyOptions,
        by_project: Annotated[bool, Option("--by-project", help="a table of projects")] = False,
        by_session: Annotated[bool, Option("--by-session", help="a table of sessions")] = False,
        by_model: Annotated[bool, Option("--by-model", help="a table of models")] = False,
        by_user: Annotated[bool, Option("--by-user", help="a table of people")] = False,
        by_organization: Annotated[
            bool, Option("--by-organization", help="a table of organizations")
        ] = False,
        session: Annotated[
            str, Option("--session", metavar="ID", help="only this session, in full")
        ] = "",
        detailed: Annotated[
            bool, Option("--detailed", help="people, teams, hours and the cost split as well")
        ] = False,
        budget: Amount = None,
        output: FormatOption = Format.TABLE,
    ) -> None:
        """What a period cost, and its parts.

        The period is this month unless another is chosen. Costs are estimates of the provider's
        bill; calls that nobody knows the price of are counted as unpriced and left out of costs.
        """
        wanted = {
            Grouping.PROJECT: by_project,
            Grouping.SESSION: by_session,
            Grouping.MODEL: by_model,
            Grouping.USER: by_user,
            Grouping.ORGANIZATION: by_organization,
        }
        with self.told():
            if session:
                self._session(session, whose, output)
                return
            scope = whose.scope(shown.currency)
            report = spend_report(
                scope,
                days.period(scope.today),
                [by for by, is_wanted in wanted.items() if is_wanted],
                detailed=detailed,
                budget=self.month_budget(scope) if budget is None else MonthBudget(budget),
            )
            self.print_document(spend_document(report), output, scope.time_zone)

    def month_budget(self, scope: Scope) -> MonthBudget | None:
        """What a month of the scope may cost where the command line does not say so."""
        return None

    def _session(self, session_id: str, whose: ScopeOptions, output: Format) -> None:
        scope = whose.scope()
        document = session_document(find_session(scope, session_id))
        self.print_document(document, output, scope.time_zone)

    @command(epilog=TOP)
    @grouped_options
    def top(
        self,
        days: PeriodOptions,
        whose: ScopeOptions,
        shown: MoneyOptions,
        sessions: Annotated[bool, Option("--sessions", help="dearest sessions (default)")] = False,
        projects: Annotated[bool, Option("--projects", help="dearest projects")] = False,
        users: Annotated[bool, Option("--users", help="dearest people")] = False,
        models: Annotated[bool, Option("--models", help="dearest models")] = False,
        runs: Annotated[bool, Option("--runs", help="dearest runs")] = False,
        limit: Limit = 10,
        show_details: Annotated[
            bool, Option("--show-details", help="calls, people, models and times as well")
        ] = False,
        output: FormatOption = Format.TABLE,
    ) -> None:
        """What cost most, by default in this month."""
        wanted: dict[Top, bool] = {
            EpisodeKind.SESSION: sessions,
            Grouping.PROJECT: projects,
            Grouping.USER: users,
            Grouping.MODEL: models,
            EpisodeKind.RUN: runs,
        }
        tops = [top for top, is_wanted in wanted.items() if is_wanted] or [EpisodeKind.SESSION]
        with self.told():
            scope = whose.scope(shown.currency)
            document = top_document(
                scope, days.period(scope.today), tops, limit, details=show_details
            )
            self.print_document(document, output, scope.time_zone)

    @command(epilog=TRENDS)
    @grouped_options
    def trends(
        self,
        days: PeriodOptions,
        whose: ScopeOptions,
        shown: MoneyOptions,
        weekly: Annotated[bool, Option("--weekly", help="by week, by default twelve")] = False,
        monthly: Annotated[bool, Option("--monthly", help="by month, by default twelve")] = False,
        output: FormatOption = Format.TABLE,
    ) -> None:
        """Spend over time as bars.

        By default of each of the last 30 days; the same length of time before it is compared.
        """
        if weekly and monthly:
            self.refuse("--weekly and --monthly cannot be given together")
        granularity = Granularity.DAY
        if weekly or monthly:
            granularity = Granularity.WEEK if weekly else Granularity.MONTH
        with self.told():
            scope = whose.scope(shown.currency)
            period = days.period(scope.today, default_period(scope.today, granularity))
            document = trend_document(scope, period, granularity)
            self.print_document(document, output, scope.time_zone)

    @command(epilog=COMPARE)
    @grouped_options
    def compare(
        self,
        first: Annotated[str, Argument(metavar="A")],
        second: Annotated[str, Argument(metavar="B")],
        days: PeriodOptions,
        whose: ScopeOptions,
        kind: Annotated[
            Comparable | None, Option("--kind", help="what both are, where names are ambiguous")
        ] = None,
        output: FormatOption = Format.TABLE,
    ) -> None:
        """Two sessions, projects, models or months.

        Months are written 2026-11, other periods 2026-11-01..2026-11-15 (the end exclusive);
        projects and models are compared within a period, by default this month.
        """
        with self.told():
            scope = whose.scope()
            period = days.period(scope.today)
            comparison = compare(scope, period, (first, second), kind)
            document = comparison_document(comparison, scope, period)
            self.print_document(document, output, scope.time_zone)
