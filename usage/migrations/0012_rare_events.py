"""Indexes of the few events that failed, of those that a correction replaced or made, and of the
sums of a person, a project or a kind of call; all are made while events are stored."""

from typing import Any

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models import Q

# Those that have none yet: a month that was made after the parent's index has its own, and so have
# those that were done before this was broken off.
_MONTHS = """
    SELECT relname FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
    WHERE inhparent = 'usage_usageevent'::regclass AND NOT EXISTS (
        SELECT FROM pg_index own JOIN pg_inherits attached ON attached.inhrelid = own.indexrelid
        WHERE own.indrelid = pg_class.oid AND attached.inhparent = %s::regclass
    ) ORDER BY relname
"""

_SUMS = (
    ("usagerollup", "subject", "bucket", "usage_rollup_subject"),
    ("dailyrollup", "kind", "day", "usage_daily_kind"),
    ("monthlyrollup", "kind", "month", "usage_monthly_kind"),
    ("sessionrollup", "subject", "started_at", "usage_session_subject"),
    ("sessionrollup", "project", "started_at", "usage_session_project"),
)
_RARE = {
    "usage_event_odd": ("state", ("organization", "occurred_at")),
    "usage_event_failed": ("status", ("organization", "status", "occurred_at")),
}


class AddEventIndex(AddIndexConcurrently):
    """Makes an index month by month, for PostgreSQL cannot for a partitioned table as a whole."""

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: Any,
        to_state: Any,
    ) -> None:
        """Make the parent's first, so that months made meanwhile get theirs by themselves."""
        name = self.index.name
        column, fields = _RARE[name]
        columns = ", ".join(fields).replace("organization", "organization_id")
        on = f"({columns}) WHERE {column} > 0"
        schema_editor.execute(f"CREATE INDEX IF NOT EXISTS {name} ON ONLY usage_usageevent {on}")
        with schema_editor.connection.cursor() as cursor:
            cursor.execute(_MONTHS, [name])
            months = [month for (month,) in cursor.fetchall()]
        for month in months:
            own = f"{month}_{name.removeprefix('usage_event_')}"
            # One that was broken off is invalid: it is made anew.
            schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {own}")
            schema_editor.execute(f"CREATE INDEX CONCURRENTLY {own} ON {month} {on}")
            schema_editor.execute(f"ALTER INDEX {name} ATTACH PARTITION {own}")

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: Any,
        to_state: Any,
    ) -> None:
        """Drop it."""
        schema_editor.execute(f"DROP INDEX IF EXISTS {self.index.name}")


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("usage", "0011_facets")]

    operations = [
        *(
            AddEventIndex(
                model_name="usageevent",
                index=models.Index(
                    fields=fields,
                    condition=Q((f"{column}__gt", 0)),
                    name=name,
                ),
            )
            for name, (column, fields) in _RARE.items()
        ),
        *(
            AddIndexConcurrently(
                model_name=model,
                index=models.Index(fields=["organization", column, when], name=name),
            )
            for model, column, when, name in _SUMS
        ),
    ]
