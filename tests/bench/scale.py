"""Events by the million, written by PostgreSQL itself.

Thirteen months that end now: five organizations, 200 projects, 2,000 people who have a session
of some twenty calls within an hour about once a working day; every third session is part of a run.
Everything but the keys' digests is what ingest would have stored: prices, costs, kinds of calls.
"""

from datetime import UTC, date, datetime

from django.db import connection, transaction

from tests.bench.population import make_population
from usage.ingest.partitions import next_month, partition_name

CALLS_A_SESSION = 20
_SETTINGS = "SET LOCAL work_mem = '256MB'; SET LOCAL maintenance_work_mem = '512MB'"
# A sitting is one session, or each seventh time three that make a run.
_SITTINGS = """
CREATE UNLOGGED TABLE bench_session AS
SELECT gen_random_uuid()::text AS session_id, run_id, organization, subject, team, api_key, role,
       CASE WHEN random() < 0.8 THEN home
            ELSE projects[1 + floor(random() * cardinality(projects))::int] END AS project,
       CASE WHEN random() < 0.8 THEN favourite ELSE floor(random() * 10)::int END AS model,
       (day + (8 + 10 * random()) * interval '1 hour' + part * interval '20 minutes')
           AT TIME ZONE zone AS started
FROM (
    SELECT n AS number,
           floor(2000 * power(random(), 1.5))::int AS person,
           (current_date - floor(%s * power(random(), 1.2))::int)::timestamp AS day,
           CASE WHEN n %% 7 = 0 THEN 3 ELSE 1 END AS parts,
           CASE WHEN n %% 7 = 0 THEN 'run-' || n END AS run_id,
           CASE WHEN n %% 7 = 0 THEN 1 + 2 * (n %% 2) ELSE 2 * floor(2 * random())::int END AS role
    FROM generate_series(1, %s) AS n
) AS sitting
JOIN bench_person AS person ON person.n = sitting.person
CROSS JOIN LATERAL generate_series(0, parts - 1) AS part
WHERE extract(isodow FROM day) < 6 OR number %% 12 = 0
"""
# Volatile columns keep a level from being merged with the next, so nothing is drawn twice.
_EVENTS = """
INSERT INTO {table} (
    occurred_at, received_at, organization_id, kind_id, project_id, team_id, subject_id,
    api_key_id, price_version_id, duration_ms, input_tokens, output_tokens, cache_read_tokens,
    cache_write_tokens, reasoning_tokens, status, cost, input_cost, output_cost, cache_cost,
    event_id, session_id, run_id, tags)
SELECT at, at + delay, organization, kind, project, team, subject, api_key, version, duration,
       fresh + read + written, output, read, written, reasoning, status,
       for_input + for_cache + for_output, for_input + for_cache, for_output, for_cache,
       gen_random_uuid()::text, session_id, run_id, tags
FROM (
    SELECT *,
           round(fresh * per_input / 1000000, 10) AS for_input,
           CASE WHEN version IS NOT NULL THEN
               round(read * per_read / 1000000, 10) + round(written * per_write / 1000000, 10)
           END AS for_cache,
           round(output * per_output / 1000000, 10) AS for_output
    FROM (
        SELECT call.*, k.kind, k.version, k.per_input, k.per_output,
               coalesce(k.per_read, 0) AS per_read, coalesce(k.per_write, 0) AS per_write,
               (100 + 900 * chance)::int AS fresh,
               CASE WHEN k.per_read IS NULL THEN 0
                    ELSE least(120000, 2000 + step * (500 + 1500 * chance)::int) END AS read,
               CASE WHEN k.per_write IS NULL THEN 0 ELSE (200 + 1500 * chance)::int END AS written,
               (20 + 1500 * chance * chance)::int AS output,
               CASE WHEN k.provider = 'openai' THEN (10 * chance)::int ELSE 0 END AS reasoning,
               (900 + 20000 * chance)::int AS duration,
               CASE WHEN chance < 0.015 THEN 1 ELSE 0 END AS status,
               chance * interval '30 seconds' AS delay,
               CASE WHEN chance > 0.96 THEN '{{"env": "staging"}}'::jsonb END AS tags
        FROM (
            SELECT s.*, step, random() AS chance,
                   CASE WHEN random() < 0.15 THEN 2 ELSE s.model END AS called,
                   s.started + (step + random()) * interval '2.5 minutes' AS at
            FROM bench_session AS s CROSS JOIN generate_series(0, {last}) AS step
            WHERE s.started >= '{start}'::timestamptz - interval '1 day'
              AND s.started < '{end}'::timestamptz
        ) AS call JOIN bench_kind AS k ON k.model = call.called AND k.role = call.role
        WHERE at >= '{start}' AND at < least('{end}'::timestamptz, now())
    ) AS counted
) AS rated
ORDER BY at
"""
_KEYS = """
INSERT INTO usage_eventkey (digest, payload, occurred_at)
SELECT gen_random_uuid(), id, occurred_at FROM {table}
"""


def fill(events: int, days: int = 395) -> None:
    """Store about so many events of the last days, of a population of their own, in an empty
    installation."""
    make_population()
    with connection.cursor() as cursor:
        # Weekends have few: more sittings are drawn than are kept.
        cursor.execute(_SITTINGS, [days, round(events / CALLS_A_SESSION * 7 / 9 / 0.74)])
        cursor.execute("ANALYZE bench_session")
        cursor.execute("SELECT min(started) FROM bench_session")
        first: datetime = cursor.fetchone()[0].astimezone(UTC)
        cursor.execute("ALTER TABLE usage_eventkey DROP CONSTRAINT usage_eventkey_pkey")
    month = date(first.year, first.month, 1)
    while month <= datetime.now(UTC).date():
        _fill_month(month)
        month = next_month(month)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_SETTINGS)
        cursor.execute(
            "ALTER TABLE usage_eventkey ADD CONSTRAINT usage_eventkey_pkey PRIMARY KEY (digest)"
        )
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE bench_session, bench_person, bench_kind")
        cursor.execute("VACUUM (ANALYZE)")


def _fill_month(month: date) -> None:
    """Fill a table of its own first: indexes are made quicker over what is there."""
    table, start, end = (
        partition_name(month),
        f"{month}T00:00:00Z",
        f"{next_month(month)}T00:00:00Z",
    )
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_SETTINGS)
        cursor.execute(f"DROP TABLE IF EXISTS {table}")
        cursor.execute(
            f"CREATE TABLE {table} (LIKE usage_usageevent INCLUDING DEFAULTS INCLUDING CONSTRAINTS)"
        )
        cursor.execute(_EVENTS.format(table=table, start=start, end=end, last=CALLS_A_SESSION - 1))
        cursor.execute(
            f"ALTER TABLE usage_usageevent ATTACH PARTITION {table}"
            f" FOR VALUES FROM ('{start}') TO ('{end}')"
        )
        cursor.execute(_KEYS.format(table=table))
