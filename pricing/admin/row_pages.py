"""Pages of single rows that show more than their fields."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, TypeVar

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse

AnyModel = TypeVar("AnyModel", bound=Model)


class FilledPage(admin.ModelAdmin[AnyModel]):
    """The stock page of a row, whose template is given more than Django gives it."""

    @abstractmethod
    def page_of(self, request: HttpRequest, row: AnyModel) -> dict[str, Any]:
        """What the template is given besides."""

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: Mapping[str, Any] | None = None,
    ) -> HttpResponse:
        """The page; who asks for a row that there is not is told so on the first page."""
        row = self.get_object(request, unquote(object_id))
        given = {} if row is None else self.page_of(request, row)
        return super().change_view(request, object_id, form_url, {**given, **(extra_context or {})})


class OwnPage(admin.ModelAdmin[AnyModel]):
    """A page of a row that has nothing of a form: `page_template` shows it."""

    page_template: str

    @abstractmethod
    def page_of(self, request: HttpRequest, row: AnyModel) -> dict[str, Any]:
        """What the template is given, a title among it."""

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: Mapping[str, Any] | None = None,
    ) -> HttpResponse:
        """The page; 404 where there is no such row that the user may see."""
        row = self.get_object(request, unquote(object_id))
        if row is None:
            raise Http404
        context = {
            **self.admin_site.each_context(request),
            **self.page_of(request, row),
            **(extra_context or {}),
        }
        return TemplateResponse(request, self.page_template, context)
