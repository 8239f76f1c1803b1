"""`cost analyze`, `forecast`, `advise` and `chargeback`: what usage tells."""

from typing import Annotated

from django_typer.management import command
from typer import Option

from usage.management.cost.base import CostCommand
from usage.management.cost.options import (
    Format,
    FormatOption,
    MoneyOptions,
    Month,
    PeriodOptions,
    ScopeOptions,
)
from usage.management.option_groups import grouped_options
from usage.reports.hours import analysis_document, hour_pattern, model_pattern, weekday_pattern
from usage.reports.outlooks import advice_document, chargeback_document, forecast_document
from usage.reports.periods import last_days, month_of

ANALYZE = "\b\nexample:\n  manage.py cost analyze --by-hour --by-day --last-30-days"
FORECAST = "\b\nexample:\n  manage.py cost forecast --next-month --organization acme"
ADVISE = "\b\nexample:\n  manage.py cost advise --last-30-days --organization acme"
CHARGEBACK = "\b\nexample:\n  manage.py cost chargeback --month 2026-10 --format csv"


class Looking(CostCommand):
    """Patterns, what is ahead, what to do about it and who is charged."""

    @command(epilog=ANALYZE)
    @grouped_options
    def analyze(
        self,
        days: PeriodOptions,
        whose: ScopeOptions,
        shown: MoneyOptions,
        by_hour: Annotated[bool, Option("--by-hour", help="hours of the day (default)")] = False,
        by_day: Annotated[bool, Option("--by-day", help="days of the week")] = False,
        by_model: Annotated[bool, Option("--by-model", help="models")] = False,
        output: FormatOption = Format.TABLE,
    ) -> None:
        """When usage happens, and by which models.

        By default in the last 30 days.
        """
        wanted = [
            (hour_pattern, by_hour or not (by_day or by_model)),
            (weekday_pattern, by_day),
            (model_pattern, by_model),
        ]
        with self.told():
            scope = whose.scope(shown.currency)
            period = days.period(scope.today, last_days(scope.today, 30))
            patterns = [read(scope, period) for read, is_wanted in wanted if is_wanted]
            document = analysis_document(scope, period, patterns)
            self.print_document(document, output, scope.time_zone)

    @command(epilog=FORECAST)
    @grouped_options
    def forecast(
        self,
        whose: ScopeOptions,
        shown: MoneyOptions,
        next_month: Annotated[
            bool, Option("--next-month", help="the month after this one")
        ] = False,
        output: FormatOption = Format.TABLE,
    ) -> None:
        """What this month will have cost in the end.

        Weekdays of the past tell what to expect; the pace so far stands beside it.
        """
        with self.told():
            scope = whose.scope(shown.currency)
            month = month_of(scope.today, "This month")
            if next_month:
                month = month_of(month.end, "Next month")
            self.print_document(forecast_document(scope, month), output, scope.time_zone)

    @command(epilog=ADVISE)
    @grouped_options
    def advise(
        self, days: PeriodOptions, whose: ScopeOptions, output: FormatOption = Format.TABLE
    ) -> None:
        """What would have saved money, and how much.

        By default in the last 30 days.
        """
        with self.told():
            scope = whose.scope()
            period = days.period(scope.today, last_days(scope.today, 30))
            self.print_document(advice_document(scope, period), output, scope.time_zone)

    @command(epilog=CHARGEBACK)
    @grouped_options
    def chargeback(
        self, whose: ScopeOptions, month: Month = None, output: FormatOption = Format.TABLE
    ) -> None:
        """What a month is charged to cost centres.

        Months are those of each organization, in its own time zone.
        """
        with self.told():
            scope = whose.scope()
            charged = month or month_of(scope.today, "This month")
            self.print_document(chargeback_document(scope, charged), output, scope.time_zone)
