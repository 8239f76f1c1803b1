"""When usage happens, and by which model: hours of the day and weekdays as bars."""

from calendar import day_name
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from usage.formats import money, share
from usage.reports.breakdowns import Grouping, breakdown_sheet, lines_of
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
from usage.selectors.patterns import by_hour_of_day, by_weekday
from usage.selectors.questions import UsageSums
from usage.selectors.sums import total_of

BUSIEST = 3


@dataclass(frozen=True, slots=True)
class Pattern:
    """A table and, where it has bars, its dearest rows: `what` they are and what each cost."""

    sheet: Sheet
    what: str = ""
    busiest: Sequence[tuple[str, Decimal]] = ()


def hour_pattern(scope: Scope, period: Period) -> Pattern:
    """All hours of the day. Raises QuestionError."""
    rows = by_hour_of_day(
        scope.viewer,
        start=period.start,
        end=period.end,
        time_zone=scope.time_zone,
        filters=scope.filters,
        currency=scope.currency,
    )
    return _pattern("hour", "By hour of the day", [(f"{hour:02}:00", s) for hour, s in rows])


def weekday_pattern(scope: Scope, period: Period) -> Pattern:
    """All days of the week. Raises QuestionError."""
    rows = by_weekday(
        scope.viewer,
        start=period.start,
        end=period.end,
        time_zone=scope.time_zone,
        filters=scope.filters,
        currency=scope.currency,
    )
    return _pattern("day", "By day of the week", [(day_name[weekday], s) for weekday, s in rows])


def model_pattern(scope: Scope, period: Period) -> Pattern:
    """All models, dearest first. Raises QuestionError."""
    by = Grouping.MODEL
    lines = lines_of(scope.every_row(period, by.names), by)
    whole = total_of(line.sums for line in lines)
    return Pattern(breakdown_sheet(by, lines, whole, details=True))


def analysis_document(scope: Scope, period: Period, patterns: Sequence[Pattern]) -> Document:
    """The patterns of a period with its totals and busiest times. Raises QuestionError."""
    totals = scope.ask(period).totals
    facts = [
        Fact("total", "Total cost", Kind.MONEY, totals.cost, note=unpriced_note(totals)),
        Fact("events", "Calls", Kind.COUNT, totals.events),
    ]
    for pattern in patterns:
        if pattern.busiest:
            shown = ", ".join(
                f"{label} ({money(cost, scope.currency)})" for label, cost in pattern.busiest
            )
            name, label = f"busiest_{pattern.what}s", f"Busiest {pattern.what}s"
            facts.append(Fact(name, label, Kind.TEXT, shown))
    return Document(
        title=f"Usage patterns: {period.title}",
        currency=scope.currency,
        parts=(Facts(facts), *(pattern.sheet for pattern in patterns)),
        notes=(ESTIMATE,),
        subtitle=scope.words,
    )


def bar_sheet(
    name: str, title: str, column: str, rows: Sequence[tuple[object, UsageSums]]
) -> Sheet:
    """A table of sums with a bar for each cost; `rows` keep their order."""
    most = max((sums.cost for _, sums in rows), default=Decimal(0))
    whole = total_of(sums for _, sums in rows)
    kind = Kind.TEXT if rows and isinstance(rows[0][0], str) else Kind.DATE
    columns = (
        Column(column, column, kind),
        Column("bar", "", Kind.BAR, data=False),
        Column("cost_shown", "cost", Kind.MONEY, data=False),
        Column("percent_of_total", "share", Kind.PERCENT),
        Column("calls", "calls", Kind.COUNT, data=False),
        Column("tokens", "tokens", Kind.COUNT, data=False),
        *SUM_COLUMNS,
    )
    values = [
        (
            label,
            share(max(sums.cost, Decimal(0)), most) or Decimal(0),
            sums.cost,
            share(sums.cost, whole.cost),
            sums.events,
            sums.total_tokens,
            *sum_values(sums),
        )
        for label, sums in rows
    ]
    return Sheet(name, title, columns, values, most=len(values))


def _pattern(what: str, title: str, rows: Sequence[tuple[str, UsageSums]]) -> Pattern:
    used = [(label, sums) for label, sums in rows if sums.events]
    used.sort(key=lambda row: (row[1].cost, row[1].events), reverse=True)
    busiest = [(label, sums.cost) for label, sums in used[:BUSIEST]]
    return Pattern(bar_sheet(f"by_{what}", title, what, rows), what, busiest)
