"""What providers call their projects and workspaces, for those of which only the id is known."""

from dataclasses import dataclass

import msgspec

from usage.bills.calling import Patience
from usage.bills.reports import caller_for
from usage.bills.values import BillFault, named_as
from usage.models import BillProject, BillSource

_MOST_PAGES = 50


@dataclass(frozen=True, slots=True)
class _Directory:
    """Where a provider lists them: `after` is how the next page is asked for."""

    path: str
    after: str


_DIRECTORIES = {
    BillSource.Kind.ANTHROPIC: _Directory("/v1/organizations/workspaces", "after_id"),
    BillSource.Kind.OPENAI: _Directory("/v1/organization/projects", "after"),
}


class _Named(msgspec.Struct):
    id: str
    name: str | None = None


class _Names(msgspec.Struct):
    data: list[_Named]
    has_more: bool = False
    last_id: str | None = None


def name_projects(source: BillSource, key: str, patience: Patience) -> None:
    """Give names to the source's projects that have none.

    A name is a help to people and nothing more: where the provider does not tell it, the id
    stands, and no fault is raised.
    """
    nameless = BillProject.objects.filter(source=source, external_name="").exclude(external_id="")
    if BillSource.Kind(source.kind) not in _DIRECTORIES or not nameless.exists():
        return
    try:
        names = _read(source, key, patience)
    except BillFault:
        return
    for project in nameless:
        if name := named_as(names.get(project.external_id)):
            nameless.filter(pk=project.pk).update(external_name=name)


def _read(source: BillSource, key: str, patience: Patience) -> dict[str, str]:
    directory = _DIRECTORIES[BillSource.Kind(source.kind)]
    names: dict[str, str] = {}
    parameters = [("limit", "100"), ("include_archived", "true")]
    last: str | None = None
    with caller_for(source, key, patience) as caller:
        for _ in range(_MOST_PAGES):
            after = [(directory.after, last)] if last else []
            body = caller.get(directory.path, [*parameters, *after])
            try:
                page = msgspec.json.decode(body, type=_Names)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                raise BillFault(f"It is no list of projects: {error}") from None
            names |= {found.id: found.name or "" for found in page.data}
            if not page.has_more or page.last_id in (None, last):
                break
            last = page.last_id
    return names
