"""The questions a dashboard asks of the selectors, each of them once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any, TypeVar

from config.dashboards.colours import SERIES, colours_of
from config.dashboards.question import Question
from usage.selectors.access import Viewer
from usage.selectors.currency import NO_RATE, ledger_currency
from usage.selectors.moments import Moment
from usage.selectors.questions import (
    Granularity,
    QuestionError,
    UsageAnswer,
    UsageQuery,
    UsageRow,
    UsageSums,
)
from usage.selectors.rankings import leaders
from usage.selectors.usage import query_usage

PALETTE_DAYS = 90
RANKED = SERIES + 1
MODELS = ("provider", "model")
FOLDED = 150
"""So many models are read at once rather than ranked by the database in each way."""
Found = TypeVar("Found")


@dataclass(slots=True)
class Reading:
    """Answers about one question for one viewer, remembered for the length of a request."""

    viewer: Viewer
    question: Question
    moment: Moment = field(default_factory=Moment)
    _rankings: dict[tuple[tuple[str, ...], str, int], UsageAnswer] = field(default_factory=dict)
    _palettes: dict[str, dict[str, int]] = field(default_factory=dict)
    _trends: dict[Granularity, UsageAnswer] = field(default_factory=dict)
    _models: UsageAnswer | None = None
    _late: UsageAnswer | None = None

    def trend(self, step: Granularity) -> UsageAnswer:
        """The sums of every period, empty ones included; the totals are the question's."""
        known = next(iter(self._trends.values()), None)
        if step is Granularity.TOTAL and known is not None:
            whole = UsageRow(self.question.first, {}, known.totals)
            return replace(known, rows=[whole], next_cursor=None)
        if step not in self._trends:
            self._trends[step] = self._ask(granularity=step)
        return self._trends[step]

    def before(self) -> UsageSums | None:
        """The totals of the period before, None where its costs have no exchange rate."""
        return unless_unrated(lambda: self._ask(bounds=self.question.before).totals)

    def between(
        self,
        start: date | datetime,
        end: date | datetime,
        step: Granularity = Granularity.TOTAL,
    ) -> UsageAnswer:
        """The sums of other days than the question's, or of instants: up to before `end`.

        Raises QuestionError, also where costs have no exchange rate.
        """
        return self._ask(bounds=(start, end), granularity=step)

    def ranking(self, *group_by: str, by: str = "-cost", limit: int = RANKED) -> UsageAnswer:
        """The groups with most spend, or most of another sum, first."""
        key = (group_by, by, limit)
        if key not in self._rankings:
            models = self._all_models() if set(group_by) <= set(MODELS) else None
            self._rankings[key] = (
                self._ask(group_by=group_by, order_by=by, limit=limit)
                if models is None
                else leaders(models, group_by, by.removeprefix("-"), limit)
            )
        return self._rankings[key]

    def _all_models(self) -> UsageAnswer | None:
        """All models at once: pages rank them, and their providers, in several ways. None where
        there are many, and where costs are converted, as each sum of those is rounded."""
        if self.question.currency != ledger_currency():
            return None
        if self._models is None:
            self._models = self._ask(group_by=MODELS, limit=FOLDED)
        return None if self._models.next_cursor else self._models

    def series(self, group: str, values: list[str], step: Granularity) -> UsageAnswer:
        """The sums of every period for these values of a dimension."""
        known = self._rankings.get(((group,), "-cost", RANKED))
        if step is Granularity.TOTAL and known is not None:
            rows = [row for row in known.rows if (row.group[group] or "") in values]
            if len(rows) == len(values):
                return replace(known, rows=rows, next_cursor=None)
        return self._ask(granularity=step, group_by=(group,), only={group: values})

    def colours(self, group: str, names: list[str]) -> dict[str, int]:
        """The colours of at most five values of `group` ("" = not given).

        Those with most spend of late, whatever is filtered for and in whatever currency it is
        shown, keep one colour everywhere.
        """
        if group not in self._palettes:
            self._palettes[group] = colours_of(self._leaders(group))
        return colours_of(names, self._palettes[group])

    def _leaders(self, group: str) -> list[str]:
        if group not in MODELS:
            answer = self._of_late((group,), SERIES)
        else:
            if self._late is None:
                self._late = self._of_late(MODELS, FOLDED)
            answer = self._late
            if answer.next_cursor:
                answer = self._of_late((group,), SERIES)
            else:
                answer = leaders(answer, (group,), "cost", SERIES)
        return [row.group[group] or "" for row in answer.rows]

    def _of_late(self, group_by: tuple[str, ...], limit: int) -> UsageAnswer:
        end = self.question.today + timedelta(days=1)
        return query_usage(
            UsageQuery(
                viewer=self.viewer,
                start=end - timedelta(days=PALETTE_DAYS),
                end=end,
                time_zone=self.question.zone.key,
                group_by=group_by,
                order_by="-cost",
                limit=limit,
                moment=self.moment,
            )
        )

    def query(
        self,
        *,
        bounds: tuple[date | datetime, date | datetime] | None = None,
        granularity: Granularity = Granularity.TOTAL,
        group_by: tuple[str, ...] = (),
        only: Mapping[str, list[str]] | None = None,
        order_by: str = "",
        limit: int | None = None,
        cursor: str = "",
    ) -> UsageQuery:
        """The question as selectors take it, over its own days unless `bounds` names others.

        `only` are filters that precede its own of the same names.
        """
        start, end = bounds or (self.question.first, self.question.end)
        return UsageQuery(
            viewer=self.viewer,
            start=start,
            end=end,
            time_zone=self.question.zone.key,
            granularity=granularity,
            group_by=group_by,
            filters={**self.question.allowed, **(only or {})},
            order_by=order_by,
            limit=limit,
            cursor=cursor,
            currency=self.question.currency,
            moment=self.moment,
        )

    def _ask(self, **asked: Any) -> UsageAnswer:
        return query_usage(self.query(**asked))


def unless_unrated(read: Callable[[], Found]) -> Found | None:
    """What `read` finds, None where costs on some of its days have no exchange rate."""
    try:
        return read()
    except QuestionError as error:
        if error.code != NO_RATE:
            raise
        return None
