"""The calls of one project or subject, newest first, without walking through everybody else's.

Only calls that count are meant: what a correction replaced, reversals and adjustments are left
out, as they are of the number of events everywhere.
"""

from datetime import UTC, datetime
from typing import Any

from usage.models import MonthlyFacet, Project, Subject, UsageEvent
from usage.models.events import BUCKET
from usage.replica import reading
from usage.rollups.columns import IS_CALL
from usage.selectors.event_hours import Named, Search
from usage.selectors.event_places import find_places
from usage.selectors.events import StoredEvent, events_at
from usage.selectors.periods import FIRST_YEAR, LAST_YEAR

Owner = Project | Subject
# One statement, so that sums, marks and events are seen as of one moment.
_COUNT = """
    WITH waiting AS MATERIALIZED (
        SELECT DISTINCT bucket FROM usage_dirtymark WHERE organization_id = %(organization)s
    )
    SELECT coalesce((
        SELECT sum(events) FROM usage_monthlyfacet
        WHERE organization_id = %(organization)s AND facet = %(facet)s AND member_id = %(owner)s
    ), 0) - coalesce((
        SELECT sum(r.events) FROM waiting JOIN usage_usagerollup r
          ON r.organization_id = %(organization)s AND r.bucket = waiting.bucket
        WHERE r.{column} = %(owner)s
    ), 0) + (
        SELECT count(*) FROM waiting JOIN usage_usageevent e
          ON e.organization_id = %(organization)s
         AND e.occurred_at >= waiting.bucket AND e.occurred_at < waiting.bucket + %(length)s
        WHERE e.{column} = %(owner)s AND e.{is_call}
    )
"""


def count_events(owner: Owner) -> int:
    """How many calls `recent_events` leads through."""
    column = _column(owner)
    asked: dict[str, Any] = {
        "organization": owner.organization_id, "owner": owner.pk,
        "facet": MonthlyFacet.COLUMNS[column], "length": BUCKET,
    }  # fmt: skip
    with reading().cursor() as cursor:
        cursor.execute(_COUNT.format(column=column, is_call=IS_CALL), asked)
        return int(cursor.fetchone()[0])


def recent_events(owner: Owner, *, limit: int, offset: int = 0) -> list[StoredEvent]:
    """At most `limit` calls, newest first, after the first `offset` of them."""
    search = Search(
        [owner.organization_id],
        datetime(FIRST_YEAR, 1, 1, tzinfo=UTC),
        datetime(LAST_YEAR, 1, 1, tzinfo=UTC),
        named=[Named(_column(owner), [owner.pk])],
        facts=UsageEvent.objects.filter(state=UsageEvent.State.COUNTED),
    )
    return events_at(find_places(search, limit=limit, offset=offset))


def _column(owner: Owner) -> str:
    return "project_id" if isinstance(owner, Project) else "subject_id"
