"""Spend by project, session, model, person, team or organization."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from usage.formats import share
from usage.reports.documents import (
    SUM_COLUMNS,
    Column,
    Kind,
    Sheet,
    labels,
    sum_values,
)
from usage.selectors.questions import UsageRow, UsageSums
from usage.selectors.sums import known_cost


class Grouping(StrEnum):
    """What spend is divided by; the values are the words of the command line."""

    PROJECT = "project"
    SESSION = "session"
    MODEL = "model"
    USER = "user"
    ORGANIZATION = "organization"
    TEAM = "team"

    @property
    def names(self) -> tuple[str, ...]:
        """The dimensions grouped by: the owner, where there is one, then the thing itself."""
        return _NAMES[self]

    @property
    def missing(self) -> str:
        """What people read where usage names none."""
        return f"(no {self})"


_NAMES = {
    Grouping.PROJECT: ("organization", "project"),
    Grouping.SESSION: ("organization", "session"),
    Grouping.MODEL: ("provider", "model"),
    Grouping.USER: ("organization", "subject"),
    Grouping.ORGANIZATION: ("organization",),
    Grouping.TEAM: ("organization", "team"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """The usage of one thing; `owner` is its organization, or a model's provider."""

    owner: str | None
    name: str | None
    sums: UsageSums


def lines_of(rows: Iterable[UsageRow], by: Grouping) -> list[Line]:
    """Rows grouped by `by.names` as lines."""
    named = [(tuple(row.group[name] for name in by.names), row.sums) for row in rows]
    return [Line(names[0] if len(names) > 1 else None, names[-1], sums) for names, sums in named]


def breakdown_sheet(
    by: Grouping, lines: list[Line], whole: UsageSums, *, details: bool = False, most: int = 50
) -> Sheet:
    """A table of what each thing cost, how much of the whole that is, and its tokens."""
    *owners, name = by.names
    columns = (
        Column("rank", "#", Kind.COUNT, data=False),
        Column("label", by.value, Kind.TEXT, data=False),
        *(Column(owner, owner, Kind.TEXT, people=False) for owner in owners),
        Column(name, name, Kind.TEXT, people=False),
        Column("cost", "cost", Kind.MONEY, data=False),
        Column("percent_of_total", "share", Kind.PERCENT),
        Column("tokens", "tokens", Kind.COUNT, data=False),
        Column("calls", "calls", Kind.COUNT, data=False),
        Column("unpriced_shown", "unpriced", Kind.COUNT, data=False, people=_unpriced(lines)),
        Column("errors_shown", "errors", Kind.COUNT, people=details, data=False, spare=True),
        Column("input_shown", "input", Kind.COUNT, people=details, data=False, spare=True),
        Column("output_shown", "output", Kind.COUNT, people=details, data=False, spare=True),
        *SUM_COLUMNS,
    )
    shown = labels([(line.owner, line.name) for line in lines], by.missing)
    rows = [
        (
            rank,
            label,
            *([line.owner] if owners else []),
            line.name,
            known_cost(line.sums),
            None if known_cost(line.sums) is None else share(line.sums.cost, whole.cost),
            line.sums.total_tokens,
            line.sums.events,
            line.sums.unpriced_events,
            line.sums.errors,
            line.sums.input_tokens,
            line.sums.output_tokens,
            *sum_values(line.sums),
        )
        for rank, (label, line) in enumerate(zip(shown, lines, strict=True), start=1)
    ]
    return Sheet(f"by_{by}", f"By {by}", columns, rows, most=most)


def _unpriced(lines: list[Line]) -> bool:
    return any(line.sums.unpriced_events for line in lines)
