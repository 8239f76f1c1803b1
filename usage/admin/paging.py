"""Pages of lists that may be endless."""

from functools import cached_property
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet

from usage.formats import money, quantity
from usage.selectors.currency import ledger_currency
from usage.selectors.event_hours import Counted
from usage.selectors.merged import newest_rows

MAX_COUNTED = 5_000


class BoundedPaginator(Paginator):  # type: ignore[type-arg] # the admin passes it bare
    """Counts no further than MAX_COUNTED rows, and offers no page beyond them."""

    @cached_property
    def count(self) -> int:
        """How many rows there are, at most MAX_COUNTED."""
        return min(self._counted, MAX_COUNTED)

    @property
    def is_capped(self) -> bool:
        """Whether there are more rows than are counted."""
        return self._counted > MAX_COUNTED

    @cached_property
    def _counted(self) -> int:
        rows = self.object_list
        if isinstance(rows, QuerySet):
            return rows.order_by()[: MAX_COUNTED + 1].count()
        return len(rows)


class MergedPaginator(BoundedPaginator):
    """Of rows that indexes hold organization by organization, newest first."""

    def page(self, number: int | str) -> Page[Any]:
        """A page of them."""
        valid = self.validate_number(number)
        before = (valid - 1) * self.per_page
        rows: Any = self.object_list
        shown = min(self.per_page, self.count - before)
        return Page(newest_rows(rows, limit=shown, offset=before), valid, self)


class CostedPaginator(BoundedPaginator):
    """Of FoundEvents, whose cost it tells as long as it can count them all."""

    @property
    def summary(self) -> str:
        """Such as $12.34, or $12.34 and 2 unpriced; "" where there are more than are counted."""
        counted = self._tally
        if self.is_capped or not counted.events:
            return ""
        words = [f"{quantity(counted.unpriced)} unpriced"] if counted.unpriced else []
        if counted.unpriced < counted.events:
            words.insert(0, money(counted.cost, ledger_currency()))
        return " and ".join(words)

    @cached_property
    def _counted(self) -> int:
        return self._tally.events

    @cached_property
    def _tally(self) -> Counted:
        found: Any = self.object_list
        counted: Counted = found.counted(MAX_COUNTED)
        return counted
