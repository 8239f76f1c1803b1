from django.db import connection
from django.db.migrations.loader import MigrationLoader


def test_the_triggers_can_be_taken_away_and_made_again(db: None) -> None:
    loader = MigrationLoader(connection)
    migration = loader.get_migration("pricing", "0002_append_only")
    before = loader.project_state(("pricing", "0001_prices"))
    with connection.schema_editor() as editor:
        migration.unapply(before.clone(), editor)
        assert triggers() == set()
        migration.apply(before.clone(), editor)
    assert triggers() == {"pricing_priceversion", "pricing_price", "pricing_pricetier"}


def triggers() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT event_object_table FROM information_schema.triggers"
            " WHERE trigger_name = 'append_only'"
        )
        return {table for (table,) in cursor.fetchall()}
