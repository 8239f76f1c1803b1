"""Exports as their requesters see them."""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC
from decimal import Decimal
from uuid import UUID

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db.models import Q, QuerySet

from usage.formats import rounded, share
from usage.keys import KeyHolder
from usage.models import Export, ExportPart
from usage.selectors.access import Viewer, viewer_of
from usage.selectors.cursors import bad_cursor, fingerprint, pack, read_instant, unpack

UNFINISHED = (Export.Status.WAITING, Export.Status.RUNNING)


_NEWER, _OLDER = "newer", "older"


@dataclass(frozen=True, slots=True)
class Requester:
    """Whose exports: those of a user or of a key. Both None: nobody's, as of a command."""

    viewer: Viewer
    user_id: int | None = None
    key_id: int | None = None


@dataclass(frozen=True, slots=True)
class ExportPage:
    """Exports, newest first, and the cursors of the pages of older and newer ones."""

    exports: list[Export]
    older: str | None
    newer: str | None


def requester_of(caller: KeyHolder | AbstractBaseUser | AnonymousUser) -> Requester:
    """The bearer of a key or a signed-in user as one who asks for exports."""
    viewer = viewer_of(caller)
    if isinstance(caller, KeyHolder):
        return Requester(viewer, key_id=caller.key_id)
    return Requester(viewer, user_id=caller.pk)


def own_exports(requester: Requester) -> QuerySet[Export]:
    """What the requester asked for and may still see, newest first.

    An export is out of sight for who no longer sees each organization that is in it.
    """
    own = Q(pk__in=())
    if requester.user_id is not None:
        own = Q(requested_by_id=requester.user_id)
    elif requester.key_id is not None:
        own = Q(api_key_id=requester.key_id)
    return _in_reach(requester.viewer).filter(own)


def visible_exports(requester: Requester) -> QuerySet[Export]:
    """The requester's own exports; for who sees every organization, everybody's."""
    if requester.viewer.organization_ids is None:
        return Export.objects.all()
    return own_exports(requester)


def list_exports(requester: Requester, limit: int, cursor: str = "") -> ExportPage:
    """A page of the requester's own exports. Raises QuestionError for a foreign cursor."""
    question = fingerprint("exports", requester.user_id, requester.key_id)
    rows = own_exports(requester)
    newer = False
    if cursor:
        way, *place = unpack(cursor, question, 3)
        newer = way == _NEWER
        rows = rows.filter(_beyond(*place, newer=newer))
    if newer:
        rows = rows.order_by("requested_at", "pk")
    found = list(rows[: limit + 1])
    more = len(found) > limit
    exports = found[:limit]
    if newer:
        exports.reverse()
    return ExportPage(
        exports,
        _cursor(question, _OLDER, exports[-1:]) if more or newer else None,
        _cursor(question, _NEWER, exports[:1]) if (more if newer else cursor) else None,
    )


def find_export(requester: Requester, pk: UUID) -> Export | None:
    """An export that the requester may see."""
    return visible_exports(requester).filter(pk=pk).first()


def percent_done(export: Export) -> int | None:
    """How much of the file is there; None as long as nobody knows. Never 100 before the end."""
    match export.status:
        case Export.Status.DONE | Export.Status.EXPIRED:
            return 100
        case Export.Status.WAITING:
            return 0
    part = share(export.rows_done, export.rows_total) if export.rows_total else None
    return None if part is None else int(min(rounded(part, 0), Decimal(99)))


def read_file(export: Export) -> Iterator[bytes]:
    """The file, a part at a time.

    Raises ExportPart.DoesNotExist when it is taken away meanwhile.
    """
    parts = ExportPart.objects.filter(export_id=export.pk)
    for number in list(parts.order_by("number").values_list("number", flat=True)):
        yield zlib.decompress(parts.get(number=number).data)


def _in_reach(viewer: Viewer) -> QuerySet[Export]:
    rows = Export.objects.all()
    if viewer.organization_ids is None:
        return rows
    return rows.filter(organization_ids__contained_by=sorted(viewer.organization_ids))


def _beyond(requested_at: str, pk: str, *, newer: bool) -> Q:
    try:
        at, number = read_instant(requested_at), UUID(pk)
    except ValueError as error:
        raise bad_cursor() from error
    if newer:
        return Q(requested_at__gt=at) | Q(requested_at=at, pk__gt=number)
    return Q(requested_at__lt=at) | Q(requested_at=at, pk__lt=number)


def _cursor(question: str, way: str, edge: list[Export]) -> str | None:
    for export in edge:
        at = export.requested_at.astimezone(UTC).isoformat()
        return pack(question, [way, at, str(export.pk)])
    return None
