"""Rows of organizations beside rows of the whole site."""

from typing import TypeVar

from django.contrib.auth import get_permission_codename
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest

from usage.admin.scope import ScopedAdmin, reach_of

AnyModel = TypeVar("AnyModel", bound=Model)


class SiteRowsAdmin(ScopedAdmin[AnyModel]):
    """Rows that an organization's administrators change, and such as belong to none: those are
    changed by superusers, and by who sees everything and has the model's permission."""

    def may_change(self, request: HttpRequest, organization_id: int | None) -> bool:
        """Whether what belongs to this organization (None: to the site) may be changed."""
        reach = reach_of(request)
        if reach.may_change(organization_id):
            return True
        codename = get_permission_codename("change", self.opts)
        return (
            organization_id is None
            and reach.viewer.organization_ids is None
            and request.user.has_perm(f"{self.opts.app_label}.{codename}")
        )

    def may_change_any(self, request: HttpRequest) -> bool:
        """Whether there are rows that may be changed."""
        return reach_of(request).changes_something or self.may_change(request, None)

    def changeable_rows(self, request: HttpRequest, rows: QuerySet[AnyModel]) -> QuerySet[AnyModel]:
        """Those of `rows` that the user may change."""
        administered = reach_of(request).administers
        if administered is None:
            return rows
        path = self.organization_path
        own = Q(**{f"{path}__in": administered})
        return rows.filter(own | Q(**{path: None}) if self.may_change(request, None) else own)
