"""Who may see which organizations."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import NamedTuple

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, PermissionsMixin

from usage.keys import KeyHolder
from usage.models import Membership, Organization

SEE_ALL = "usage.view_all_organizations"


@dataclass(frozen=True, slots=True)
class Viewer:
    """The organizations somebody may see; None means all there are and will be."""

    organization_ids: frozenset[int] | None

    def may_see(self, organization_id: int) -> bool:
        """Whether this organization is among them."""
        return self.organization_ids is None or organization_id in self.organization_ids


class Scoped(NamedTuple):
    """An organization that a question reaches, and the zone its days are built in."""

    id: int
    time_zone: str


EVERYTHING = Viewer(None)
NOTHING = Viewer(frozenset())


def viewer_of(caller: KeyHolder | AbstractBaseUser | AnonymousUser) -> Viewer:
    """What the bearer of a key or a signed-in user may see.

    A key shows its organization, a site key all; staff see the organizations they are
    members of, or all with `usage.view_all_organizations`. Everybody else sees nothing.
    """
    if isinstance(caller, KeyHolder):
        return EVERYTHING if caller.tenant is None else Viewer(frozenset((caller.tenant.id,)))
    if not (caller.is_active and getattr(caller, "is_staff", False)):
        return NOTHING
    if isinstance(caller, PermissionsMixin) and caller.has_perm(SEE_ALL):
        return EVERYTHING
    rows = Membership.objects.filter(user_id=caller.pk).values_list("organization_id", flat=True)
    return Viewer(frozenset(rows))


def administered_by(user: AbstractBaseUser | AnonymousUser) -> Viewer:
    """The organizations whose identities and keys somebody may change; all for site staff."""
    if not user.is_active:
        return NOTHING
    if getattr(user, "is_superuser", False):
        return EVERYTHING
    if not getattr(user, "is_staff", False):
        return NOTHING
    rows = Membership.objects.filter(user_id=user.pk, role=Membership.Role.ADMIN)
    return Viewer(frozenset(rows.values_list("organization_id", flat=True)))


def find_scope(viewer: Viewer, slugs: Collection[str] | None = None) -> list[Scoped]:
    """The organizations a viewer sees, by id; with `slugs` only those called so."""
    rows = Organization.objects.order_by("pk")
    if viewer.organization_ids is not None:
        rows = rows.filter(pk__in=viewer.organization_ids)
    if slugs is not None:
        rows = rows.filter(slug__in=slugs)
    return [Scoped(*row) for row in rows.values_list("pk", "time_zone")]


def report_zone(viewer: Viewer, slugs: Collection[str] | None = None) -> str:
    """The IANA zone to report in unless asked otherwise: that of the only organization in
    scope, else the site's."""
    scope = find_scope(viewer, slugs)
    return scope[0].time_zone if len(scope) == 1 else str(settings.TALLYMAN_TIME_ZONE)
