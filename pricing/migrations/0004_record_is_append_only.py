"""Keeps the record of changes and the exchange rates append-only; a version names what ended it."""

from django.db import migrations

VERSION_GUARD = """
CREATE OR REPLACE FUNCTION pricing_version_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE'
        AND to_jsonb(NEW) - 'effective_to' - 'created_by_id'{extra}
            = to_jsonb(OLD) - 'effective_to' - 'created_by_id'{extra}
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
"""

RECORD_GUARDS = """
CREATE FUNCTION pricing_record_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- A user who is deleted leaves the record without a name.
    IF TG_OP = 'UPDATE'
        AND to_jsonb(NEW) - 'made_by_id' = to_jsonb(OLD) - 'made_by_id'
        AND to_jsonb(NEW) ->> 'made_by_id' IS NULL
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'the record of price changes and exchange rates is append-only'
        USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON pricing_pricechange
    FOR EACH ROW EXECUTE FUNCTION pricing_record_guard();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON pricing_exchangerate
    FOR EACH ROW EXECUTE FUNCTION pricing_record_guard();
"""

NO_RECORD_GUARDS = """
DROP TRIGGER append_only ON pricing_exchangerate;
DROP TRIGGER append_only ON pricing_pricechange;
DROP FUNCTION pricing_record_guard();
"""


class Migration(migrations.Migration):
    """Triggers."""

    dependencies = [("pricing", "0003_price_changes")]

    operations = [
        migrations.RunSQL(
            VERSION_GUARD.format(extra=" - 'ended_by_id'"), VERSION_GUARD.format(extra="")
        ),
        migrations.RunSQL(RECORD_GUARDS, NO_RECORD_GUARDS),
    ]
