"""What the questions of one page or answer have in common, asked once for all of them."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

from usage.selectors.access import Scoped, Viewer, find_scope
from usage.selectors.freshness import as_of


@dataclass(slots=True)
class Moment:
    """Which organizations questions reach, and up to when the sums of these hold everything.

    It lasts no longer than one request: what is read first stands for all that follows.
    """

    _scopes: dict[tuple[Viewer, frozenset[str] | None], list[Scoped]] = field(default_factory=dict)
    _fresh: dict[frozenset[int], datetime] = field(default_factory=dict)

    def scope(self, viewer: Viewer, slugs: Collection[str] | None) -> list[Scoped]:
        """As `find_scope`."""
        asked = viewer, None if slugs is None else frozenset(slugs)
        if asked not in self._scopes:
            self._scopes[asked] = find_scope(viewer, slugs)
        return self._scopes[asked]

    def as_of(self, organization_ids: Collection[int]) -> datetime:
        """As `freshness.as_of`. Sums that are read later hold no less."""
        asked = frozenset(organization_ids)
        if asked not in self._fresh:
            self._fresh[asked] = as_of(asked)
        return self._fresh[asked]
