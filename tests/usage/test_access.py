from collections.abc import Callable

import pytest
from django.contrib.auth.models import AnonymousUser, Permission, User

from usage.ingest.identities import tenant_of
from usage.keys import KeyHolder
from usage.models import Membership, Organization
from usage.organizations import ensure_organization
from usage.selectors.access import EVERYTHING, NOTHING, Viewer, find_scope, report_zone, viewer_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def organizations() -> list[Organization]:
    return [ensure_organization(slug) for slug in ("acme", "other", "third")]


@pytest.fixture
def member(organizations: list[Organization]) -> Callable[..., User]:
    def make(*, is_staff: bool) -> User:
        user = User.objects.create_user("ann", is_staff=is_staff)
        for organization in organizations[:2]:
            Membership.objects.create(user=user, organization=organization)
        return user

    return make


def test_a_key_shows_its_organization_and_a_site_key_all(organizations: list[Organization]) -> None:
    tenant = tenant_of(organizations[0])
    scopes = frozenset({"read"})
    assert viewer_of(KeyHolder(1, tenant, scopes)) == Viewer(frozenset([tenant.id]))
    assert viewer_of(KeyHolder(1, None, scopes)) == EVERYTHING


def test_staff_see_the_organizations_they_are_members_of(
    organizations: list[Organization], member: Callable[..., User]
) -> None:
    viewer = viewer_of(member(is_staff=True))
    assert [viewer.may_see(o.pk) for o in organizations] == [True, True, False]
    assert [scoped.id for scoped in find_scope(viewer)] == [o.pk for o in organizations[:2]]
    assert find_scope(viewer, ["third"]) == []


def test_superusers_and_holders_of_the_permission_see_all(member: Callable[..., User]) -> None:
    user = member(is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_all_organizations"))
    assert viewer_of(User.objects.get(pk=user.pk)) == EVERYTHING
    assert viewer_of(User.objects.create_superuser("root")) == EVERYTHING


def test_everybody_else_sees_nothing(member: Callable[..., User]) -> None:
    assert viewer_of(AnonymousUser()) == NOTHING
    user = member(is_staff=False)
    assert viewer_of(user) == NOTHING
    user.is_staff, user.is_superuser, user.is_active = True, True, False
    assert viewer_of(user) == NOTHING


def test_reports_use_the_zone_of_the_only_organization_in_scope(
    organizations: list[Organization],
) -> None:
    Organization.objects.filter(slug="acme").update(time_zone="Asia/Kathmandu")
    assert report_zone(EVERYTHING, ["acme"]) == "Asia/Kathmandu"
    assert report_zone(Viewer(frozenset([organizations[0].pk]))) == "Asia/Kathmandu"
    assert report_zone(EVERYTHING) == "UTC"
    assert report_zone(NOTHING) == "UTC"
