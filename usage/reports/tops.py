"""Where most money went: sessions, runs, projects, people or models."""

from collections.abc import Sequence

from usage.reports.breakdowns import Grouping, breakdown_sheet, lines_of
from usage.reports.documents import ESTIMATE, Document, Fact, Facts, Kind, Sheet, unpriced_note
from usage.reports.episodes import dearest_sheet
from usage.reports.periods import Period
from usage.reports.scope import Scope
from usage.selectors.episodes import EpisodeKind
from usage.selectors.questions import UsageSums
from usage.selectors.rankings import rank

Top = EpisodeKind | Grouping


def top_document(
    scope: Scope, period: Period, tops: Sequence[Top], limit: int, *, details: bool = False
) -> Document:
    """The first `limit` of each kind, dearest first. Raises QuestionError."""
    totals = scope.ask(period).totals
    sheets = [_sheet(scope, period, top, limit, totals, details=details) for top in tops]
    facts = (
        Fact("total", "Total cost", Kind.MONEY, totals.cost, note=unpriced_note(totals)),
        Fact("events", "Calls", Kind.COUNT, totals.events),
    )
    return Document(
        title=f"Top {', '.join(f'{top}s' for top in tops)}: {period.title}",
        currency=scope.currency,
        parts=(Facts(facts), *sheets),
        notes=(ESTIMATE,),
        subtitle=scope.words,
    )


def _sheet(
    scope: Scope, period: Period, top: Top, limit: int, totals: UsageSums, *, details: bool
) -> Sheet:
    if isinstance(top, EpisodeKind):
        return dearest_sheet(scope, period, top, limit, details=details)
    rows = rank(scope.query(period, top.names), top.names[-1], limit).rows
    return breakdown_sheet(top, lines_of(rows, top), totals, details=details, most=limit)
