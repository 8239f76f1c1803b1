"""Calls of the demonstration data that asked before they ran: some allowed, warned and blocked."""

import json
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db.models import Sum

from budgets.asking import read_ask
from budgets.checking import check_call
from budgets.models import Decision, Reservation
from budgets.recording import count_tallies
from budgets.reservations.ending import release
from budgets.reservations.holding import Denied, reserve
from budgets.reservations.settling import settle
from usage.ingest.identities import tenant_of
from usage.ingest.prepare import Tenancy
from usage.models import MonthlyRollup, Organization

_MODEL = {"provider": "anthropic", "model": "claude-sonnet-5"}
_LARGE, _SMALL = (150_000_000, 5_000_000), (60_000, 8_000)
"""Tokens in and out at most: one that no budget near its limit has room for, and a usual one."""
_HELD_FOR = 6 * 3600


class _Asked(NamedTuple):
    """A call, so many minutes ago, and what became of what was held for it; "check" held none."""

    ago: int
    organization: str
    project: str
    action: str
    tokens: tuple[int, int] = _SMALL
    then: str = "settle"


_ASKED = (
    _Asked(190, "acme", "checkout", "review"),
    _Asked(172, "globex", "mobile-app", "review"),
    _Asked(151, "initech", "dev-tools", "agent", _LARGE),
    _Asked(133, "initech", "dev-tools", "agent"),
    _Asked(131, "acme", "data-lake", "chat", then="check"),
    _Asked(118, "globex", "mobile-app", "agent", _LARGE),
    _Asked(96, "acme", "storefront", "review", then="release"),
    _Asked(61, "initech", "invoicing", "review"),
    _Asked(44, "acme", "checkout", "agent", then="hold"),
    _Asked(27, "initech", "invoicing", "agent", _LARGE),
    _Asked(12, "globex", "mobile-app", "review", then="hold"),
    _Asked(5, "initech", "dev-tools", "review", then="hold"),
)


def ask_demo_calls(now: datetime) -> None:
    """Let some calls of the demonstration's organizations ask in the hours before `now`, an aware
    time. Does nothing where any call has asked before."""
    if Decision.objects.exists() or Reservation.objects.exists():
        return
    for number, asked in enumerate(_ASKED):
        _ask(asked, number, now - timedelta(minutes=asked.ago))
    count_tallies()


def _ask(asked: _Asked, number: int, at: datetime) -> None:
    organization = Organization.objects.get(slug=asked.organization)
    tokens_in, tokens_out = asked.tokens
    said: dict[str, Any] = {
        **_MODEL,
        "project": asked.project,
        "subject": _busiest(organization, asked.project),
        "action": asked.action,
        "input_tokens": tokens_in,
        "max_output_tokens": tokens_out,
        "reservation_key": f"{asked.project}-pipeline-{4210 + number}",
        "ttl_seconds": _HELD_FOR,
    }
    tenancy = Tenancy(own=tenant_of(organization), by_slug={})
    ask = read_ask(json.dumps(said).encode(), tenancy, at, api_key_id=None, known_only=False)
    if asked.then == "check":
        check_call(ask, at)
        return
    try:
        held = reserve(ask, at).reservation
    except Denied:
        return
    if asked.then == "settle":
        used = {"input_tokens": tokens_in, "output_tokens": tokens_out // 3}
        settle(held, used, at + timedelta(seconds=40), api_key_id=None)
    elif asked.then == "release":
        release(held, at + timedelta(seconds=5))


def _busiest(organization: Organization, project: str) -> str | None:
    rows = MonthlyRollup.objects.filter(organization=organization, project__slug=project)
    spent = rows.exclude(subject=None).values("subject__key")
    found = spent.annotate(total=Sum("events")).order_by("-total", "subject__key").first()
    return str(found["subject__key"]) if found else None
