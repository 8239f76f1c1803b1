"""Pages of lists that may be endless."""

from functools import cached_property

from django.core.paginator import Paginator
from django.db.models import QuerySet

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
