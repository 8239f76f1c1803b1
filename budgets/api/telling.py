"""What budgets say to a call, as JSON values: nothing of budgets that the caller may not see."""

from collections.abc import Mapping
from typing import Any

import msgspec
from django.conf import settings

from budgets.api.rendering import amount_or_none
from budgets.deciding import ALLOW, BLOCK, Verdict
from budgets.messages import SITE, message_of
from budgets.models import Decision, Reservation
from budgets.recording import tested_as_json
from budgets.selectors.decisions import may_see_tested, told_message
from usage.selectors.access import Viewer

_ANSWER = (
    "decision", "message", "estimated_cost", "currency", "binding", "retry_at", "budgets",
)  # fmt: skip
_ABOUT = ("id", "scope", "member")
_FIGURES = (
    "limit", "spent", "reserved", "overage", "remaining", "percent", "unpriced_events", "amount",
)  # fmt: skip


def verdict_as_json(viewer: Viewer, verdict: Verdict) -> dict[str, Any]:
    """Whether a call may run, and what each budget said, the binding one first."""
    tested = [tested_as_json(one) for one in verdict.tested]
    binding = verdict.binding
    hidden = binding is not None and not may_see_tested(viewer, tested[0])
    return {
        "decision": verdict.outcome,
        "message": message_of(verdict, hidden=hidden),
        "estimated_cost": amount_or_none(verdict.estimated_cost),
        "currency": settings.TALLYMAN_CURRENCY,
        "binding": None if binding is None or hidden else binding.state.facts.id,
        "retry_at": tested[0]["end"] if verdict.outcome == BLOCK else None,
        "budgets": [budget_said(viewer, said) for said in tested],
    }


def earlier_answer(viewer: Viewer, row: Reservation) -> dict[str, Any]:
    """What was said when a reservation was made, as far as it was kept."""
    kept = row.decisions.select_related("organization").order_by("pk").first()
    if kept is not None:
        told = decision_as_json(viewer, kept)
        return {name: told[name] for name in _ANSWER}
    return {
        **dict.fromkeys(_ANSWER),
        "decision": ALLOW,
        "message": "Allowed when it was reserved.",
        "estimated_cost": amount_or_none(row.amount),
        "currency": settings.TALLYMAN_CURRENCY,
        "budgets": [],
    }


def decision_as_json(viewer: Viewer, decision: Decision) -> dict[str, Any]:
    """A warning or refusal that was kept, as it was told; `call` is what was asked."""
    tested = [budget_said(viewer, said) for said in decision.tested]
    return {
        "id": decision.pk,
        "decided_at": decision.decided_at,
        "organization": decision.organization.slug,
        "project": decision.project and decision.project.slug,
        "subject": decision.subject and decision.subject.key,
        "api_key": decision.api_key and decision.api_key.prefix,
        "source": decision.source,
        "reservation": decision.reservation_id,
        "decision": decision.outcome,
        "message": told_message(viewer, decision),
        "estimated_cost": amount_or_none(decision.estimated_cost),
        "currency": settings.TALLYMAN_CURRENCY,
        "binding": tested[0]["id"] if tested else None,
        "retry_at": tested[0]["end"] if tested and decision.retry_at else None,
        "call": decision.call,
        "budgets": tested,
    }


def reservation_as_json(row: Reservation) -> dict[str, Any]:
    """Money held for a call, and what became of it; amounts are in the ledger currency."""
    return {
        "id": row.pk,
        "reservation_key": row.reservation_key,
        "organization": row.organization.slug,
        "project": row.project and row.project.slug,
        "team": row.team and row.team.slug,
        "subject": row.subject and row.subject.key,
        "api_key": row.api_key and row.api_key.prefix,
        "provider": row.provider,
        "model": row.model,
        "action": row.action,
        "agent_type": row.agent_type,
        "status": row.status,
        "amount": amount_or_none(row.amount),
        "tokens": row.tokens,
        "currency": settings.TALLYMAN_CURRENCY,
        "held_at": row.held_at,
        "expires_at": row.expires_at,
        "ended_at": row.ended_at,
        "on_expiry": row.on_expiry,
        "event_id": row.event_id or None,
        "cost": amount_or_none(row.cost),
        "estimated": row.is_estimated,
    }


def budget_said(viewer: Viewer, said: Mapping[str, Any]) -> dict[str, Any]:
    """What one budget said, of one that is not a viewer's to see without its figures."""
    shown = {name: value for name, value in said.items() if name != "organization"}
    if not may_see_tested(viewer, said):
        return {**shown, **dict.fromkeys((*_ABOUT, *_FIGURES)), "name": SITE}
    if said["percent"] is not None:
        shown["percent"] = msgspec.Raw(said["percent"].encode())
    return shown
