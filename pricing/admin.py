"""Read-only admin of providers, models, rate cards and price versions."""

from typing import TypeVar

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from pricing.catalogue.snapshot import BEGINNING
from pricing.models import AIModel, ModelAlias, Price, PriceVersion, Provider, RateCard

AnyModel = TypeVar("AnyModel", bound=Model)
ParentModel = TypeVar("ParentModel", bound=Model)


class ReadOnlyAdmin(admin.ModelAdmin[AnyModel]):
    """A list and a page per row, neither of which can change anything."""

    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Refuse: rows come from syncing and from the price API."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: AnyModel | None = None) -> bool:
        """Refuse."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: AnyModel | None = None) -> bool:
        """Refuse."""
        return False


class ReadOnlyInline(admin.TabularInline[AnyModel, ParentModel]):
    """Rows of a page, shown only."""

    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: ParentModel | None = None) -> bool:
        """Refuse."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: ParentModel | None = None) -> bool:
        """Refuse."""
        return False


class ModelAliasInline(ReadOnlyInline[ModelAlias, AIModel]):
    """The names a model is found by."""

    model = ModelAlias
    fields = ["kind", "text", "origin"]


class PriceInline(ReadOnlyInline[Price, PriceVersion]):
    """The prices of a version."""

    model = Price
    fields = ["meter", "unit_price", "per", "long_context"]
    readonly_fields = ["long_context"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Price]:
        """Fetch the tiers of all prices at once."""
        return super().get_queryset(request).prefetch_related("tiers")

    @admin.display(description="long context")
    def long_context(self, price: Price) -> str:
        """The price's tiers, lowest first."""
        return "; ".join(str(tier) for tier in price.tiers.all()) or "—"


@admin.register(Provider)
class ProviderAdmin(ReadOnlyAdmin[Provider]):
    """Vendors and whose models they resell."""

    list_display = ["slug", "name", "fallbacks"]
    search_fields = ["slug", "name"]
    fields = ["slug", "name", "position", "fallbacks"]


@admin.register(AIModel)
class AIModelAdmin(ReadOnlyAdmin[AIModel]):
    """Models with the names they are found by."""

    list_display = ["name", "provider"]
    list_filter = ["provider"]
    list_select_related = ["provider"]
    search_fields = ["name"]
    fields = ["provider", "name", "position"]
    inlines = [ModelAliasInline]


@admin.register(RateCard)
class RateCardAdmin(ReadOnlyAdmin[RateCard]):
    """Sets of prices with their currency."""

    list_display = ["name", "kind", "currency"]
    fields = ["name", "kind", "currency"]


@admin.register(PriceVersion)
class PriceVersionAdmin(ReadOnlyAdmin[PriceVersion]):
    """Dated prices, newest first, with where they came from."""

    list_display = [
        "model",
        "provider",
        "input_price",
        "output_price",
        "service_tier",
        "rate_card",
        "in_force",
    ]
    list_filter = ["rate_card", "service_tier", "model__provider"]
    list_select_related = ["model__provider", "rate_card"]
    search_fields = ["model__name"]
    ordering = ["-id"]
    fieldsets = [
        (None, {"fields": ["model", "rate_card", "service_tier"]}),
        ("In force", {"fields": ["effective_from", "effective_to", "utc_from", "utc_until"]}),
        (
            "Origin",
            {"fields": ["origin", "source_version", "reason", "created_at", "created_by"]},
        ),
    ]
    inlines = [PriceInline]

    def get_queryset(self, request: HttpRequest) -> QuerySet[PriceVersion]:
        """Fetch the prices of all versions at once."""
        return super().get_queryset(request).prefetch_related("prices")

    @admin.display(description="input per 1 M")
    def input_price(self, version: PriceVersion) -> str:
        """The price of a million input tokens."""
        return _per_million(version, "input_tokens")

    @admin.display(description="output per 1 M")
    def output_price(self, version: PriceVersion) -> str:
        """The price of a million output tokens."""
        return _per_million(version, "output_tokens")

    @admin.display(description="in force", ordering="effective_from")
    def in_force(self, version: PriceVersion) -> str:
        """From its first day up to the day on which another one takes over."""
        first, end = version.effective_from, version.effective_to
        start = "" if first == BEGINNING else f"from {first.day} {first:%b %Y}"
        until = "" if end is None else f"until {end.day} {end:%b %Y}"
        return f"{start} {until}".strip() or "always"

    @admin.display(description="provider", ordering="model__provider__slug")
    def provider(self, version: PriceVersion) -> str:
        """The slug of the model's vendor."""
        return version.model.provider.slug


def _per_million(version: PriceVersion, meter: str) -> str:
    for price in version.prices.all():
        if price.meter == meter:
            amount = price.unit_price * 1_000_000 / price.per
            return f"{amount.normalize():f} {version.rate_card.currency}"
    return "—"
