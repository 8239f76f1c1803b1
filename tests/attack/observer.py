"""Watches windows from a connection of its own; everything it compares is of one snapshot."""

import time
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import psycopg

PAUSE_SECONDS = 0.05
THOROUGH_SECONDS = 2.0
_QUICK = """
    SELECT
        count(*) FILTER (WHERE w.is_hard AND w."limit" IS NOT NULL
            AND (w.spent + w.reserved > w."limit" OR w.is_overcommitted)),
        count(*) FILTER (WHERE w.reserved <> coalesce(h.held, 0)),
        count(*) FILTER (WHERE h.of_ended),
        max((w.spent + w.reserved) / w."limit") FILTER (WHERE w.is_hard AND w."limit" > 0),
        max((w.spent + w.overage) / w."limit") FILTER (WHERE w.is_hard AND w."limit" > 0),
        count(*),
        (SELECT count(*) FROM budgets_reservation WHERE status = 'held')
    FROM budgets_budgetwindow w LEFT JOIN (
        SELECT window_id, sum(b.amount) AS held, bool_or(r.status <> 'held') AS of_ended
        FROM budgets_hold b JOIN budgets_reservation r ON r.id = b.reservation_id GROUP BY 1
    ) AS h ON h.window_id = w.id
"""
_FAULTS = (
    "hard windows over their limit", "windows whose holds do not add up",
    "windows held by what has ended",
)  # fmt: skip
_SCOPE = """
    x.organization_id = b.organization_id
    AND (b.project_id IS NULL OR x.project_id = b.project_id)
    AND (b.subject_id IS NULL OR x.subject_id = b.subject_id)
    AND CASE b.per WHEN 'subject' THEN x.subject_id = w.member
        WHEN 'project' THEN x.project_id = w.member ELSE true END
"""
_MEASURE = """
    coalesce(sum(CASE b.measure WHEN 'cost' THEN {cost} WHEN 'tokens' THEN {tokens} ELSE 1 END), 0)
"""
_USED = _MEASURE.format(cost="x.cost", tokens="x.input_tokens + x.output_tokens")
_HELD = _MEASURE.format(cost="x.amount", tokens="x.tokens")
# Straight from the calls and the reservations, not from what budgets or roll ups make of them.
_THOROUGH = f"""
    SELECT w.id, b.name, w.spent + w.overage, w.reserved, w.used, w.held FROM (
        SELECT w.*,
        (SELECT {_USED}
         FROM usage_usageevent x
         WHERE x.state = 0 AND {_SCOPE} AND x.occurred_at >= w.start
           AND (w."end" IS NULL OR x.occurred_at < w."end")) AS used,
        (SELECT {_HELD}
         FROM budgets_reservation x
         WHERE x.status = 'held' AND {_SCOPE} AND x.held_at >= w.start
           AND (w."end" IS NULL OR x.held_at < w."end")) AS held
        FROM budgets_budgetwindow w JOIN budgets_budget b ON b.id = w.budget_id
    ) AS w JOIN budgets_budget b ON b.id = w.budget_id
    WHERE w.spent + w.overage <> w.used OR w.reserved <> w.held
"""
# Every level that is reached has one alert; a window that has fallen since may still have one.
_LEVELS = """
    SELECT w.id, b.name, l.name, count(a.id),
        count(a.id) FILTER (WHERE a.state <> 'resolved' OR w."end" <= now())
    FROM budgets_budgetwindow w JOIN budgets_budget b ON b.id = w.budget_id
    CROSS JOIN LATERAL (
        SELECT t.percent AS level, t.percent || ' %' AS name, w."limit" * t.percent / 100 AS at
        FROM budgets_threshold t WHERE t.budget_id = b.id AND t.percent IS NOT NULL
        UNION SELECT 100, '100.00 %', w."limit"
    ) AS l
    LEFT JOIN budgets_alert a ON a.kind = 'threshold' AND a.budget_id = b.id
        AND a.member = w.member AND a.window_start = w.start AND a.percent = l.level
    GROUP BY w.id, b.name, l.level, l.name, l.at
    HAVING count(a.id) > 1 OR (w.spent + w.overage + w.reserved >= l.at
        AND count(a.id) FILTER (WHERE a.state <> 'resolved' OR w."end" <= now()) <> 1)
"""
_LEFT = """
    SELECT (SELECT count(*) FROM budgets_reservation WHERE status = 'held'),
           (SELECT count(*) FROM budgets_hold),
           (SELECT count(*) FROM budgets_budgetwindow WHERE reserved <> 0)
"""
# An estimate counts only until the event comes that tells.
_TWICE = """
    SELECT r.id, e.event_id FROM budgets_reservation r
    JOIN usage_usageevent e ON e.organization_id = r.organization_id
        AND e.event_id = 'reservation-' || r.id || '-estimate'
    WHERE e.state = 0 AND (r.status <> 'settled' OR r.event_id <> e.event_id)
"""


@dataclass
class Seen:
    """What an observer has seen."""

    looks: int = 0
    thorough: int = 0
    interruptions: int = 0
    fullest: Decimal = Decimal(0)
    most_used: Decimal = Decimal(0)
    most_held: int = 0
    windows: int = 0
    faults: list[str] = field(default_factory=list)


def observe(conninfo: str, stop: Any) -> Seen:
    """Look again and again until the event `stop` is set; reconnect when the server is killed."""
    seen = Seen()
    while not stop.is_set():
        try:
            with psycopg.connect(conninfo, autocommit=True, connect_timeout=5) as connection:
                _watch(connection, stop, seen)
        except psycopg.OperationalError:
            seen.interruptions += 1
            time.sleep(0.2)
    return seen


def _watch(connection: psycopg.Connection, stop: Any, seen: Seen) -> None:
    next_thorough = 0.0
    while not stop.is_set():
        look(connection, seen)
        if time.monotonic() >= next_thorough:
            began = time.monotonic()
            look_thoroughly(connection, seen)
            # However many calls there are, it leaves most of the machine to others.
            next_thorough = time.monotonic() + max(
                THOROUGH_SECONDS, 10 * (time.monotonic() - began)
            )
        time.sleep(PAUSE_SECONDS)


def look(connection: psycopg.Connection, seen: Seen) -> None:
    """Compare limits, holds and open reservations."""
    row = connection.execute(_QUICK).fetchone()
    if row is None:
        return
    for what, count in zip(_FAULTS, row, strict=False):
        if count:
            seen.faults.append(f"{count} {what}")
    seen.looks += 1
    seen.fullest = max(seen.fullest, row[3] or Decimal(0))
    seen.most_used = max(seen.most_used, row[4] or Decimal(0))
    seen.windows, seen.most_held = row[5], max(seen.most_held, row[6])


def look_thoroughly(connection: psycopg.Connection, seen: Seen) -> None:
    """Sum every window anew from the calls and the reservations."""
    for window, name, used, reserved, should_use, should_hold in connection.execute(_THOROUGH):
        seen.faults.append(
            f"window {window} of {name} says {used} used and {reserved} held"
            f" instead of {should_use} and {should_hold}"
        )
    for window, name, level, alerts, live in connection.execute(_LEVELS):
        seen.faults.append(
            f"window {window} of {name} at {level} has {alerts} alerts, {live} of them live"
        )
    seen.thorough += 1


def leaks(connection: psycopg.Connection) -> list[str]:
    """What is left once every reservation should have ended."""
    row = connection.execute(_LEFT).fetchone() or (0, 0, 0)
    names = ("reservations still held", "holds left", "windows with something reserved")
    faults = [f"{count} {name}" for count, name in zip(row, names, strict=True) if count]
    twice = connection.execute(_TWICE).fetchall()
    return faults + [f"reservation {name} counts as {event}, too" for name, event in twice]
