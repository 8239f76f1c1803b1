"""Events as pages show them: one by its key, all that a search finds, those of an episode."""

from datetime import timedelta
from functools import reduce
from operator import or_

from django.db.models import Q, QuerySet

from usage.ingest.claims import find_claims
from usage.ingest.prepare import digest_of
from usage.models import Organization, RunRollup, SessionRollup, UsageEvent
from usage.replica import PRIMARY
from usage.selectors.access import Viewer
from usage.selectors.event_hours import NOTHING, Counted
from usage.selectors.event_places import at_places, count_up_to, find_places
from usage.selectors.events import EventQuery, search_for
from usage.selectors.overview import visible

MARGIN = timedelta(hours=1)


def event_by_key(organization_id: int, event_id: str) -> UsageEvent | None:
    """The stored event, found through its claim: ids alone have no index."""
    digest = digest_of(organization_id, event_id)
    claim = find_claims([digest]).get(digest)
    if claim is None:
        return None
    return (
        UsageEvent.objects.using(PRIMARY)
        .filter(organization_id=organization_id, occurred_at=claim.occurred_at, event_id=event_id)
        .select_related("organization", "project", "team", "subject", "api_key", "kind")
        .first()
    )


class FoundEvents:
    """The events that a question finds, newest first, read as far as they are asked for; None
    finds nothing."""

    def __init__(self, query: EventQuery | None) -> None:
        self._search = None if query is None else search_for(query)

    def __getitem__(self, rows: slice) -> list[UsageEvent]:
        """The events from one position to another."""
        if self._search is None:
            return []
        first = rows.start or 0
        places = find_places(self._search, limit=rows.stop - first, offset=first)
        events = at_places(places).select_related("organization", "project", "subject", "kind")
        return list(events.order_by("-occurred_at", "-id")) if places else []

    def counted(self, most: int) -> Counted:
        """How many there are and what they cost; no further than `most` and one more."""
        return NOTHING if self._search is None else count_up_to(self._search, most)


def near_episode(
    rows: QuerySet[UsageEvent], viewer: Viewer, name: str, episode: str
) -> QuerySet[UsageEvent]:
    """`rows` around the time of a session or run (`name`), which alone no index finds.

    An hour to either side allows for events that the roll up has not seen; where it knows
    nothing of the episode, the rows stay as they are.
    """
    model = SessionRollup if name == "session" else RunRollup
    known = model._default_manager.filter(
        organization_id__in=list(
            visible(Organization.objects.all(), viewer, "pk").values_list("pk", flat=True)
        ),
        **{f"{name}_id": episode},
    ).values_list("organization_id", "started_at", "ended_at")
    spans = [
        Q(organization_id=owner, occurred_at__gte=start - MARGIN, occurred_at__lte=end + MARGIN)
        for owner, start, end in known
    ]
    return rows.filter(reduce(or_, spans)) if spans else rows
