"""Keeping what was answered: warnings and refusals whole, the rest as counts."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from budgets.alerts.blocking import open_blocked
from budgets.asking import Ask
from budgets.deciding import ALLOW, Tested, Verdict
from budgets.messages import message_of
from budgets.models import Decision

# A crash may lose the counts of its last half second, so that asking stays cheap.
_TALLY = """
    INSERT INTO budgets_decisiontally (organization_id, outcome, decided_at, count)
    SELECT %(owner)s, t.outcome, %(at)s, t.count
    FROM set_config('synchronous_commit', 'off', true),
        (VALUES (%(outcome)s, 1), ('allow', -1)) AS t (outcome, count)
    WHERE t.count > 0 OR %(is_counted)s
"""
_COUNT = """
    WITH taken AS (DELETE FROM budgets_decisiontally RETURNING *)
    INSERT INTO budgets_decisioncount AS c (organization_id, hour, outcome, count)
    SELECT organization_id, date_trunc('hour', decided_at, 'UTC'), outcome, sum(count)
    FROM taken GROUP BY 1, 2, 3 HAVING sum(count) <> 0 ORDER BY 1, 2, 3
    ON CONFLICT (organization_id, hour, outcome) DO UPDATE SET count = c.count + excluded.count
"""
_LOCK = 31506


def record(
    ask: Ask, verdict: Verdict, source: str, now: datetime, reservation: UUID | None = None
) -> None:
    """Keep an answer given at `now`, an aware time.

    Reading windows and holding money have counted the call as allowed, which is taken back.
    """
    if verdict.outcome == ALLOW:
        return
    told: dict[str, Any] = {
        "owner": ask.organization_id,
        "outcome": verdict.outcome,
        "at": now,
        "is_counted": source == Decision.Source.CHECK or reservation is not None,
    }
    with connection.cursor() as cursor:
        cursor.execute(_TALLY, told)
    binding = verdict.binding
    Decision.objects.create(
        decided_at=now,
        organization_id=ask.organization_id,
        outcome=verdict.outcome,
        source=source,
        binding_id=binding.state.facts.id if binding else None,
        reservation_id=reservation,
        project_id=_known(ask.scope.project),
        subject_id=_known(ask.scope.subject),
        api_key_id=ask.scope.api_key,
        estimated_cost=verdict.estimated_cost,
        retry_at=verdict.retry_at,
        message=message_of(verdict),
        call=said_of(ask),
        tested=[tested_as_json(one) for one in verdict.tested],
    )
    open_blocked(ask, verdict)


def said_of(ask: Ask) -> dict[str, Any]:
    """What was asked, as JSON values; money is a decimal string."""
    amount = ask.terms.amount
    terms = {} if amount is None else {"amount": f"{amount:f}"}
    return {**ask.said, **terms, "tokens": ask.call.tokens}


def tested_as_json(tested: Tested) -> dict[str, Any]:
    """What one budget said, as JSON values: amounts are decimal strings in the unit of its
    measure, times are of its own zone."""
    state, facts = tested.state, tested.state.facts
    zone = facts.time_zone
    return {
        "id": facts.id,
        "organization": facts.organization,
        "name": facts.name,
        "scope": facts.scope,
        "member": state.member_name or None,
        "enforcement": facts.enforcement,
        "measure": facts.measure,
        "period": facts.period,
        "start": state.start.astimezone(zone).isoformat(),
        "end": state.end.astimezone(zone).isoformat() if state.end else None,
        "time_zone": facts.zone,
        "limit": _text(state.limit),
        "spent": _text(state.spent),
        "reserved": _text(state.reserved),
        "overage": _text(state.overage),
        "remaining": _text(state.remaining),
        "percent": None if state.percent is None else f"{state.percent:.2f}",
        "unpriced_events": state.unpriced_events,
        "amount": _text(tested.amount),
        "decision": tested.outcome,
    }


def count_tallies() -> None:
    """Add the answers given since the last time to the counts by hour."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", (_LOCK,))
        if cursor.fetchone()[0]:
            cursor.execute(_COUNT)


def forget_old(now: datetime, keep: timedelta) -> int:
    """Drop decisions older than `keep`; how many there were. Counts stay."""
    return Decision.objects.filter(decided_at__lt=now - keep).delete()[0]


def _known(pk: int | None) -> int | None:
    return pk if pk is None or pk > 0 else None


def _text(value: Any) -> str | None:
    return None if value is None else f"{value:f}"
