"""Rows of a level replaced by fresh ones, writing only those that differ."""

from collections.abc import Sequence

_NOT_GIVEN = frozenset(("project_id", "team_id", "subject_id", "api_key_id", "member_id"))


def replacing(
    table: str, keys: Sequence[str], values: Sequence[str], fresh: str, within: str
) -> str:
    """The statement that makes the rows of `table` `within` a condition be those of `fresh`.

    Rows have `keys` and `values`, the first of which is never NULL; `within` names the table `t`.
    Runs alone on these rows. Parameter `organization` owns them.
    """
    same = " AND ".join(f"{_known('fresh', key)} = {_known('old', key)}" for key in keys)
    listed, lead = ", ".join((*keys, *values)), values[0]
    # None of this can become a nested loop, which the planner likes too much for large tables
    # without statistics: a full join on such terms is hashed or merged, the rest goes by index.
    return f"""
    WITH fresh AS MATERIALIZED ({fresh}), old AS (
        SELECT t.id, {_of("t", (*keys, *values))} FROM {table} t WHERE {within}
    ), changed AS MATERIALIZED (
        SELECT old.id, fresh.* FROM fresh FULL JOIN old ON {same}
        WHERE ({_of("fresh", values)}) IS DISTINCT FROM ({_of("old", values)})
    ), gone AS (
        DELETE FROM {table}
        WHERE id = ANY(ARRAY(SELECT changed.id FROM changed WHERE changed.{lead} IS NULL))
    )
    INSERT INTO {table} (organization_id, {listed})
    SELECT %(organization)s, {listed} FROM changed WHERE {lead} IS NOT NULL
    ON CONFLICT (organization_id, {", ".join(keys)})
    DO UPDATE SET {", ".join(f"{name} = excluded.{name}" for name in values)}
    """


def _of(table: str, names: Sequence[str]) -> str:
    return ", ".join(f"{table}.{name}" for name in names)


def _known(table: str, key: str) -> str:
    """A key that is never NULL; ids are never 0."""
    return f"coalesce({table}.{key}, 0)" if key in _NOT_GIVEN else f"{table}.{key}"
