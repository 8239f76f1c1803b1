"""Whose usage a ready-made read is about, and what its days and amounts mean."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

from usage.ingest.partitions import next_month
from usage.selectors.access import Viewer
from usage.selectors.moments import Moment
from usage.selectors.questions import UsageAnswer, UsageQuery
from usage.selectors.rankings import rank
from usage.selectors.usage import query_usage


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A viewer's question seen on one day.

    `today` is the present day of `time_zone`, where days, weeks and months begin. `filters`
    are as in UsageQuery. `currency` is what costs are shown in, empty for the ledger's.
    """

    viewer: Viewer
    today: date
    time_zone: str
    filters: Mapping[str, Collection[str]] = field(default_factory=dict)
    currency: str = ""
    moment: Moment = field(default_factory=Moment, compare=False, repr=False)

    @property
    def tomorrow(self) -> date:
        """The end of what lies in the frame, exclusive."""
        return self.today + timedelta(days=1)

    @property
    def month(self) -> tuple[date, date]:
        """The first day of the present month and of the next."""
        first = self.today.replace(day=1)
        return first, next_month(first)

    def only(self, **filters: str) -> "Frame":
        """The same frame for one value of each of these dimensions."""
        return self.filtered({name: [value] for name, value in filters.items()})

    def filtered(self, filters: Mapping[str, Collection[str]]) -> "Frame":
        """The same frame with these filters instead of its own of the same names."""
        return replace(self, filters={**self.filters, **filters})

    def ask(self, start: date, end: date, **asked: Any) -> UsageAnswer:
        """The sums from `start` to before `end`. Raises QuestionError."""
        return query_usage(self._query(start, end, asked))

    def rank(self, start: date, end: date, name: str, limit: int, **asked: Any) -> UsageAnswer:
        """The first groups that carry `name`, the dearest unless `order_by` says otherwise."""
        query = self._query(start, end, {"group_by": (name,), "order_by": "-cost", **asked})
        return rank(query, name, limit)

    def _query(self, start: date, end: date, asked: Mapping[str, Any]) -> UsageQuery:
        return UsageQuery(
            viewer=self.viewer,
            start=start,
            end=end,
            time_zone=self.time_zone,
            filters=self.filters,
            currency=self.currency,
            moment=self.moment,
            **asked,
        )


def months_before(month: date, count: int) -> date:
    """The first day of the month `count` months before that of `month`."""
    number = month.year * 12 + month.month - 1 - count
    return date(number // 12, number % 12 + 1, 1)
