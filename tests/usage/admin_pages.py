from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import Permission, User
from django.test import Client

from pricing.models import PriceChange
from pricing.publishing import PriceItem, Provenance, set_prices
from pricing.selectors import MANUAL, named_card
from tests.config.site_data import SONNET, staff
from usage.models import Membership, Organization, RatingRun, UsageEvent
from usage.rerating import continue_runs, request_run

START, END = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 15, tzinfo=UTC)


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def viewer_client(name: str = "vera", organization: str = "acme") -> Client:
    return client_of(staff(name, organization))


def administrator_client(name: str = "adam", organization: str = "acme") -> Client:
    return client_of(staff(name, organization, role=Membership.Role.ADMIN))


def auditor_client(name: str = "olga") -> Client:
    user = staff(name)
    user.user_permissions.add(Permission.objects.get(codename="view_all_organizations"))
    return client_of(user)


def price_sonnet(amount: int = 6, *, effective_from: datetime = START) -> PriceChange:
    item = PriceItem(
        "anthropic", SONNET, "input_tokens", Decimal(amount), "USD", effective_from=effective_from
    )
    return set_prices(named_card(MANUAL), [item], Provenance("manual"))


def planned(slug: str | None = "acme", **fields: Any) -> RatingRun:
    organization = Organization.objects.get(slug=slug) if slug else None
    run = request_run(start=START, end=END, organization=organization, reason="fix", **fields)
    continue_runs()
    run.refresh_from_db()
    assert run.status == RatingRun.Status.PLANNED
    return run


def asked() -> list[RatingRun]:
    return list(RatingRun.objects.filter(cause=RatingRun.Cause.REQUESTED))


def cost_of(event_id: str) -> Decimal | None:
    return UsageEvent.objects.get(event_id=event_id).cost
