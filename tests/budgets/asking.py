import json
from datetime import datetime
from typing import Any

from django.utils import timezone

from budgets.asking import Ask, read_ask
from budgets.checking import check_call
from budgets.models import Decision, Reservation
from budgets.recording import count_tallies
from budgets.reservations.holding import Denied, reserve
from usage.ingest.identities import tenant_of
from usage.ingest.prepare import Tenancy
from usage.organizations import ensure_organization


def ask(amount: str, organization: str = "acme", **said: Any) -> Ask:
    body = {"amount": amount, "provider": "anthropic", "model": "claude-sonnet-4-5", **said}
    tenancy = Tenancy(own=tenant_of(ensure_organization(organization)), by_slug={})
    now = timezone.now()
    return read_ask(json.dumps(body).encode(), tenancy, now, api_key_id=None, known_only=False)


def hold(amount: str, key: str, now: datetime | None = None, **said: Any) -> Reservation:
    given = ask(amount, reservation_key=key, ttl_seconds=3600, **said)
    return reserve(given, now or timezone.now()).reservation


def refuse(amount: str, **said: Any) -> Decision:
    try:
        reserve(ask(amount, **said), timezone.now())
    except Denied:
        count_tallies()
        return Decision.objects.latest("pk")
    raise AssertionError("it was admitted")


def check(amount: str, **said: Any) -> None:
    check_call(ask(amount, **said), timezone.now())
    count_tallies()
