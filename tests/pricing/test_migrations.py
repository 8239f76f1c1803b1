from django.db import connection
from django.db.migrations.loader import MigrationLoader

from pricing.selectors import CATALOGUE, MANUAL, named_card

PRICES = {"pricing_priceversion", "pricing_price", "pricing_pricetier"}
RECORD = {"pricing_pricechange", "pricing_exchangerate"}


def test_the_triggers_can_be_taken_away_and_made_again(db: None) -> None:
    # Made here where a transactional test has emptied the tables: the migration looks for them.
    named_card(CATALOGUE)
    named_card(MANUAL)
    loader = MigrationLoader(connection)
    prices = loader.get_migration("pricing", "0002_append_only")
    record = loader.get_migration("pricing", "0004_record_is_append_only")
    # The tables stay as they are now; only the triggers come and go.
    state = loader.project_state(("pricing", "0004_record_is_append_only"))
    with connection.schema_editor() as editor:
        record.unapply(state.clone(), editor)
        assert triggers() == PRICES
        prices.unapply(state.clone(), editor)
        assert triggers() == set()
        prices.apply(state.clone(), editor)
        record.apply(state.clone(), editor)
    assert triggers() == PRICES | RECORD


def triggers() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT event_object_table FROM information_schema.triggers"
            " WHERE trigger_name = 'append_only'"
        )
        return {table for (table,) in cursor.fetchall()}
