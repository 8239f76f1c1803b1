from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection
from django.db.migrations.state import ProjectState

from usage.ingest.partitions import make_ahead

OPERATION = import_module("usage.migrations.0012_rare_events").Migration.operations[0]
NAME = OPERATION.index.name
OF_MONTHS = f"""
    SELECT month.relname FROM pg_inherits JOIN pg_index ON indexrelid = inhrelid
    JOIN pg_class month ON month.oid = indrelid WHERE inhparent = '{NAME}'::regclass
    ORDER BY 1
"""


def months_indexed_anew() -> list[str]:
    state = ProjectState.from_apps(apps)
    with connection.schema_editor(collect_sql=True, atomic=False) as editor:
        OPERATION.database_forwards("usage", editor, state, state)
    assert editor.collected_sql is not None
    made = [line.split() for line in editor.collected_sql if "CREATE INDEX CONC" in line]
    return [words[words.index("ON") + 1] for words in made]


@pytest.mark.django_db
def test_an_upgrade_that_was_broken_off_goes_on_with_the_months_that_have_no_index_yet() -> None:
    make_ahead()
    with connection.cursor() as cursor:
        cursor.execute(OF_MONTHS)
        first, *others = [month for (month,) in cursor.fetchall()]
        on = "(organization_id, occurred_at) WHERE state > 0"
        cursor.execute(f"DROP INDEX {NAME}")
        cursor.execute(f"CREATE INDEX {NAME} ON ONLY usage_usageevent {on}")
        cursor.execute(f"CREATE INDEX {first}_odd ON {first} {on}")
        cursor.execute(f"ALTER INDEX {NAME} ATTACH PARTITION {first}_odd")
    assert others
    assert months_indexed_anew() == others
