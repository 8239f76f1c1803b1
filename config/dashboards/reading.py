"""The questions a dashboard asks of the selectors, each of them once."""

from dataclasses import dataclass, field
from datetime import date

from usage.selectors.access import Viewer
from usage.selectors.questions import Granularity, UsageAnswer, UsageQuery
from usage.selectors.usage import query_usage

from config.dashboards.question import Question


@dataclass(slots=True)
class Reading:
    """Answers about one question for one viewer, remembered for the length of a request."""

    viewer: Viewer
    question: Question
    _rankings: dict[tuple[tuple[str, ...], str, int], UsageAnswer] = field(default_factory=dict)
    _trends: dict[Granularity, UsageAnswer] = field(default_factory=dict)

    def trend(self, step: Granularity) -> UsageAnswer:
        """The sums of every period, empty ones included; the totals are the question's."""
        if step not in self._trends:
            self._trends[step] = self._ask(granularity=step)
        return self._trends[step]

    def before(self) -> UsageAnswer:
        """The totals of the period before."""
        return self._ask(bounds=self.question.before)

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

    def _ask(
        self,
        *,
        bounds: tuple[date, date] | None = None,
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
            )
        )
