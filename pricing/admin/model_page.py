"""A model's page: its names, given and taken away, and what it cost along time."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from pricing.admin.cards import CardsSeen, by_user
from pricing.admin.row_pages import FilledPage
from pricing.directory import MANUAL_NAME
from pricing.models import AIModel, MatchRule, ModelAlias
from pricing.models.rates import BEGINNING
from pricing.publishing import PriceError, add_alias, remove_alias
from pricing.selectors import price_history

KINDS = (MatchRule.Kind.EXACT, MatchRule.Kind.PREFIX, MatchRule.Kind.PATTERN)


class ModelPages(FilledPage[AIModel]):
    """The page and the two actions on its names; needs `CardsSeen` beside it."""

    def get_urls(self) -> list[Any]:
        """Giving and taking names, besides the stock pages."""
        view = self.admin_site.admin_view
        own = [
            path("<int:pk>/names/", view(require_POST(self.add_name)), name="pricing_add_name"),
            path(
                "<int:pk>/names/<int:alias>/remove/",
                view(require_POST(self.remove_name)),
                name="pricing_remove_name",
            ),
        ]
        return [*own, *super().get_urls()]

    def add_name(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Let calls that report a name be priced as this model."""
        model = self._model_to_change(request, pk)
        kind, text = request.POST.get("kind", ""), request.POST.get("text", "")
        try:
            change = add_alias(model, kind, text, by_user(request))
        except PriceError as error:
            messages.error(request, error.faults[0].message)
            return _back_to(model, {"name": text, "as": kind})
        known = "" if change.count else " already"
        messages.success(request, f"Calls that report {text} mean {model}{known}.")
        return _back_to(model)

    def remove_name(self, request: HttpRequest, pk: int, alias: int) -> HttpResponse:
        """Take a name away that somebody gave."""
        model = self._model_to_change(request, pk)
        row = get_object_or_404(ModelAlias.objects.select_related("model__provider"), pk=alias,
                                model=model)  # fmt: skip
        try:
            remove_alias(row, by_user(request))
        except PriceError as error:
            messages.error(request, error.faults[0].message)
        else:
            messages.success(request, f"Calls that report {row.text} no longer mean {model}.")
        return _back_to(model)

    def _model_to_change(self, request: HttpRequest, pk: int) -> AIModel:
        if not request.user.has_perm("pricing.change_aimodel"):
            raise PermissionDenied
        return get_object_or_404(AIModel.objects.select_related("provider"), pk=pk)

    def page_of(self, request: HttpRequest, model: AIModel) -> dict[str, Any]:
        """Its names and its prices along time, and what the user may do with them."""
        names = [
            {"row": alias, "is_manual": alias.origin == MANUAL_NAME,
             "is_own": alias.text == model.name.lower()}
            for alias in model.aliases.order_by("kind", "text")
        ]  # fmt: skip
        history = []
        if isinstance(self, CardsSeen) and request.user.has_perm("pricing.view_priceversion"):
            history = price_history(model, self.cards_seen(request), timezone.now())
        return {
            "names": names,
            "kinds": KINDS,
            "typed_name": request.GET.get("name", ""),
            "typed_kind": request.GET.get("as", ""),
            "may_name": request.user.has_perm("pricing.change_aimodel"),
            "may_price": request.user.has_perm("pricing.add_priceversion"),
            "history": history,
            "beginning": BEGINNING,
        }


def _back_to(model: AIModel, typed: dict[str, str] | None = None) -> HttpResponseRedirect:
    url = reverse("admin:pricing_aimodel_change", args=(model.pk,))
    return HttpResponseRedirect(f"{url}?{urlencode(typed)}" if typed else url)
