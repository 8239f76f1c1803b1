"""Writing the files that were asked for.

All rows of a file come from one snapshot: one connection reads, in one transaction. What is
written must be seen at once, as progress, and stay when reading goes on: so another connection
writes, each part in a transaction of its own. The reading transaction holds the lock on the
export; when its process dies the lock is free, and another one begins anew, as a next attempt.
Whatever an attempt writes is written only while it is the latest, so that one believed dead can
never add to the file of another.
"""

import logging
import zlib
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import timedelta
from time import monotonic
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.backends.base.base import BaseDatabaseWrapper

from usage.exports.encoding import Row, encode
from usage.exports.files import about_how_many, open_table, read_parameters
from usage.exports.snapshot import snapshot_for_file
from usage.focus import closed_and_not_frozen, freeze_closed_months
from usage.models import Export
from usage.selectors.access import Viewer
from usage.selectors.exports import UNFINISHED
from usage.selectors.questions import QuestionError

PART_BYTES = 1024 * 1024
MOST_ATTEMPTS = 3
_TELL_EVERY = 1.0
_SECONDS = 20.0
_SLOT, _EXPORT = 0x7A16, 0x7A17
_log = logging.getLogger(__name__)

_TAKE = """
    SELECT pg_try_advisory_xact_lock(%(class)s, hashtext(%(export)s::text))
"""
_BEGIN = """
    UPDATE usage_export SET status = 'running', attempts = attempts + 1, started_at = now(),
        rows_done = 0, size = 0, rows_total = NULL
    WHERE id = %s AND status IN ('waiting', 'running') RETURNING attempts
"""
_DROP_PARTS = "DELETE FROM usage_exportpart WHERE export_id = %s"
_TELL = """
    UPDATE usage_export SET rows_done = %(rows)s, size = %(size)s, rows_total = %(total)s
    WHERE id = %(export)s AND attempts = %(attempt)s AND status = 'running'
"""
_STORE = """
    WITH mine AS (
        UPDATE usage_export SET rows_done = %(rows)s, size = %(size)s, rows_total = %(total)s
        WHERE id = %(export)s AND attempts = %(attempt)s AND status = 'running' RETURNING id
    )
    INSERT INTO usage_exportpart (export_id, number, data)
    SELECT id, %(number)s, %(data)s FROM mine
"""
_FINISH = """
    UPDATE usage_export SET status = 'done', finished_at = now(), error = '',
        rows_done = %(rows)s, rows_total = %(rows)s, expires_at = now() + %(keep)s
    WHERE id = %(export)s AND attempts = %(attempt)s AND status = 'running'
"""
_FAIL = """
    UPDATE usage_export SET status = 'failed', finished_at = now(), error = %(error)s
    WHERE id = %(export)s AND attempts = %(attempt)s AND status = 'running'
"""


class _Superseded(Exception):
    """Another attempt has the export now, or it is gone."""


def continue_exports(seconds: float = _SECONDS) -> int:
    """Write files that are waited for, the oldest request first; return how many.

    None is begun after `seconds`. Safe at any time and any number of times at once: an export
    that another process writes is left to it, and no more are written at the same time than
    TALLYMAN_EXPORTS_AT_ONCE.
    """
    written = 0
    deadline = monotonic() + seconds
    for export in Export.objects.filter(status__in=UNFINISHED).order_by("requested_at", "pk"):
        if monotonic() > deadline:
            break
        written += _continue(export)
    return written


def _continue(export: Export) -> bool:
    try:
        if export.kind == Export.Kind.FOCUS:
            # Else it would be done, and its locks held, in the long transaction that reads. A
            # worker that waited for another one would be missing for other work.
            freeze_closed_months(wait=False)
            if closed_and_not_frozen().exists():
                return False
        is_focus = export.kind == Export.Kind.FOCUS
        with closing(_another_connection()) as side, snapshot_for_file(makes_tables=is_focus):
            return _take(export) and _Attempt(export, side).run()
    except _Superseded:
        return False
    except DatabaseError as error:
        # The lock is free again, so the next run tries anew as long as attempts are left.
        _log.warning("export %s: %s", export.pk, error)
        return False


def _another_connection() -> BaseDatabaseWrapper:
    return connection.copy()


def _take(export: Export) -> bool:
    """Whether this process may write this export, until its transaction ends."""
    with connection.cursor() as cursor:
        for slot in range(settings.TALLYMAN_EXPORTS_AT_ONCE):
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", (_SLOT, slot))
            if cursor.fetchone()[0]:
                cursor.execute(_TAKE, {"class": _EXPORT, "export": export.pk})
                return bool(cursor.fetchone()[0])
    return False


class _Attempt:
    """One try to write the file; `side` is the connection that writes."""

    def __init__(self, export: Export, side: BaseDatabaseWrapper) -> None:
        self._export = export
        self._side = side
        self._attempt = 0
        self._rows = 0
        self._size = 0
        self._total: int | None = None
        self._told = monotonic()

    def run(self) -> bool:
        """Write the file or say why it cannot be; False when nobody waits for it any more."""
        begun = self._begin()
        if begun is None:
            return False
        self._attempt = begun
        if begun > MOST_ATTEMPTS:
            self._do(_FAIL, error=f"Writing the file was broken off {MOST_ATTEMPTS} times.")
            return True
        try:
            self._write()
        except QuestionError as error:
            self._do(_FAIL, error=str(error))
            self._drop_parts()
        return True

    def _begin(self) -> int | None:
        # Beside the snapshot, which may be older than the end of another attempt.
        with self._side.cursor() as cursor:
            cursor.execute(_BEGIN, (self._export.pk,))
            row = cursor.fetchone()
        if row is None:
            return None
        self._drop_parts()
        attempt: int = row[0]
        return attempt

    def _write(self) -> None:
        export = self._export
        ids = export.organization_ids
        viewer = Viewer(None if ids is None else frozenset(ids))
        question = read_parameters(export.kind, export.parameters, viewer)
        self._total = about_how_many(question)
        self._do(_TELL)
        table = open_table(question)
        number, held = 0, bytearray()
        for piece in encode(export.format, table.columns, self._counted(table.rows)):
            self._size += len(piece)
            held += piece
            if len(held) >= PART_BYTES:
                self._store(number, held)
                number, held = number + 1, bytearray()
            elif monotonic() - self._told > _TELL_EVERY:
                self._do(_TELL)
        self._store(number, held)
        self._do(_FINISH, keep=timedelta(hours=settings.TALLYMAN_EXPORT_HOURS))

    def _counted(self, rows: Iterable[Row]) -> Iterator[Row]:
        for row in rows:
            self._rows += 1
            yield row

    def _store(self, number: int, data: bytearray) -> None:
        self._do(_STORE, number=number, data=zlib.compress(data))

    def _do(self, statement: str, **values: Any) -> None:
        """Write to the export if this is its latest attempt. Raises _Superseded if not."""
        known: dict[str, Any] = {
            "export": self._export.pk,
            "attempt": self._attempt,
            "rows": self._rows,
            "size": self._size,
            "total": self._total,
        }
        with self._side.cursor() as cursor:
            cursor.execute(statement, {**known, **values})
            if not cursor.rowcount:
                raise _Superseded
        self._told = monotonic()

    def _drop_parts(self) -> None:
        with self._side.cursor() as cursor:
            cursor.execute(_DROP_PARTS, (self._export.pk,))
