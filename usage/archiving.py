"""Putting organizations and projects away, and taking them out again; nothing is deleted."""

from typing import TypeVar

from django.db.models import QuerySet
from django.utils import timezone

from usage.models import Organization, Project

Archivable = TypeVar("Archivable", Organization, Project)


def archive(rows: QuerySet[Archivable]) -> int:
    """Archive those of `rows` that are not; return how many. Keys of an archived
    organization no longer work, and its events are refused."""
    return rows.filter(archived_at=None).update(archived_at=timezone.now())


def restore(rows: QuerySet[Archivable]) -> int:
    """Take archived rows back into use; return how many."""
    return rows.exclude(archived_at=None).update(archived_at=None)
