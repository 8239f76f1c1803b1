"""The trigger that sees a window reach a level, in the transaction that moved it.

It costs a window that stays below its next level one comparison: `alert_at` is that level. A
level is an alert of its own, one per budget, member, window and level; where it was resolved and
is reached again it opens once more. The limit itself is always a level.
"""

from django.db import migrations

# Levels are exact: a share of a limit is rounded up to what amounts can tell, so that it is
# reached when, and only when, its exact value is.
_LEVELS = """
CREATE FUNCTION budgets_levels(
    p_budget bigint, p_limit numeric, p_rate numeric,
    OUT percent numeric, OUT amount numeric, OUT level numeric
) RETURNS SETOF record LANGUAGE sql STABLE AS $$
    SELECT f.percent, f.amount, least(f.level, 999999999999999999.9999999999) FROM (
        SELECT t.percent, NULL::numeric AS amount,
            ceil(p_limit * t.percent * 100000000) * 0.0000000001 AS level
        FROM budgets_threshold t
        WHERE t.budget_id = p_budget AND t.percent IS NOT NULL AND p_limit > 0
        UNION ALL
        SELECT NULL, t.amount, round(t.amount * p_rate, 10)
        FROM budgets_threshold t WHERE t.budget_id = p_budget AND t.amount IS NOT NULL
        UNION
        SELECT 100, NULL, p_limit WHERE p_limit IS NOT NULL
    ) AS f
$$;
"""
_NO_LEVELS = "DROP FUNCTION budgets_levels(bigint, numeric, numeric);"
# What was resolved by hand, or because its period is over, opens again only where the window has
# just come to it (`p_is_reached`) or another limit holds. What comes back within an hour of having been
# told, at no higher level, goes on as if it had not been away: nobody is told again. What was over
# before anybody could be told is news, and so is what was told to be over, or belongs to another
# organization by now. A live alert is not even locked.
_OPEN = """
CREATE FUNCTION budgets_open_alert(
    p_kind text, p_level text, p_budget bigint, p_member bigint, p_start timestamptz,
    p_end timestamptz, p_percent numeric, p_amount numeric, p_severity text, p_facts jsonb,
    p_is_reached boolean
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_key text := concat_ws(
        ':', p_budget, p_member, extract(epoch FROM p_start)::bigint, p_level);
    v_former budgets_alert%ROWTYPE;
BEGIN
    SELECT * INTO v_former FROM budgets_alert a WHERE a.kind = p_kind AND a.key = v_key;
    IF NOT FOUND THEN
        INSERT INTO budgets_alert (
            kind, key, organization_id, budget_id, member, window_start, window_end, percent,
            amount, severity, facts, state
        ) SELECT p_kind, v_key, b.organization_id, b.id, p_member, p_start, p_end, p_percent,
            p_amount, p_severity, p_facts, 'open'
        FROM budgets_budget b WHERE b.id = p_budget AND b.enabled
        ON CONFLICT (kind, key) DO NOTHING;
    ELSIF v_former.state <> 'resolved' OR (
        v_former.resolution IN ('hand', 'window') AND NOT p_is_reached
        AND v_former.facts->>'limit' IS NOT DISTINCT FROM p_facts->>'limit'
    ) THEN
        RETURN;
    ELSIF v_former.routed_at > now() - interval '1 hour'
        AND v_former.routed_at <= v_former.resolved_at AND coalesce(
            (p_facts->>'level')::numeric <= (v_former.facts->>'level')::numeric, true)
        AND NOT EXISTS (
            SELECT FROM budgets_notice n
            WHERE n.alert_id = v_former.id AND n.occasion = v_former.occasion AND (
                n.kind = 'alert' AND n.state = 'dropped'
                OR n.kind = 'resolved' AND n.state <> 'dropped'))
        AND EXISTS (
            SELECT FROM budgets_budget b WHERE b.id = p_budget
            AND b.organization_id IS NOT DISTINCT FROM v_former.organization_id)
    THEN
        UPDATE budgets_alert a SET
            state = CASE WHEN a.acknowledged_at IS NULL THEN 'open' ELSE 'acknowledged' END,
            resolved_at = NULL, resolution = '', severity = p_severity, facts = p_facts,
            window_end = p_end
        WHERE a.id = v_former.id AND a.state = 'resolved';
    ELSE
        UPDATE budgets_alert a SET
            state = 'open', occasion = a.occasion + 1, opened_at = now(), routed_at = NULL,
            acknowledged_at = NULL, acknowledged_by_id = NULL, handled_by = '',
            resolved_at = NULL, resolution = '', severity = p_severity, facts = p_facts,
            organization_id = b.organization_id, window_end = p_end
        FROM budgets_budget b
        WHERE a.id = v_former.id AND a.state = 'resolved' AND b.id = p_budget AND b.enabled;
    END IF;
END $$;
"""
_NO_OPEN = """
DROP FUNCTION budgets_open_alert(
    text, text, bigint, bigint, timestamptz, timestamptz, numeric, numeric, text, jsonb, boolean);
"""
_CROSSED = """
CREATE FUNCTION budgets_crossed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    v_before numeric := OLD.spent + OLD.overage + OLD.reserved;
    v_taken numeric := NEW.spent + NEW.overage + NEW.reserved;
BEGIN
    PERFORM budgets_open_alert(
        'threshold', coalesce(trim_scale(l.percent) || '%', trim_scale(l.amount)::text),
        NEW.budget_id, NEW.member, NEW.start, NEW."end", l.percent, l.amount,
        CASE WHEN l.level >= NEW."limit" THEN 'critical' ELSE 'warning' END,
        jsonb_build_object(
            'level', l.level::text, 'limit', NEW."limit"::text,
            'used', (NEW.spent + NEW.overage)::text, 'reserved', NEW.reserved::text,
            'unpriced_events', NEW.unpriced_events, 'late', coalesce(NEW."end" <= now(), false)),
        v_before <= 0 OR v_before < l.level)
    FROM budgets_levels(NEW.budget_id, NEW."limit", NEW.rate) l
    WHERE v_taken > 0 AND v_taken >= l.level
    ORDER BY l.level, l.percent, l.amount;
    SELECT min(l.level) INTO NEW.alert_at
    FROM budgets_levels(NEW.budget_id, NEW."limit", NEW.rate) l
    WHERE v_taken <= 0 OR v_taken < l.level;
    RETURN NEW;
END $$;
CREATE TRIGGER budgets_crossed BEFORE UPDATE ON budgets_budgetwindow
FOR EACH ROW WHEN (NEW.spent + NEW.overage + NEW.reserved >= NEW.alert_at)
EXECUTE FUNCTION budgets_crossed();
"""
_NOT_CROSSED = """
DROP TRIGGER budgets_crossed ON budgets_budgetwindow;
DROP FUNCTION budgets_crossed();
"""
# Windows opened before rates were kept: what their limit came to tells it.
_RATES = """
UPDATE budgets_budgetwindow w SET rate = w."limit" / b."limit"
FROM budgets_budget b
WHERE b.id = w.budget_id AND b.currency <> '' AND b."limit" > 0 AND w."limit" > 0
    AND w.limit_until IS NULL;
"""
# What was reached earlier is told where its period goes on, and known where it is over.
_REACHED = """
UPDATE budgets_budgetwindow w SET alert_at = 0
FROM budgets_budget b WHERE b.id = w.budget_id AND b.enabled AND w.start >= b.counts_since;
UPDATE budgets_alert SET
    state = 'resolved', resolution = 'window', resolved_at = now(), routed_at = now()
WHERE kind = 'threshold' AND state <> 'resolved' AND window_end <= now();
"""


class Migration(migrations.Migration):
    dependencies = [("budgets", "0004_alerts_and_channels")]

    operations = [
        migrations.RunSQL(_RATES, migrations.RunSQL.noop),
        migrations.RunSQL(_LEVELS, _NO_LEVELS),
        migrations.RunSQL(_OPEN, _NO_OPEN),
        migrations.RunSQL(_CROSSED, _NOT_CROSSED),
        migrations.RunSQL(_REACHED, migrations.RunSQL.noop),
    ]
