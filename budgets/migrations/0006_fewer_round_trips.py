"""A check in one statement, and windows that are found by whose they are.

A function keeps its plans for as long as a connection lives, also behind a pooler that allows no
prepared statements: planning costs several times what reading the windows does.
"""

import django.db.models.deletion
from django.db import migrations, models

# What is not allowed after all is taken off the count again, so that the count can be kept before
# the answer is known. It may lose its last half second in a crash: asking stays cheap.
_LOOK = """
CREATE FUNCTION budgets_look(
    p_edition bigint, p_organization integer, p_now timestamptz, p_is_counted boolean,
    p_budgets bigint[], p_members bigint[], p_starts timestamptz[]
) RETURNS TABLE (
    edition bigint, is_there boolean, is_outdated boolean, "limit" numeric, spent numeric,
    reserved numeric, overage numeric, unpriced_events bigint, is_overcommitted boolean
) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    v_is_sound boolean := true;
    v_is_missing boolean;
BEGIN
    FOR edition, is_there, is_outdated, "limit", spent, reserved, overage, unpriced_events,
        is_overcommitted, v_is_missing IN
        SELECT e.number, w.id IS NOT NULL, coalesce(w.limit_until <= p_now, false), w."limit",
            w.spent, w.reserved, w.overage, w.unpriced_events, w.is_overcommitted,
            w.id IS NULL AND k.member >= 0
        FROM (SELECT coalesce(max(number), 0) AS number FROM budgets_edition) AS e
        LEFT JOIN unnest(p_budgets, p_members, p_starts)
            WITH ORDINALITY AS k (budget_id, member, start, place) ON true
        LEFT JOIN budgets_budgetwindow w USING (budget_id, member, start)
        ORDER BY k.place
    LOOP
        v_is_sound := v_is_sound AND edition = p_edition AND NOT is_outdated
            AND v_is_missing IS NOT TRUE;
        RETURN NEXT;
    END LOOP;
    IF p_is_counted AND v_is_sound THEN
        PERFORM set_config('synchronous_commit', 'off', true);
        INSERT INTO budgets_decisiontally (organization_id, outcome, decided_at, count)
        VALUES (p_organization, 'allow', p_now, 1);
    END IF;
END $$;
"""
_NO_LOOK = """
DROP FUNCTION budgets_look(
    bigint, integer, timestamptz, boolean, bigint[], bigint[], timestamptz[]);
"""


class Migration(migrations.Migration):
    dependencies = [("budgets", "0005_crossings")]

    operations = [
        migrations.AddField(
            "decisiontally", "count", models.SmallIntegerField(default=1, db_default=1)
        ),
        # Beside an index of the budget alone, the one of budget, member and start was not used:
        # looking for one member's window read those of all.
        migrations.AlterField(
            "budgetwindow",
            "budget",
            models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="windows",
                to="budgets.budget",
            ),
        ),
        migrations.AlterField(
            "hold",
            "reservation",
            models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="holds",
                to="budgets.reservation",
            ),
        ),
        migrations.RunSQL(_LOOK, _NO_LOOK),
    ]
