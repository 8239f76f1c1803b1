"""What views of budgets share: the scopes they need, whose budgets they see, faults as problems."""

from typing import Any

import msgspec
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from msgspec import UNSET
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.views import APIView

from budgets.api.bodies import Refused, invalid, read_as, refusal_faults
from budgets.asking import AskRefused
from budgets.editing import Exists
from budgets.models import Budget
from budgets.selectors.pages import find_budget
from budgets.setting import Actor
from usage.api.authentication import (
    HasScope,
    KeyAuthentication,
    StaffSession,
    actor_name,
    first_held,
    holder_of,
)
from usage.api.bodies import read_body
from usage.api.parameters import OwnFormat, page_link
from usage.api.problems import problem
from usage.api.reads import json_answer
from usage.ingest.identities import find_tenants
from usage.ingest.prepare import Tenancy
from usage.ingest.values import FieldError
from usage.keys import KeyHolder
from usage.models import APIKey, Organization
from usage.selectors.access import viewer_of
from usage.selectors.named import find_organization
from usage.selectors.pages import Page

PAGE = 100


class BudgetsView(APIView):
    """A view whose reads need one of `read_scopes`, everything else one of `write_scopes`."""

    authentication_classes = (KeyAuthentication, StaffSession)
    permission_classes = (HasScope,)
    content_negotiation_class = OwnFormat
    read_scopes: tuple[str, ...] = (APIKey.Scope.READ,)
    write_scopes: tuple[str, ...] = (APIKey.Scope.MANAGE,)

    @property
    def scope(self) -> str:
        """The scope that is needed, or one of those that will do."""
        reads = self.request.method in ("GET", "HEAD", "OPTIONS")
        return first_held(self.request, *(self.read_scopes if reads else self.write_scopes))

    def handle_exception(self, exc: Exception) -> Any:
        """Bodies that cannot be taken are 422 and name each fault."""
        if isinstance(exc, Refused | AskRefused):
            return invalid(exc.errors)
        if isinstance(exc, Exists):
            return problem(409, "exists", str(exc), [FieldError("name", "exists", str(exc))])
        if isinstance(exc, ValidationError):
            return invalid(list(refusal_faults(exc)))
        return super().handle_exception(exc)


def actor_of(holder: KeyHolder) -> Actor:
    """A key as one who changes budgets."""
    return Actor(None, actor_name(holder))


def seen_budget(request: Request, budget_id: str) -> Budget:
    """A budget that the caller may see. Raises NotFound."""
    budget = find_budget(viewer_of(request.user), budget_id)
    if budget is None:
        raise NotFound(f"There is no budget {budget_id!r}.")
    return budget


def find_owner(holder: KeyHolder, slug: object, path: str, *, needed: bool) -> Organization | None:
    """Whose a thing is to be that a body names the organization of; None is the site's.

    The key's own, or of a site key the one called `slug`, which it must say where `needed`.
    Raises Refused at `path`.
    """
    if holder.tenant is not None:
        if slug not in (UNSET, holder.tenant.slug):
            raise _refused(path, "foreign_organization", "The key belongs to another organization.")
        return Organization.objects.get(pk=holder.tenant.id)
    if slug is UNSET and needed:
        message = "A site key must name the organization, or null for all."
        raise _refused(path, "required", message)
    if slug is UNSET or slug is None:
        return None
    rows = Organization.objects.none() if "\0" in str(slug) else Organization.objects.all()
    found = rows.filter(slug=slug, archived_at=None).first()
    if found is None:
        raise _refused(path, "unknown_organization", f"There is no organization {slug!r}.")
    return found


def _refused(path: str, code: str, message: str) -> Refused:
    return Refused([FieldError(path, code, message)])


def tenancy_of(holder: KeyHolder, organization: object) -> Tenancy:
    """For whom a key may ask; one of the site for the `organization` that a body names."""
    if holder.tenant is not None:
        return Tenancy(holder.tenant, {})
    named = isinstance(organization, str) and "\0" not in organization
    return Tenancy(None, find_tenants((str(organization),)) if named else {})


def named_organization(request: Request, slug: str) -> Organization:
    """The organization called so, "" for the key's own, that the caller may change.

    Raises NotFound.
    """
    holder = holder_of(request)
    if not slug and holder.tenant is not None:
        slug = holder.tenant.slug
    found = find_organization(viewer_of(holder), slug)
    if found is None or found.archived_at is not None:
        raise NotFound(f"There is no organization {slug!r}.")
    return found


def expect_nothing(request: Request) -> None:
    """Let the body of a request be empty or say nothing. Raises Refused."""
    read_as(_Nothing, read_body(request) or b"{}")


class _Nothing(msgspec.Struct, forbid_unknown_fields=True):
    """Nothing needs to be said."""


def page_answer(request: Request, page: Page[Any], rows: list[Any]) -> HttpResponse:
    """A page of a list, shown as `rows`."""
    return json_answer(
        {
            "results": rows,
            "next": page_link(request, page.next_cursor),
            "previous": page_link(request, page.previous_cursor),
        }
    )
