"""A window that refuses calls is an alert: opened by the first of them, free for the others."""

import json

from django.db import connection

from budgets.asking import Ask
from budgets.deciding import BLOCK, Tested, Verdict
from budgets.models import Alert

_OPEN = """
    SELECT budgets_open_alert(
        %s, NULL, %s, %s, %s, %s, NULL, NULL, %s, %s::jsonb, false)
"""


def open_blocked(ask: Ask, verdict: Verdict) -> None:
    """Open the alert of every window that refuses a call, unless it is open already; then nothing
    is written. In the transaction that keeps the decision."""
    if verdict.outcome != BLOCK:
        return
    refusing = [one for one in verdict.tested if one.outcome == BLOCK and one.state.member >= 0]
    for one in sorted(refusing, key=lambda one: one.state.facts.id):
        _open(ask, one)


def _open(ask: Ask, tested: Tested) -> None:
    state = tested.state
    facts = {
        "limit": f"{state.limit:f}" if state.limit is not None else None,
        "used": f"{state.used:f}",
        "reserved": f"{state.reserved:f}",
        # None: its price is unknown, and the budget does not allow that.
        "asked": f"{tested.amount:f}" if tested.amount is not None else None,
        "unpriced_events": state.unpriced_events,
        "who": ask.name_of("subject"),
        "project": ask.name_of("project"),
        "model": ask.scope.model,
    }
    with connection.cursor() as cursor:
        cursor.execute(
            _OPEN,
            (
                Alert.Kind.BLOCKED, state.facts.id, state.member, state.start, state.end,
                Alert.Severity.CRITICAL, json.dumps(facts),
            ),
        )  # fmt: skip
