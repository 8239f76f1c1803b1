"""Two sessions, projects, models or periods side by side."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from usage.formats import money, percent, quantity, rounded, share, signed_money
from usage.reports.documents import (
    ESTIMATE,
    MONEY_PLACES,
    Column,
    Document,
    Kind,
    Sheet,
)
from usage.reports.episodes import UnknownEpisodeError, find_session
from usage.reports.periods import Period, read_period
from usage.reports.scope import Scope
from usage.selectors.questions import UsageSums
from usage.selectors.sums import known_cost


class Comparable(StrEnum):
    """What two names may both be."""

    PERIOD = "period"
    SESSION = "session"
    PROJECT = "project"
    MODEL = "model"


@dataclass(frozen=True, slots=True)
class Comparison:
    """The sums of two things of one kind."""

    kind: Comparable
    names: tuple[str, str]
    sums: tuple[UsageSums, UsageSums]


class NotComparableError(LookupError):
    """The names mean nothing of one kind; the text says so."""


def compare(
    scope: Scope, period: Period, names: tuple[str, str], kind: Comparable | None = None
) -> Comparison:
    """Compare two names: of `kind`, else of the only kind that both are.

    Months and days (2026-11, 2026-11-01..2026-11-15) are periods; sessions count as wholes,
    projects and models with their usage within `period`. Raises NotComparableError where
    neither or several kinds fit, and QuestionError.
    """
    kinds = [kind] if kind else list(Comparable)
    found = [
        Comparison(each, names, sums)
        for each in kinds
        if (sums := _both(scope, period, names, each)) is not None
    ]
    if not found:
        what = kind or "period, session, project or model"
        raise NotComparableError(
            f"{names[0]!r} and {names[1]!r} are not both a {what} with usage in {period.title}"
        )
    if len(found) > 1:
        several = " and ".join(comparison.kind for comparison in found)
        raise NotComparableError(f"these names are each a {several}; say --kind")
    return found[0]


def _both(
    scope: Scope, period: Period, names: tuple[str, str], kind: Comparable
) -> tuple[UsageSums, UsageSums] | None:
    first, second = (_sums(scope, period, name, kind) for name in names)
    return (first, second) if first and second else None


def _sums(scope: Scope, period: Period, name: str, kind: Comparable) -> UsageSums | None:
    if kind is Comparable.PERIOD:
        named = read_period(name)
        return scope.ask(named).totals if named else None
    if kind is Comparable.SESSION:
        return _session(scope, name)
    sums = scope.ask(period, filters={kind.value: [name]}).totals
    return sums if sums.events else None


def _session(scope: Scope, name: str) -> UsageSums | None:
    try:
        return find_session(scope, name).sums
    except UnknownEpisodeError:
        return None


@dataclass(frozen=True, slots=True)
class _Figure:
    name: str
    label: str
    kind: Kind
    values: tuple[Decimal | None, Decimal | None]

    @property
    def difference(self) -> Decimal | None:
        first, second = self.values
        return None if first is None or second is None else second - first

    @property
    def change(self) -> Decimal | None:
        first, difference = self.values[0], self.difference
        return None if not first or difference is None else share(difference, first)


def comparison_document(comparison: Comparison, scope: Scope, period: Period) -> Document:
    """The comparison as a table: the figures of A and B, B minus A, and that in percent of A."""
    figures = _figures(comparison.sums)
    columns = (
        Column("figure", "", Kind.TEXT, people=False),
        Column("label", "", Kind.TEXT, data=False),
        Column("a", "", Kind.EXACT, people=False),
        Column("b", "", Kind.EXACT, people=False),
        Column("difference", "", Kind.EXACT, people=False),
        *(
            Column(f"{name}_shown", heading, Kind.FIGURE, data=False)
            for name, heading in zip(
                ("a", "b", "difference"), (*comparison.names, "difference"), strict=True
            )
        ),
        Column("change_percent", "change", Kind.PERCENT),
    )
    rows = [_row(figure, comparison.sums, scope.currency) for figure in figures]
    within = comparison.kind in (Comparable.PROJECT, Comparable.MODEL)
    return Document(
        title=f"Compared {comparison.kind}s: {' and '.join(comparison.names)}",
        currency=scope.currency,
        parts=(Sheet("figures", "", columns, rows),),
        notes=(ESTIMATE,),
        subtitle=f"{period.title}; {scope.words}" if within else scope.words,
        line=_line(comparison.names, figures[0], scope.currency),
    )


def _line(names: tuple[str, str], cost: _Figure, currency: str) -> str:
    first, second = (
        f"{name} {money(value, currency)}" for name, value in zip(names, cost.values, strict=True)
    )
    changed = f", {percent(cost.change)}" if cost.change is not None else ""
    difference = _signed(cost, currency)
    return f"{first}, {second}" + (f": {difference}{changed}" if difference else "")


def _figures(sums: tuple[UsageSums, UsageSums]) -> Sequence[_Figure]:
    first, second = sums

    def figure(name: str, label: str, kind: Kind = Kind.COUNT) -> _Figure:
        values = Decimal(getattr(first, name)), Decimal(getattr(second, name))
        return _Figure(name, label, kind, values)

    return (
        _Figure("cost", "Cost", Kind.MONEY, (known_cost(first), known_cost(second))),
        figure("input_cost", "of it input", Kind.MONEY),
        figure("output_cost", "of it output", Kind.MONEY),
        figure("events", "Calls"),
        figure("errors", "Errors"),
        figure("unpriced_events", "Unpriced"),
        figure("total_tokens", "Tokens"),
        figure("input_tokens", "of them input"),
        figure("cache_read_tokens", "from cache"),
        figure("output_tokens", "of them output"),
        _Figure(
            "cost_per_call",
            "Cost a call",
            Kind.MONEY,
            (_per_call(first, priced=True), _per_call(second, priced=True)),
        ),
        _Figure(
            "tokens_per_call", "Tokens a call", Kind.NUMBER, (_per_call(first), _per_call(second))
        ),
    )


def _per_call(sums: UsageSums, *, priced: bool = False) -> Decimal | None:
    calls = sums.events - (sums.unpriced_events if priced else 0)
    amount = sums.cost if priced else Decimal(sums.total_tokens)
    return amount / calls if calls else None


def _row(figure: _Figure, sums: tuple[UsageSums, UsageSums], currency: str) -> tuple[object, ...]:
    values = (*figure.values, figure.difference)
    return (
        figure.name,
        figure.label,
        *(_exact(figure.kind, value) for value in values),
        *(
            _shown(figure.kind, value, of, currency)
            for value, of in zip(figure.values, sums, strict=True)
        ),
        _signed(figure, currency),
        figure.change,
    )


def _exact(kind: Kind, value: Decimal | None) -> Decimal | None:
    places = {Kind.COUNT: 0, Kind.NUMBER: 4}.get(kind, MONEY_PLACES)
    return None if value is None else rounded(value, places)


def _shown(kind: Kind, value: Decimal | None, sums: UsageSums, currency: str) -> str | None:
    if kind is Kind.MONEY and (value is not None or sums.events):
        return money(value, currency)
    return None if value is None else quantity(rounded(value, 0))


def _signed(figure: _Figure, currency: str) -> str | None:
    difference = figure.difference
    if difference is None:
        return None
    if figure.kind is Kind.MONEY:
        return signed_money(difference, currency)
    return f"{rounded(difference, 0):+,}" if difference else "0"
