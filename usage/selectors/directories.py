"""Organizations, projects, people and models by name: told apart, searched, listed unused."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Model, Q, QuerySet

from usage.models import CallKind, Organization, Project, Subject
from usage.selectors.access import Viewer
from usage.selectors.filters import ORGANIZATION
from usage.selectors.overview import visible

MAX_FOUND = 5000
"""So many names at most are found by a text: as many as one question should filter by."""
Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Directory:
    """A table of names: `keys` are the columns that questions group by, the last its own."""

    model: type[Model]
    keys: tuple[str, ...]
    told: tuple[str, ...]
    owner: str = "organization_id"

    def rows(self, viewer: Viewer) -> QuerySet[Any]:
        """What a viewer may see, by its keys."""
        return visible(self.model._default_manager.order_by(*self.keys), viewer, self.owner)

    def split(self, row: tuple[str, ...]) -> tuple[Key, tuple[str, ...]]:
        """A row of all columns as its key and what is told of it."""
        return row[: len(self.keys)], row[len(self.keys) :]


_OWNED = "organization__slug"
_DIRECTORIES = {
    ORGANIZATION: _Directory(Organization, ("slug",), ("name",), "pk"),
    "project": _Directory(Project, (_OWNED, "slug"), ("name",)),
    "subject": _Directory(Subject, (_OWNED, "key"), ("email", "display_name")),
}


def told_names(kind: str) -> tuple[str, ...]:
    """What `names_of` tells of a dimension's values, none for models."""
    return _DIRECTORIES[kind].told if kind in _DIRECTORIES else ()


def names_of(
    viewer: Viewer, kind: str, keys: Iterable[Key] | None = None
) -> dict[Key, tuple[str, ...]]:
    """What is told (see `told_names`) of these, or of all, that a viewer may see.

    Keys name the organization first where it owns them.
    """
    if kind not in _DIRECTORIES:
        return {}
    directory = _DIRECTORIES[kind]
    rows = directory.rows(viewer)
    if keys is not None:
        wanted = [Q(**dict(zip(directory.keys, key, strict=True))) for key in keys]
        if not wanted:
            return {}
        rows = rows.filter(reduce(or_, wanted))
    return dict(map(directory.split, rows.values_list(*directory.keys, *directory.told)))


def find_names(viewer: Viewer, kind: str, text: str) -> list[str]:
    """The values of a dimension that hold `text` in whatever case, themselves or in what is told.

    Models are those of any calls, by their reported names.
    """
    text = text.replace("\0", "")
    if kind not in _DIRECTORIES:
        models = CallKind.objects.filter(model__icontains=text).order_by("model")
        return list(models.values_list("model", flat=True).distinct()[:MAX_FOUND])
    directory = _DIRECTORIES[kind]
    searched = (directory.keys[-1], *directory.told)
    holds = reduce(or_, (Q(**{f"{column}__icontains": text}) for column in searched))
    found = directory.rows(viewer).filter(holds)
    return list(dict.fromkeys(found.values_list(directory.keys[-1], flat=True)[:MAX_FOUND]))


def unused_names(
    viewer: Viewer, kind: str, used: Collection[Key], only: Mapping[str, Collection[str]]
) -> list[Key]:
    """The organizations or projects that a viewer may see and that are not among `used`.

    `only` are allowed values of organization and project. Archived projects are left out.
    """
    directory = _DIRECTORIES[kind]
    rows = directory.rows(viewer)
    for column, name in ((directory.keys[0], ORGANIZATION), (directory.keys[-1], kind)):
        if name in only:
            rows = rows.filter(**{f"{column}__in": only[name]})
    if kind == "project":
        rows = rows.filter(archived_at=None)
    return [key for key in rows.values_list(*directory.keys) if key not in used]
