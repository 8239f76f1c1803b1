"""One reservation with the names of what its call belongs to."""

from typing import Any
from uuid import UUID

from django.db import connection

from budgets.models import Reservation
from usage.models import APIKey, Organization, Project, Subject, Team
from usage.selectors.access import Viewer

# By hand, because it runs before every call that is settled, released or extended.
_FIND = """
    SELECT r.*, o.slug AS organization_slug, o.subject_policy, o.rate_card_id,
           p.slug AS project_slug, t.slug AS team_slug, s.key AS subject_key, k.prefix
    FROM budgets_reservation r
    JOIN usage_organization o ON o.id = r.organization_id
    LEFT JOIN usage_project p ON p.id = r.project_id
    LEFT JOIN usage_team t ON t.id = r.team_id
    LEFT JOIN usage_subject s ON s.id = r.subject_id
    LEFT JOIN usage_apikey k ON k.id = r.api_key_id
    WHERE r.id = %s
"""
_CHANGING = ("status", "event_id", "cost", "expires_at", "ended_at", "is_estimated")
_STANDS = """
    SELECT status, event_id, cost, expires_at, ended_at, is_estimated
    FROM budgets_reservation WHERE id = %s
"""


def find_reservation(viewer: Viewer, pk: str) -> Reservation | None:
    """The reservation with this id that a viewer may see. Of what it belongs to, only the names
    have been read, and of its organization what storing needs."""
    try:
        number = UUID(pk)
    except ValueError:
        return None
    for row in Reservation.objects.raw(_FIND, [number]):
        if viewer.may_see(row.organization_id):
            return _with_names(row)
    return None


def name_parts(
    row: Reservation,
    organization: Organization,
    *,
    project: str | None,
    team: str | None,
    subject: str | None,
) -> None:
    """Let a reservation know what its call belongs to by name, without reading it."""
    row.organization = organization
    if project is not None:
        row.project = Project(pk=row.project_id, slug=project)
    if team is not None:
        row.team = Team(pk=row.team_id, slug=team)
    if subject is not None:
        row.subject = Subject(pk=row.subject_id, key=subject)


def name_key(row: Reservation, prefix: str | None) -> None:
    """Let a reservation know its API key by the visible beginning of it."""
    if prefix is not None:
        row.api_key = APIKey(pk=row.api_key_id, prefix=prefix)


def read_again(row: Reservation) -> None:
    """Let a reservation tell what may have become of it since it was read."""
    with connection.cursor() as cursor:
        cursor.execute(_STANDS, (row.pk,))
        for name, value in zip(_CHANGING, cursor.fetchone(), strict=True):
            setattr(row, name, value)


def _with_names(row: Any) -> Reservation:
    """What `_FIND` has read: columns of other tables stand beside those of the reservation."""
    owner = Organization(
        pk=row.organization_id,
        slug=row.organization_slug,
        subject_policy=row.subject_policy,
        rate_card_id=row.rate_card_id,
    )
    name_parts(row, owner, project=row.project_slug, team=row.team_slug, subject=row.subject_key)
    name_key(row, row.prefix)
    found: Reservation = row
    return found
