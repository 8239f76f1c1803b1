"""Install PGMQ, the message queue in PostgreSQL that Celery uses unless a broker is configured."""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps
from pgmq.install import get_embedded_install_sql


def install(_apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Create the schema `pgmq`, unless the database has it already, say as an extension."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('pgmq.meta')")
        if cursor.fetchone() == (None,):
            cursor.execute(get_embedded_install_sql())


def remove(_apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Drop the schema `pgmq` and all queues, unless it belongs to an extension."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT FROM pg_extension WHERE extname = 'pgmq'")
        if cursor.fetchone() is None:
            cursor.execute("DROP SCHEMA IF EXISTS pgmq CASCADE")


class Migration(migrations.Migration):
    initial = True
    operations = [migrations.RunPython(install, remove)]
