"""API keys as they may be shown."""

from dataclasses import dataclass
from datetime import datetime

from usage.models import APIKey


@dataclass(frozen=True, slots=True)
class ListedKey:
    """A key without its secret; `organization` None is a site key. Times are UTC."""

    prefix: str
    name: str
    organization: str | None
    scopes: list[str]
    provider: str
    created: datetime
    last_used_at: datetime | None
    expires_at: datetime | None
    revoked: bool

    def state(self, now: datetime) -> str:
        """Whether the key still opens anything: valid, expired or revoked."""
        if self.revoked:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at < now else "valid"


def list_keys(organization: str = "") -> list[ListedKey]:
    """All keys, or those of one organization by slug, newest first."""
    keys = APIKey.objects.order_by("-created", "-pk")
    if organization:
        keys = keys.filter(organization__slug=organization)
    rows = keys.values_list(
        "prefix", "name", "organization__slug", "scopes", "provider", "created", "last_used_at",
        "expiry_date", "revoked",
    )  # fmt: skip
    return [ListedKey(*row) for row in rows]
