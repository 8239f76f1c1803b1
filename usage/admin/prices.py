"""Pages of prices, narrowed to the contracts of organizations their user may see."""

from typing import Any

from django.contrib import admin
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Model, OuterRef, QuerySet
from django.http import HttpRequest

from pricing.admin.cards import CardsSeen
from pricing.admin.changes import PriceChangeAdmin
from pricing.admin.prices import AIModelAdmin, PriceVersionAdmin, ProviderAdmin, RateCardAdmin
from pricing.models import AIModel, PriceChange, PriceVersion, Provider, RateCard
from usage.admin.scope import reach_of
from usage.models import Organization
from usage.selectors.overview import visible
from usage.selectors.rate_cards import visible_cards, visible_models


class VisibleCards(CardsSeen):
    """Lists, the manual card, and the contracts of visible organizations."""

    def cards_seen(self, request: HttpRequest) -> QuerySet[RateCard]:
        """The rate cards the user may see."""
        return visible_cards(reach_of(request).viewer)


class ShownToMembers:
    """Pages that whoever sees an organization may look at, for its usage is priced by them."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Whether the user sees any organization."""
        return reach_of(request).sees_something

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Whether the user sees any organization; which rows is a matter of the query."""
        return reach_of(request).sees_something


admin.site.register(Provider, ProviderAdmin)


@admin.register(AIModel)
class VisibleModelAdmin(ShownToMembers, VisibleCards, AIModelAdmin):
    """Models with the prices that the user may see."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[AIModel]:
        """All but models that only contracts of other organizations know."""
        return visible_models(super().get_queryset(request), reach_of(request).viewer)


@admin.register(PriceVersion)
class VisiblePriceVersionAdmin(ShownToMembers, VisibleCards, PriceVersionAdmin):
    """Prices on visible cards."""


@admin.register(PriceChange)
class VisiblePriceChangeAdmin(VisibleCards, PriceChangeAdmin):
    """The record, less what concerns other organizations' contracts."""


@admin.register(RateCard)
class VisibleRateCardAdmin(ShownToMembers, VisibleCards, RateCardAdmin):
    """Visible cards and whom they hold for."""

    list_display = ["name", "kind", "holds_for"]
    readonly_fields = ["its_prices", "holds_for"]

    def get_fields(self, request: HttpRequest, obj: RateCard | None = None) -> list[Any]:
        """With the organizations, once there can be any."""
        fields = super().get_fields(request, obj)
        return fields if obj is None else [*fields, "holds_for"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[RateCard]:
        """With the visible organizations that each is the contract of."""
        owners = Organization.objects.filter(rate_card=OuterRef("pk")).order_by("slug")
        seen = visible(owners, reach_of(request).viewer, "pk").values("slug")
        return super().get_queryset(request).annotate(owners=ArraySubquery(seen))

    @admin.display(description="holds for")
    def holds_for(self, card: RateCard) -> str:
        """Everybody, or the organizations it is the contract of."""
        if card.kind != RateCard.Kind.CONTRACTED:
            return "everybody"
        owners: list[str] = getattr(card, "owners", [])
        return ", ".join(owners) or "nobody yet"
