"""The questions a dashboard asks of the selectors, each of them once."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from config.dashboards.colours import SERIES, colours_of
from config.dashboards.question import Question
from usage.selectors.access import Viewer
from usage.selectors.currency import NO_RATE
from usage.selectors.questions import Granularity, QuestionError, UsageAnswer, UsageQuery, UsageSums
from usage.selectors.usage import query_usage

PALETTE_DAYS = 90


@dataclass(slots=True)
class Reading:
    """Answers about one question for one viewer, remembered for the length of a request."""

    viewer: Viewer
    question: Question
    _rankings: dict[tuple[tuple[str, ...], str, int], UsageAnswer] = field(default_factory=dict)
    _palettes: dict[str, dict[str, int]] = field(default_factory=dict)
    _trends: dict[Granularity, UsageAnswer] = field(default_factory=dict)

    def trend(self, step: Granularity) -> UsageAnswer:
        """The sums of every period, empty ones included; the totals are the question's."""
        if step not in self._trends:
            self._trends[step] = self._ask(granularity=step)
        return self._trends[step]

    def before(self) -> UsageSums | None:
        """The totals of the period before, None where its costs have no exchange rate."""
        try:
            return self._ask(bounds=self.question.before).totals
        except QuestionError as error:
            if error.code != NO_RATE:
                raise
            return None

    def ranking(self, *group_by: str, by: str = "-cost", limit: int = 6) -> UsageAnswer:
        """The groups with most spend, or most of another sum, first."""
        key = (group_by, by, limit)
        if key not in self._rankings:
            self._rankings[key] = self._ask(group_by=group_by, order_by=by, limit=limit)
        return self._rankings[key]

    def series(self, values: list[str]) -> UsageAnswer:
        """The sums of every period for these values of the question's group."""
        group = self.question.group
        return self._ask(granularity=self.question.step, group_by=(group,), only={group: values})

    def colours(self, group: str, names: list[str]) -> dict[str, int]:
        """The colours of at most five values of `group` ("" = not given).

        Those with most spend of late, whatever is filtered for and in whatever currency it is
        shown, keep one colour everywhere.
        """
        if group not in self._palettes:
            self._palettes[group] = colours_of(self._leaders(group))
        return colours_of(names, self._palettes[group])

    def _leaders(self, group: str) -> list[str]:
        end = self.question.today + timedelta(days=1)
        answer = query_usage(
            UsageQuery(
                viewer=self.viewer,
                start=end - timedelta(days=PALETTE_DAYS),
                end=end,
                time_zone=self.question.zone.key,
                group_by=(group,),
                order_by="-cost",
                limit=SERIES,
            )
        )
        return [row.group[group] or "" for row in answer.rows]

    def _ask(
        self,
        *,
        bounds: tuple[date, date] | tuple[datetime, datetime] | None = None,
        granularity: Granularity = Granularity.TOTAL,
        group_by: tuple[str, ...] = (),
        only: dict[str, list[str]] | None = None,
        order_by: str = "",
        limit: int | None = None,
    ) -> UsageAnswer:
        start, end = bounds or (self.question.first, self.question.end)
        return query_usage(
            UsageQuery(
                viewer=self.viewer,
                start=start,
                end=end,
                time_zone=self.question.zone.key,
                granularity=granularity,
                group_by=group_by,
                filters={**self.question.allowed, **(only or {})},
                order_by=order_by,
                limit=limit,
                currency=self.question.currency,
            )
        )
