"""Projects and API keys that report regularly and went silent.

The facts of such an alert: `what` it is (project or API key), its `name` (project web), when it
was `last_seen`, and `usual_gap_hours`: for how many of the hours in which it is usually heard it
had been silent before.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Q

from budgets.alerts.keeping import Finding, keep
from budgets.models import Alert
from budgets.watching.rhythm import GIVEN_UP, LEARNT, LEAST_DAYS, LEAST_SILENCE, broken_rhythm
from usage.models import APIKey, Project
from usage.selectors.activity import Activity, Source, silent_sources


def watch_stale(now: datetime) -> None:
    """Open an alert for each source that is silent; those heard again, or for 14 days not, are
    over."""
    known = silent_sources(now - LEARNT - GIVEN_UP, now - LEAST_SILENCE, LEAST_DAYS)
    owners = {**_projects(known), **_keys(known, now)}
    gaps = {
        source: gap
        for source, owner in owners.items()
        if (gap := broken_rhythm(known[source].hours, known[source].last_at, _zone(owner), now))
    }
    findings = [
        _finding(source, owners[source], known[source], gap)
        for source, gap in gaps.items()
        if source.api_key_id or not _keys_tell(known[source], gaps)
    ]
    keep(Alert.Kind.STALE, findings, now)


def _projects(sources: Collection[Source]) -> dict[Source, Project | APIKey]:
    rows = Project.objects.filter(
        pk__in=[source.project_id for source in sources if source.project_id],
        archived_at=None,
        organization__archived_at=None,
    )
    return {Source(project_id=row.pk): row for row in rows.select_related("organization")}


def _keys(sources: Collection[Source], now: datetime) -> dict[Source, Project | APIKey]:
    rows = APIKey.objects.filter(
        Q(expiry_date=None) | Q(expiry_date__gt=now),
        Q(organization=None) | Q(organization__archived_at=None),
        pk__in=[source.api_key_id for source in sources if source.api_key_id],
        revoked=False,
    )
    return {Source(api_key_id=row.pk): row for row in rows.select_related("organization")}


def _zone(owner: Project | APIKey) -> ZoneInfo:
    organization = owner.organization
    return ZoneInfo(organization.time_zone if organization else settings.TALLYMAN_TIME_ZONE)


def _keys_tell(activity: Activity, silent: Mapping[Source, int]) -> bool:
    """Whether alerts of keys say already that a project is silent."""
    return all(Source(api_key_id=pk) in silent for pk in activity.through if pk is not None) and (
        None not in activity.through
    )


def _finding(source: Source, owner: Project | APIKey, activity: Activity, gap: int) -> Finding:
    is_key = source.api_key_id is not None
    what = "API key" if is_key else "project"
    facts = {
        "what": what,
        "name": f"{what} {owner.name if isinstance(owner, APIKey) else owner}",
        "last_seen": activity.last_at,
        "usual_gap_hours": str(gap),
    }
    return Finding(
        f"{'key' if is_key else 'project'}:{owner.pk}",
        Alert.Severity.WARNING,
        facts,
        organization_id=owner.organization_id,
    )
