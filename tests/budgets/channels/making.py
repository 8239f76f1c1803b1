from typing import Any

from budgets.channels.saving import save_channel
from budgets.models import Channel
from budgets.setting import Actor
from usage.models import Organization

ACTOR = Actor(name="test")
TARGETS = {
    Channel.Kind.EMAIL: "ops@example.org",
    Channel.Kind.SLACK: "https://hooks.slack.com/services/T000/B000/abcdefghijklmnopx7Qa",
    Channel.Kind.WEBHOOK: "https://hooks.example.org/tallyman/0123456789abcdef",
    Channel.Kind.OTHER: "discord://1234567890123456/abcdefghijklmnopqrst",
}


def organization(slug: str = "acme", **fields: Any) -> Organization:
    found, _ = Organization.objects.get_or_create(slug=slug, defaults={"name": slug, **fields})
    return found


def channel(
    name: str = "ops",
    kind: str = Channel.Kind.WEBHOOK,
    target: str = "",
    *,
    slug: str | None = "acme",
    **fields: Any,
) -> Channel:
    row = Channel(
        name=name,
        kind=kind,
        organization=organization(slug) if slug else None,
        **{"is_default": True, **fields},
    )
    return save_channel(row, target or TARGETS[Channel.Kind(kind)], ACTOR)
