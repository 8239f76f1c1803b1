"""When projects and API keys reported usage, hour by hour."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from django.db import connection

# Days are told apart before they are counted, which spares a sort of all rows. A source that has
# been heard lately needs no closer look.
_SILENT = """
    WITH days AS (
        SELECT DISTINCT r.project_id, r.api_key_id, r.day
        FROM usage_organization o JOIN usage_dailyrollup r ON r.organization_id = o.id
         AND r.day >= (%(since)s AT TIME ZONE o.time_zone)::date
        WHERE r.events > 0
    )
    SELECT project_id, api_key_id FROM days
    GROUP BY GROUPING SETS ((project_id), (api_key_id)) HAVING count(DISTINCT day) >= %(days)s
    EXCEPT
    SELECT r.project_id, r.api_key_id
    FROM usage_organization o JOIN usage_usagerollup r ON r.organization_id = o.id
     AND r.bucket >= %(lately)s
    WHERE r.events > 0 GROUP BY GROUPING SETS ((r.project_id), (r.api_key_id))
"""
_HOURS = """
    SELECT r.project_id, r.api_key_id, date_bin('1 hour', r.bucket, 'epoch'), max(r.last_at)
    FROM usage_organization o JOIN usage_usagerollup r ON r.organization_id = o.id
     AND r.bucket >= %(since)s
    WHERE r.events > 0 AND (r.project_id = ANY(%(projects)s) OR r.api_key_id = ANY(%(keys)s))
    GROUP BY 1, 2, 3
"""


class Source(NamedTuple):
    """What usage comes from: the project or the API key with the id that is not None."""

    project_id: int | None = None
    api_key_id: int | None = None


@dataclass(slots=True)
class Activity:
    """The UTC hours in which a source was heard, when it was last, and for a project through which
    keys (None: through none)."""

    last_at: datetime
    hours: set[datetime] = field(default_factory=set)
    through: set[int | None] = field(default_factory=set)

    def hear(self, hour: datetime, at: datetime, key_id: int | None) -> None:
        """Count an hour, `at` being the last moment in it."""
        self.hours.add(hour)
        self.last_at = max(self.last_at, at)
        self.through.add(key_id)


def silent_sources(since: datetime, lately: datetime, days: int) -> dict[Source, Activity]:
    """Who was heard on at least `days` days from `since` on, but not from `lately` on (aware)."""
    with connection.cursor() as cursor:
        cursor.execute(_SILENT, {"since": since, "lately": lately, "days": days})
        silent = {Source(*row) for row in cursor.fetchall()} - {Source()}
        if not silent:
            return {}
        ids = {
            "projects": [source.project_id for source in silent if source.project_id],
            "keys": [source.api_key_id for source in silent if source.api_key_id],
        }
        cursor.execute(_HOURS, {"since": since, **ids})
        found: dict[Source, Activity] = {}
        for project_id, key_id, hour, at in cursor.fetchall():
            for source in {Source(project_id), Source(None, key_id)} & silent:
                found.setdefault(source, Activity(at)).hear(hour, at, key_id)
    return found
