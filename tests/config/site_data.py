from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from django.contrib.auth.models import User

from usage.ingest.identities import tenant_of
from usage.ingest.pipeline import Caller, ingest
from usage.ingest.prepare import Tenancy
from usage.ingest.values import EventValue
from usage.models import Membership, Organization
from usage.organizations import ensure_organization
from usage.rollups import roll_up

# Per million tokens in and out, Opus 4.5 costs 5 and 25 dollars, Sonnet 3 and 15 with up to
# 200,000 input tokens.
SONNET, OPUS, UNKNOWN = "claude-sonnet-4-5", "claude-opus-4-5", "llama-farm-7b"


def at(day: int, hour: int = 12, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


def event(number: object, when: datetime, **fields: Any) -> EventValue:
    given = {"model": SONNET, "provider": "anthropic", "organization": "acme", **fields}
    return EventValue(event_id=f"e{number}", occurred_at=when, **given)


def send(events: Iterable[EventValue]) -> None:
    slugs = ("acme", "globex")
    tenants = {slug: tenant_of(ensure_organization(slug)) for slug in slugs}
    batch = list(events)
    report = ingest(batch, Caller(Tenancy(own=None, by_slug=tenants)))
    assert report.accepted == len(batch)
    roll_up(wait=True)


def two_organizations() -> None:
    send(
        [
            event(1, at(10), project="web", subject="ann", input_tokens=200_000, session_id="s1"),
            event(2, at(10), project="web", subject="bob", output_tokens=100_000, run_id="r1"),
            event(3, at(11), project="api", subject="ann", model=OPUS, input_tokens=400_000),
            event(4, at(12), model=UNKNOWN, provider="local", input_tokens=500, subject="ann"),
            event(5, at(12), status="error", input_tokens=200_000, cache_read_tokens=100_000),
            event(6, at(12), organization="globex", project="site", subject="zoe", model=OPUS,
                  output_tokens=40_000, session_id="s9"),
        ]
    )  # fmt: skip


def staff(name: str, *organizations: str, role: str = Membership.Role.VIEWER) -> User:
    user = User.objects.create_user(name, password="pw", is_staff=True)
    for slug in organizations:
        organization = Organization.objects.get(slug=slug)
        Membership.objects.create(user=user, organization=organization, role=role)
    return user


def panels(context: Any) -> list[Any]:
    return [*context["parts"], context["models"], *context["owners"]]
