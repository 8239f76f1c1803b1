"""API keys: making, revoking and recognising them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any

from django.core.exceptions import ValidationError
from django.db import connection, transaction

from pricing.revision import CURRENT
from usage.ingest.identities import find_tenants
from usage.ingest.pipeline import Caller
from usage.ingest.prepare import Tenancy, Tenant
from usage.ingest.values import EventValue
from usage.models import APIKey, Organization
from usage.models.identity import validate_name
from usage.models.keys import KEY_MARK
from usage.organizations import ensure_organization

TOUCH_EVERY = timedelta(minutes=1)
REVISION_HOLDS = 5.0
"""For how many seconds after a key was looked up the price revision read with it is relied on."""


@dataclass(frozen=True, slots=True)
class KeyHolder:
    """Whoever presented a valid key. `tenant` is None for a site key.

    `provider` is that of events which name none; empty when the key has none either.
    `revision` is the one of prices that was current when the key was looked up, at `looked_up`
    (monotonic seconds); `prefix` is the visible beginning of the key.
    """

    key_id: int
    tenant: Tenant | None
    scopes: frozenset[str]
    provider: str = ""
    revision: int | None = None
    prefix: str = ""
    looked_up: float = 0.0

    @property
    def price_revision(self) -> int | None:
        """The present price revision, None if that was read too long ago: a body may take its
        time, and what is stored late by old prices is rated again by nobody."""
        return self.revision if monotonic() - self.looked_up < REVISION_HOLDS else None

    @property
    def is_authenticated(self) -> bool:
        """True: Django and DRF ask this of every user."""
        return True


class KeyRefused(Exception):
    """A presented key is not valid; the message may be shown to its bearer."""


def create_key(
    organization_slug: str | None,
    scopes: Iterable[str],
    name: str,
    expires: timedelta | None = None,
    provider: str = "",
) -> tuple[APIKey, str]:
    """Make a key; return it with the secret text, which is shown once and kept nowhere.

    The organization is made if it is missing; None makes a site key, valid for all.
    `expires` counts from now; `provider` is that of events which name none. Raises
    ValidationError for an unknown scope, a bad slug, or a name or provider that is too long.
    """
    chosen = sorted(set(scopes))
    unknown = set(chosen) - set(APIKey.Scope.values)
    if unknown or not chosen:
        raise ValidationError(
            f"A scope is one of {', '.join(APIKey.Scope.values)},"
            f" not {', '.join(sorted(unknown)) or 'none'}."
        )
    APIKey._meta.get_field("name").run_validators(name)
    provider = provider.strip()
    if provider:
        validate_name(provider)
    with transaction.atomic():
        organization = ensure_organization(organization_slug) if organization_slug else None
        key = APIKey(
            name=name,
            organization=organization,
            scopes=chosen,
            expiry_date=datetime.now(UTC) + expires if expires else None,
            provider=provider,
        )
        secret = APIKey.objects.assign_key(key)
        key.save()
    return key, secret


def revoke_key(prefix: str) -> APIKey:
    """Revoke the key with this visible prefix for ever. Raises APIKey.DoesNotExist."""
    key: APIKey = APIKey.objects.get(prefix=prefix.removeprefix(KEY_MARK).partition(".")[0])
    if not key.revoked:
        key.revoked = True
        key.save(update_fields=["revoked"])
    return key


# By hand, because it runs before every single call.
_FIND = f"""
    SELECT k.id, k.hashed_key, k.revoked, k.expiry_date, k.last_used_at, k.scopes,
           k.provider, o.id, o.slug, o.subject_policy, o.rate_card_id, o.archived_at, {CURRENT}
    FROM usage_apikey k LEFT JOIN usage_organization o ON o.id = k.organization_id
    WHERE k.prefix = %s
"""


def _find(prefix: str) -> tuple[Any, ...] | None:
    with connection.cursor() as cursor:
        cursor.execute(_FIND, (prefix,))
        row: tuple[Any, ...] | None = cursor.fetchone()
    return row


def recognise(secret: str, now: datetime | None = None) -> KeyHolder:
    """The holder of a valid key. Raises KeyRefused; notes the use at most once a minute."""
    now = now or datetime.now(UTC)
    bare = secret.removeprefix(KEY_MARK)
    row = None if "\0" in bare else _find(bare.partition(".")[0])
    if row is None or not APIKey.objects.key_generator.verify(bare, row[1]):
        raise KeyRefused("The API key is not known.")
    pk, _, revoked, expiry, used_at, scopes, provider, *owner, revision = row
    org_id, slug, policy, card, archived = owner
    if revoked:
        raise KeyRefused("The API key has been revoked.")
    if expiry is not None and expiry < now:
        raise KeyRefused("The API key has expired.")
    if archived is not None:
        raise KeyRefused("The organization of the API key is archived.")
    if used_at is None or now - used_at > TOUCH_EVERY:
        APIKey.objects.filter(pk=pk).update(last_used_at=now)
    closed = policy == Organization.SubjectPolicy.KNOWN
    tenant = Tenant(org_id, slug, closed, card) if org_id is not None else None
    prefix = bare.partition(".")[0]
    return KeyHolder(pk, tenant, frozenset(scopes), provider, revision, prefix, monotonic())


def caller_of(holder: KeyHolder, items: Iterable[object]) -> Caller:
    """On whose behalf items come in; a site key may write to every organization events name."""
    if holder.tenant is not None:
        return _caller(holder, Tenancy(holder.tenant, {}))
    slugs = {item.organization for item in items if isinstance(item, EventValue)}
    tenancy = Tenancy(None, find_tenants(slug for slug in slugs if slug))
    return _caller(holder, tenancy)


def _caller(holder: KeyHolder, tenancy: Tenancy) -> Caller:
    return Caller(tenancy, holder.key_id, holder.provider, holder.price_revision)
