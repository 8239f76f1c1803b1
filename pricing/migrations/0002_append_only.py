"""Keeps prices append-only in the database, and gives the price tables their revision."""

from django.conf import settings
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

TRIGGERS = """
CREATE FUNCTION pricing_version_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE'
        AND to_jsonb(NEW) - 'effective_to' - 'created_by_id'
            = to_jsonb(OLD) - 'effective_to' - 'created_by_id'
        AND (NEW.created_by_id IS NOT DISTINCT FROM OLD.created_by_id
            OR NEW.created_by_id IS NULL)
        AND (NEW.effective_to IS NOT DISTINCT FROM OLD.effective_to
            OR NEW.effective_to < coalesce(OLD.effective_to, 'infinity'))
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'price versions are append-only: only their end may move, and only earlier'
        USING ERRCODE = 'restrict_violation';
END $$;

CREATE FUNCTION pricing_price_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        -- created_at is the time of the transaction that made the version.
        IF EXISTS (
            SELECT FROM pricing_priceversion
            WHERE id = NEW.version_id AND created_at = transaction_timestamp()
        ) THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'prices are append-only and made with their version'
        USING ERRCODE = 'restrict_violation';
END $$;

CREATE FUNCTION pricing_tier_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF EXISTS (
            SELECT FROM pricing_price price
            JOIN pricing_priceversion version ON version.id = price.version_id
            WHERE price.id = NEW.price_id AND version.created_at = transaction_timestamp()
        ) THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'price tiers are append-only and made with their version'
        USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON pricing_priceversion
    FOR EACH ROW EXECUTE FUNCTION pricing_version_guard();
CREATE TRIGGER append_only BEFORE INSERT OR UPDATE OR DELETE ON pricing_price
    FOR EACH ROW EXECUTE FUNCTION pricing_price_guard();
CREATE TRIGGER append_only BEFORE INSERT OR UPDATE OR DELETE ON pricing_pricetier
    FOR EACH ROW EXECUTE FUNCTION pricing_tier_guard();
"""

NO_TRIGGERS = """
DROP TRIGGER append_only ON pricing_pricetier;
DROP TRIGGER append_only ON pricing_price;
DROP TRIGGER append_only ON pricing_priceversion;
DROP FUNCTION pricing_tier_guard();
DROP FUNCTION pricing_price_guard();
DROP FUNCTION pricing_version_guard();
"""


def make_cards(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Create the catalogue's card (its prices are in USD) and the one for prices set by hand."""
    cards = apps.get_model("pricing", "RateCard").objects
    cards.get_or_create(name="catalogue", defaults={"kind": "list", "currency": "USD"})
    manual = {"kind": "manual", "currency": settings.TALLYMAN_CURRENCY}
    cards.get_or_create(name="manual", defaults=manual)


class Migration(migrations.Migration):
    """Triggers, the sequence of revision numbers, and the two cards every deployment has."""

    dependencies = [("pricing", "0001_prices")]

    operations = [
        migrations.RunSQL(
            "CREATE SEQUENCE pricing_revision_numbers", "DROP SEQUENCE pricing_revision_numbers"
        ),
        migrations.RunPython(make_cards, migrations.RunPython.noop),
        migrations.RunSQL(TRIGGERS, NO_TRIGGERS),
    ]
