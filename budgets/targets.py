"""What somebody means to limit who names an organization and a project, or neither."""

from typing import NamedTuple

from usage.models import Organization, Project


class UnknownTargetError(LookupError):
    """There is nothing called so, or more than one; the text says what."""


class Target(NamedTuple):
    """An organization, or one of its projects."""

    organization: Organization
    project: Project | None = None


def find_target(organization: str = "", project: str = "") -> Target:
    """The project or organization of these slugs; without `organization` the only one there is.

    Raises UnknownTargetError.
    """
    if project:
        found = _find_project(organization, project)
        return Target(found.organization, found)
    rows = Organization.objects.filter(archived_at=None)
    owners = list((rows.filter(slug=organization) if organization else rows)[:2])
    if len(owners) > 1:
        raise UnknownTargetError("there are several organizations: name one with --organization")
    if not owners:
        known = f"no organization {organization!r}" if organization else "no organization yet"
        raise UnknownTargetError(f"there is {known}")
    return Target(owners[0])


def _find_project(organization: str, slug: str) -> Project:
    rows = Project.objects.filter(slug=slug).select_related("organization")
    found = list((rows.filter(organization__slug=organization) if organization else rows)[:2])
    if len(found) > 1:
        raise UnknownTargetError(
            f"several organizations have a project {slug!r}: name one with --organization"
        )
    if not found:
        raise UnknownTargetError(f"there is no project {slug!r}")
    return found[0]
