"""The functions that change windows: each call is one short transaction in a fixed lock order.

Advisory locks (shared, of the organizations and of 0 = the site) come first, then reservations by
id, then windows by id. Whoever changes a budget takes the advisory lock of its organization
exclusively, so that nothing is counted against a definition that is being replaced.
"""

from django.db import migrations

_RULES = """
CREATE FUNCTION budgets_spent(is_hard boolean, "limit" numeric, used numeric, reserved numeric)
RETURNS numeric LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN is_hard AND "limit" IS NOT NULL
        THEN least(used, greatest("limit" - reserved, 0)) ELSE used END
$$;
CREATE FUNCTION budgets_fits("limit" numeric, used numeric, reserved numeric, amount numeric)
RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT "limit" IS NULL OR (
        "limit" > 0 AND used + reserved + amount <= "limit"
        AND (amount > 0 OR used + reserved < "limit"))
$$;
"""
_NO_RULES = """
DROP FUNCTION budgets_fits(numeric, numeric, numeric, numeric);
DROP FUNCTION budgets_spent(boolean, numeric, numeric, numeric);
"""
_ENTER = """
CREATE FUNCTION budgets_enter(p_edition bigint, p_organizations integer[])
RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(31505, owner) FROM (
        SELECT DISTINCT unnest(0 || p_organizations) AS owner ORDER BY 1
    ) AS owners;
    RETURN p_edition = coalesce((SELECT max(number) FROM budgets_edition), 0);
END $$;
"""
_NO_ENTER = "DROP FUNCTION budgets_enter(bigint, integer[]);"
_MOVE = """
CREATE FUNCTION budgets_move(
    p_windows bigint[], p_amounts numeric[], p_unpriced bigint[], p_held numeric[]
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM budgets_budgetwindow w WHERE w.id = ANY(p_windows)
    ORDER BY w.id FOR NO KEY UPDATE;
    UPDATE budgets_budgetwindow w SET
        spent = budgets_spent(w.is_hard, w."limit", w.spent + w.overage + d.amount,
                              w.reserved + d.held),
        overage = w.spent + w.overage + d.amount
            - budgets_spent(w.is_hard, w."limit", w.spent + w.overage + d.amount,
                            w.reserved + d.held),
        reserved = w.reserved + d.held,
        unpriced_events = w.unpriced_events + d.unpriced,
        is_overcommitted = w.is_overcommitted AND w.reserved + d.held > w."limit"
    FROM (
        SELECT t.id, sum(t.amount) AS amount, sum(t.unpriced) AS unpriced, sum(t.held) AS held
        FROM unnest(p_windows, p_amounts, p_unpriced, p_held) AS t (id, amount, unpriced, held)
        GROUP BY t.id
    ) AS d WHERE w.id = d.id;
END $$;
"""
_NO_MOVE = "DROP FUNCTION budgets_move(bigint[], numeric[], bigint[], numeric[]);"
_FREE = """
CREATE FUNCTION budgets_free(
    p_reservations uuid[], p_windows bigint[], p_amounts numeric[], p_unpriced bigint[]
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_windows bigint[];
    v_held numeric[];
    v_none bigint[];
BEGIN
    WITH ended AS (
        DELETE FROM budgets_hold WHERE reservation_id = ANY(p_reservations)
        RETURNING window_id, amount
    ) SELECT coalesce(array_agg(window_id), '{}'), coalesce(array_agg(-amount), '{}')
    INTO v_windows, v_held FROM ended;
    IF cardinality(v_windows) + cardinality(p_windows) > 0 THEN
        v_none := array_fill(0::bigint, ARRAY[cardinality(v_windows)]);
        PERFORM budgets_move(
            p_windows || v_windows, p_amounts || v_none::numeric[], p_unpriced || v_none,
            array_fill(0::numeric, ARRAY[cardinality(p_windows)]) || v_held);
    END IF;
END $$;
"""
_NO_FREE = "DROP FUNCTION budgets_free(uuid[], bigint[], numeric[], bigint[]);"
# Holds are freed together with what is added, so that nothing else takes their place between.
_FEED = """
CREATE FUNCTION budgets_feed(
    p_edition bigint, p_organizations integer[],
    p_budgets bigint[], p_members bigint[], p_starts timestamptz[],
    p_amounts numeric[], p_unpriced bigint[],
    p_reservations uuid[], p_events text[], p_corrected text[], p_costs numeric[],
    p_estimated boolean[], p_now timestamptz
) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_windows bigint[];
    v_open uuid[];
BEGIN
    IF NOT budgets_enter(p_edition, p_organizations) THEN
        RETURN 'stale';
    END IF;
    SELECT array_agg(w.id ORDER BY k.place) INTO v_windows
    FROM unnest(p_budgets, p_members, p_starts)
        WITH ORDINALITY AS k (budget_id, member, start, place)
    LEFT JOIN budgets_budgetwindow w USING (budget_id, member, start);
    IF array_position(v_windows, NULL) IS NOT NULL THEN
        RETURN 'missing';
    END IF;
    v_windows := coalesce(v_windows, '{}');
    IF cardinality(p_reservations) > 0 THEN
        PERFORM FROM budgets_reservation r WHERE r.id = ANY(p_reservations)
        ORDER BY r.id FOR NO KEY UPDATE;
        SELECT array_agg(r.id) INTO v_open
        FROM unnest(p_reservations, p_corrected) AS s (id, corrected)
        JOIN budgets_reservation r USING (id)
        WHERE r.status IN ('held', 'expired') OR (r.is_estimated AND s.corrected IS NOT NULL);
        IF v_open IS NULL OR cardinality(v_open) < cardinality(p_reservations) THEN
            RETURN 'overtaken';
        END IF;
        UPDATE budgets_reservation r SET
            status = 'settled', event_id = s.event_id, cost = s.cost,
            ended_at = CASE WHEN r.status = 'held' THEN p_now ELSE r.ended_at END,
            is_estimated = s.estimated
        FROM unnest(p_reservations, p_events, p_costs, p_estimated)
            AS s (id, event_id, cost, estimated)
        WHERE r.id = s.id AND r.id = ANY(v_open);
    END IF;
    PERFORM budgets_free(coalesce(v_open, '{}'), v_windows, p_amounts, p_unpriced);
    RETURN 'done';
END $$;
"""
_NO_FEED = """
DROP FUNCTION budgets_feed(
    bigint, integer[], bigint[], bigint[], timestamptz[], numeric[], bigint[],
    uuid[], text[], text[], numeric[], boolean[], timestamptz);
"""
_RESERVE = """
CREATE FUNCTION budgets_reserve(
    p_edition bigint, p_organization integer, p_id uuid, p_key text, p_payload bigint,
    p_now timestamptz, p_expires timestamptz,
    p_api_key bigint, p_project bigint, p_team bigint, p_subject bigint,
    p_provider text, p_model text, p_action text, p_agent_type text, p_call jsonb,
    p_amount numeric, p_tokens bigint, p_on_expiry text,
    p_budgets bigint[], p_members bigint[], p_starts timestamptz[], p_amounts numeric[]
) RETURNS TABLE (
    outcome text, reservation uuid, budget bigint, member bigint, start timestamptz,
    "limit" numeric, spent numeric, reserved numeric, overage numeric, unpriced_events bigint
) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    v_windows bigint[];
    v_known uuid;
    v_admitted boolean;
BEGIN
    IF NOT budgets_enter(p_edition, ARRAY[p_organization]) THEN
        RETURN QUERY SELECT 'stale', NULL::uuid, NULL::bigint, NULL::bigint, NULL::timestamptz,
            NULL::numeric, NULL::numeric, NULL::numeric, NULL::numeric, NULL::bigint;
        RETURN;
    END IF;
    SELECT r.id INTO v_known FROM budgets_reservation r
    WHERE r.organization_id = p_organization AND r.reservation_key = p_key;
    IF v_known IS NULL THEN
        SELECT array_agg(w.id ORDER BY k.place),
               coalesce(bool_and(w.limit_until IS NULL OR w.limit_until > p_now), true)
        INTO v_windows, v_admitted
        FROM unnest(p_budgets, p_members, p_starts)
            WITH ORDINALITY AS k (budget_id, member, start, place)
        LEFT JOIN budgets_budgetwindow w USING (budget_id, member, start);
        v_windows := coalesce(v_windows, '{}');
        IF array_position(v_windows, NULL) IS NOT NULL OR NOT v_admitted THEN
            RETURN QUERY SELECT
                CASE WHEN v_admitted THEN 'missing' ELSE 'outdated' END,
                NULL::uuid, NULL::bigint, NULL::bigint, NULL::timestamptz,
                NULL::numeric, NULL::numeric, NULL::numeric, NULL::numeric, NULL::bigint;
            RETURN;
        END IF;
        PERFORM FROM budgets_budgetwindow w WHERE w.id = ANY(v_windows)
        ORDER BY w.id FOR NO KEY UPDATE;
        SELECT coalesce(bool_and(NOT w.is_hard OR (NOT w.is_overcommitted
            AND budgets_fits(w."limit", w.spent + w.overage, w.reserved, k.amount))), true)
        INTO v_admitted
        FROM unnest(v_windows, p_amounts) AS k (id, amount)
        JOIN budgets_budgetwindow w ON w.id = k.id;
        IF v_admitted THEN
            INSERT INTO budgets_reservation (
                id, organization_id, reservation_key, payload, api_key_id, project_id, team_id,
                subject_id, provider, model, action, agent_type, call, amount, tokens, status,
                on_expiry, held_at, expires_at, event_id, is_estimated
            ) VALUES (
                p_id, p_organization, p_key, p_payload, p_api_key, p_project, p_team,
                p_subject, p_provider, p_model, p_action, p_agent_type, p_call, p_amount,
                p_tokens, 'held', p_on_expiry, p_now, p_expires, '', false
            ) ON CONFLICT (organization_id, reservation_key) DO NOTHING;
            IF NOT FOUND THEN
                v_admitted := NULL;
            END IF;
        END IF;
        -- Another request with the same key may have taken the room that is missing here.
        IF v_admitted IS NOT TRUE THEN
            SELECT r.id INTO v_known FROM budgets_reservation r
            WHERE r.organization_id = p_organization AND r.reservation_key = p_key;
        END IF;
    END IF;
    IF v_known IS NOT NULL THEN
        RETURN QUERY SELECT 'known', v_known, NULL::bigint, NULL::bigint, NULL::timestamptz,
            NULL::numeric, NULL::numeric, NULL::numeric, NULL::numeric, NULL::bigint;
        RETURN;
    END IF;
    RETURN QUERY
        SELECT CASE WHEN v_admitted THEN 'held' ELSE 'blocked' END,
               CASE WHEN v_admitted THEN p_id END,
               w.budget_id, w.member, w.start, w."limit", w.spent, w.reserved, w.overage,
               w.unpriced_events
        FROM budgets_budgetwindow w WHERE w.id = ANY(v_windows) ORDER BY w.id;
    IF NOT FOUND THEN
        RETURN QUERY SELECT 'held', p_id, NULL::bigint, NULL::bigint, NULL::timestamptz,
            NULL::numeric, NULL::numeric, NULL::numeric, NULL::numeric, NULL::bigint;
    END IF;
    IF v_admitted AND cardinality(v_windows) > 0 THEN
        UPDATE budgets_budgetwindow w SET reserved = w.reserved + k.amount
        FROM unnest(v_windows, p_amounts) AS k (id, amount) WHERE w.id = k.id;
        INSERT INTO budgets_hold (reservation_id, window_id, amount)
        SELECT p_id, k.id, k.amount FROM unnest(v_windows, p_amounts) AS k (id, amount);
    END IF;
END $$;
"""
_NO_RESERVE = """
DROP FUNCTION budgets_reserve(
    bigint, integer, uuid, text, bigint, timestamptz, timestamptz, bigint, bigint, bigint, bigint,
    text, text, text, text, jsonb, numeric, bigint, text,
    bigint[], bigint[], timestamptz[], numeric[]);
"""
_END = """
CREATE FUNCTION budgets_end(
    p_reservations uuid[], p_status text, p_now timestamptz, p_only_due boolean
) RETURNS SETOF uuid LANGUAGE plpgsql AS $$
DECLARE
    v_owners integer[];
    v_open uuid[];
BEGIN
    SELECT array_agg(DISTINCT r.organization_id) INTO v_owners
    FROM budgets_reservation r WHERE r.id = ANY(p_reservations);
    IF v_owners IS NULL THEN
        RETURN;
    END IF;
    PERFORM budgets_enter(0, v_owners);
    SELECT array_agg(o.id) INTO v_open FROM (
        SELECT r.id FROM budgets_reservation r
        WHERE r.id = ANY(p_reservations) AND r.status = 'held'
          AND (NOT p_only_due OR r.expires_at <= p_now)
        ORDER BY r.id FOR NO KEY UPDATE
    ) AS o;
    UPDATE budgets_reservation SET status = p_status, ended_at = p_now WHERE id = ANY(v_open);
    PERFORM budgets_free(coalesce(v_open, '{}'), '{}', '{}', '{}');
    RETURN QUERY SELECT unnest(v_open);
END $$;
"""
_NO_END = "DROP FUNCTION budgets_end(uuid[], text, timestamptz, boolean);"
_HOT = """
ALTER TABLE budgets_budgetwindow SET (
    fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);
CREATE FUNCTION budgets_change_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.made_by_id IS NULL
        AND to_jsonb(NEW) - 'made_by_id' = to_jsonb(OLD) - 'made_by_id'
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'the record of budget changes is append-only'
        USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER budgets_change_guard BEFORE UPDATE OR DELETE ON budgets_budgetchange
FOR EACH ROW EXECUTE FUNCTION budgets_change_guard();
"""
_NOT_HOT = """
DROP TRIGGER budgets_change_guard ON budgets_budgetchange;
DROP FUNCTION budgets_change_guard();
ALTER TABLE budgets_budgetwindow RESET (
    fillfactor, autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold);
"""


class Migration(migrations.Migration):
    dependencies = [("budgets", "0002_windows_and_reservations")]

    operations = [
        migrations.RunSQL(_RULES, _NO_RULES),
        migrations.RunSQL(_ENTER, _NO_ENTER),
        migrations.RunSQL(_MOVE, _NO_MOVE),
        migrations.RunSQL(_FREE, _NO_FREE),
        migrations.RunSQL(_FEED, _NO_FEED),
        migrations.RunSQL(_RESERVE, _NO_RESERVE),
        migrations.RunSQL(_END, _NO_END),
        migrations.RunSQL(_HOT, _NOT_HOT),
    ]
