"""15-minute buckets → whole sessions and runs."""

from collections.abc import Sequence

from django.db import connection

from usage.rollups.columns import SUM_OF_SUMS, SUMS
from usage.rollups.replacing import replacing

_CHUNK = 5_000
_ORPHANS = """
    DELETE FROM {table} whole WHERE organization_id = %s AND NOT EXISTS (
        SELECT FROM usage_usagerollup part
        WHERE part.organization_id = whole.organization_id AND part.{name} = whole.{name}
    )
"""


def _statement(table: str, name: str, *extra: tuple[str, str]) -> str:
    columns = ("project_id", "subject_id", "main_kind_id", "started_at", "ended_at")
    extras = "".join(f", {source} AS {column}" for column, source in extra)
    fresh = f"""
    SELECT whole.*{extras} FROM (
        SELECT {name}, min(started_at) AS started_at, max(ended_at) AS ended_at,
               (array_agg(project_id ORDER BY ended_at DESC, kind_id))[1] AS project_id,
               (array_agg(subject_id ORDER BY ended_at DESC, kind_id))[1] AS subject_id,
               (array_agg(
                   kind_id ORDER BY cost DESC, input_tokens + output_tokens DESC, kind_id
               ))[1] AS main_kind_id,
               {SUM_OF_SUMS}
        FROM (
            SELECT {name}, kind_id, min(first_at) AS started_at, max(last_at) AS ended_at,
                   (array_agg(project_id ORDER BY last_at DESC, project_id))[1] AS project_id,
                   (array_agg(subject_id ORDER BY last_at DESC, subject_id))[1] AS subject_id,
                   {SUM_OF_SUMS}
            FROM usage_usagerollup
            WHERE organization_id = %(organization)s AND {name} = ANY(%(names)s)
            GROUP BY {name}, kind_id
        ) AS by_kind GROUP BY {name}
    ) AS whole
    {"JOIN usage_callkind k ON k.id = main_kind_id" if extra else ""}
    """
    values = (*SUMS, *columns, *(column for column, _ in extra))
    within = f"t.organization_id = %(organization)s AND t.{name} = ANY(%(names)s)"
    return replacing(table, (name,), values, fresh, within)


_SESSIONS = _statement("usage_sessionrollup", "session_id")
_RUNS = _statement("usage_runrollup", "run_id", ("run_trigger", "k.run_trigger"))


def recompute_sessions(organization_id: int, sessions: Sequence[str]) -> None:
    """Replace the sums of whole sessions. Runs under the organization's rollup lock."""
    _run(_SESSIONS, organization_id, sessions)


def recompute_runs(organization_id: int, runs: Sequence[str]) -> None:
    """Replace the sums of whole runs. Runs under the organization's rollup lock."""
    _run(_RUNS, organization_id, runs)


def remove_orphans(organization_id: int) -> None:
    """Remove sessions and runs that no bucket knows. Runs under the organization's rollup lock."""
    with connection.cursor() as cursor:
        for table, name in (("usage_sessionrollup", "session_id"), ("usage_runrollup", "run_id")):
            cursor.execute(_ORPHANS.format(table=table, name=name), (organization_id,))


def _run(statement: str, organization_id: int, names: Sequence[str]) -> None:
    with connection.cursor() as cursor:
        for start in range(0, len(names), _CHUNK):
            chunk = list(names[start : start + _CHUNK])
            cursor.execute(statement, {"organization": organization_id, "names": chunk})
