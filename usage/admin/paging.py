"""Pages of lists that may be endless."""

from functools import cached_property
from typing import Any

from django.core.paginator import Paginator
from django.db.models import Count, Q, QuerySet, Sum

from usage.formats import money, quantity
from usage.selectors.currency import ledger_currency

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


class CostedPaginator(BoundedPaginator):
    """Of rows that cost something, which it also sums up as long as it can count them all."""

    @property
    def summary(self) -> str:
        """Such as $12.34, or $12.34 and 2 unpriced; "" where there are more than are counted."""
        if self.is_capped or not self._counted:
            return ""
        unpriced = self._tally["unpriced"]
        words = [f"{quantity(unpriced)} unpriced"] if unpriced else []
        if unpriced < self._counted:
            words.insert(0, money(self._tally["total"], ledger_currency()))
        return " and ".join(words)

    @cached_property
    def _counted(self) -> int:
        return int(self._tally["rows"])

    @cached_property
    def _tally(self) -> dict[str, Any]:
        rows: Any = self.object_list
        found: dict[str, Any] = rows.order_by()[: MAX_COUNTED + 1].aggregate(
            rows=Count("pk"), total=Sum("cost"), unpriced=Count("pk", filter=Q(cost=None))
        )
        return found
