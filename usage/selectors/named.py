"""What an address names: an organization, a project, a subject."""

from typing import TypeVar

from django.db.models import Model, QuerySet

from usage.models import Organization, Project, Subject
from usage.selectors.access import Viewer
from usage.selectors.filters import ORGANIZATION
from usage.selectors.overview import visible
from usage.selectors.questions import QuestionError

AnyModel = TypeVar("AnyModel", bound=Model)


def find_organization(viewer: Viewer, slug: str) -> Organization | None:
    """The organization a viewer sees under this slug, None if there is none."""
    if "\0" in slug:
        return None
    return visible(Organization.objects.filter(slug=slug), viewer, "pk").first()


def find_project(viewer: Viewer, slug: str, organization: str | None = None) -> Project | None:
    """The project a viewer sees under this slug, with its organization; None if there is none.

    Raises QuestionError when several organizations have one and none is named.
    """
    return None if "\0" in slug else _only(Project.objects.filter(slug=slug), viewer, organization)


def find_subject(viewer: Viewer, key: str, organization: str | None = None) -> Subject | None:
    """The subject a viewer sees under this key, with its organization; None if there is none.

    Raises QuestionError when several organizations have one and none is named.
    """
    return None if "\0" in key else _only(Subject.objects.filter(key=key), viewer, organization)


def _only(rows: QuerySet[AnyModel], viewer: Viewer, organization: str | None) -> AnyModel | None:
    rows = visible(rows, viewer)
    if organization is not None:
        rows = rows.filter(organization__slug=organization)
    found = list(rows.select_related(ORGANIZATION)[:2])
    if len(found) > 1:
        kind = rows.model._meta.verbose_name
        message = f"Several organizations have this {kind}; name one."
        raise QuestionError(ORGANIZATION, "ambiguous", message)
    return found[0] if found else None
