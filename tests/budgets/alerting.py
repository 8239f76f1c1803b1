from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone

from budgets.alerts.keeping import Finding, keep
from budgets.channels.saving import save_channel
from budgets.models import Alert, Channel, Notice
from budgets.notices.writing import test_message as words_of_a_test
from tests.budgets.budget_values import ACTOR, budget
from tests.config.site_data import event, send
from usage.models import Organization

SYNC = "Prices of openrouter could not be synced"


def overspent(organization: str = "acme", limit: str = "0.25", **fields: Any) -> Alert:
    """A budget of which 0.30 is used: 100,000 tokens at 3 dollars a million."""
    row = budget(organization, limit, period="day", **fields)
    send([event(f"a{row.pk}", datetime.now(UTC), organization=organization, input_tokens=100_000)])
    return Alert.objects.filter(budget=row).latest("percent")


def silent(organization: str = "acme", name: str = "ci-key") -> Alert:
    owner = Organization.objects.get(slug=organization)
    now, key = timezone.now(), f"{organization}:{name}"
    facts = {"name": name, "last_seen": now - timedelta(hours=9)}
    keep("stale", [Finding(key, "warning", facts, owner.pk)], now, among=[])
    return Alert.objects.get(kind="stale", key=key)


def unsynced() -> Alert:
    keep("system", [Finding("sync:openrouter", "warning", {"what": SYNC})], timezone.now())
    return Alert.objects.get(kind="system")


def channel(
    organization: str | None = "acme",
    name: str = "ops",
    kind: str = "email",
    to: str = "ann@example.org",
    **fields: Any,
) -> Channel:
    owner = Organization.objects.get(slug=organization) if organization else None
    return save_channel(Channel(organization=owner, name=name, kind=kind, **fields), to, ACTOR)


def notice(to: Channel, about: Alert | None = None, **fields: Any) -> Notice:
    content = words_of_a_test(to).as_content()
    kind = Notice.Kind.ALERT if about else Notice.Kind.TEST
    given = {"kind": kind, "alert": about, "content": content, "due_at": timezone.now(), **fields}
    return Notice.objects.create(channel=to, **given)
