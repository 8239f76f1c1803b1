"""Providers, models, rate cards and price versions; who may see which is decided above.

Nothing here is changed in place: prices are appended, names given and taken, and all of it by the
publishing stage, which records who did it.
"""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from pricing.admin.cards import CardFilter, CardsSeen, by_user
from pricing.admin.editing import price_page
from pricing.admin.model_page import ModelPages
from pricing.admin.read_only import ReadOnlyAdmin, ReadOnlyInline
from pricing.models import AIModel, Price, PriceVersion, Provider, RateCard
from pricing.models.rates import BEGINNING
from pricing.publishing import (
    PriceError,
    check_card_name,
    contracted_card,
    set_reported_cost_counts,
)


class PriceInline(ReadOnlyInline[Price, PriceVersion]):
    """The prices of a version."""

    model = Price
    fields = ["meter", "amount", "long_context"]
    readonly_fields = ["amount", "long_context"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Price]:
        """Fetch the tiers of all prices at once."""
        return super().get_queryset(request).prefetch_related("tiers")

    @admin.display(description="unit price")
    def amount(self, price: Price) -> str:
        """The price without zeros that say nothing, and for how many units."""
        units = "1 M" if price.per == 1_000_000 else f"{price.per:,}"
        return f"{price.unit_price.normalize():f} {price.version.currency} per {units}"

    @admin.display(description="tiers")
    def long_context(self, price: Price) -> str:
        """The price's tiers, lowest first."""
        kind = " (graduated)" if price.graduated else ""
        return "; ".join(str(tier) for tier in price.tiers.all()) + kind or "—"


class ProviderAdmin(ReadOnlyAdmin[Provider]):
    """Vendors, whose models they resell, and whether their own figure is what a call costs."""

    list_display = ["slug", "name", "fallbacks", "cost_rests_on"]
    search_fields = ["slug", "name"]
    fields = ["slug", "name", "position", "fallbacks", "reported_cost_counts"]
    readonly_fields = ["slug", "name", "position", "fallbacks"]

    @admin.display(description="cost rests on", ordering="reported_cost_counts")
    def cost_rests_on(self, provider: Provider) -> str:
        """Prices, or what calls report."""
        return "reported cost" if provider.reported_cost_counts else "prices"

    def has_change_permission(self, request: HttpRequest, obj: Provider | None = None) -> bool:
        """Whether the user may change providers: only whether their own figure counts."""
        return admin.ModelAdmin.has_change_permission(self, request, obj)

    def save_model(
        self, request: HttpRequest, obj: Provider, form: forms.ModelForm[Provider], change: bool
    ) -> None:
        """Let the stage that records it change the one field there is."""
        set_reported_cost_counts(obj, value=obj.reported_cost_counts, source=by_user(request))


class AIModelAdmin(ModelPages, CardsSeen, ReadOnlyAdmin[AIModel]):
    """Models with the names they are found by and what they cost along time."""

    change_form_template = "pricing/model.html"
    list_display = ["name", "provider"]
    list_filter = ["provider"]
    list_select_related = ["provider"]
    search_fields = ["name"]
    fields = ["provider", "name"]


class RateCardForm(forms.ModelForm[RateCard]):
    """The name of a new contracted card."""

    class Meta:
        model = RateCard
        fields = ["name"]
        help_texts = {
            "name": "Prices on a contracted card precede all others for the organizations that name"
            " it as their rate card."
        }

    def clean_name(self) -> str:
        """Refuse what the stage would refuse."""
        name: str = self.cleaned_data["name"]
        try:
            return check_card_name(name)
        except PriceError as error:
            raise forms.ValidationError(error.faults[0].message) from error


class RateCardAdmin(CardsSeen, ReadOnlyAdmin[RateCard]):
    """Sets of prices: lists, the one set by hand, and contracts."""

    form = RateCardForm
    list_display = ["name", "kind"]
    list_filter = ["kind"]
    search_fields = ["name"]
    readonly_fields = ["its_prices"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[RateCard]:
        """Only cards the user may see."""
        return super().get_queryset(request).filter(pk__in=self.cards_seen(request))

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Whether the user may make contracted cards."""
        return admin.ModelAdmin.has_add_permission(self, request)

    def get_fields(self, request: HttpRequest, obj: RateCard | None = None) -> list[Any]:
        """Its kind is not to be chosen: lists are synced, and one card is set by hand."""
        return ["name"] if obj is None else ["name", "kind", "its_prices"]

    @admin.display(description="prices")
    def its_prices(self, card: RateCard) -> SafeString:
        """A link to the prices on it."""
        url = reverse("admin:pricing_priceversion_changelist")
        return format_html(
            '<a href="{}?rate_card__id__exact={}">Prices on this card</a>', url, card.pk
        )

    def save_model(
        self, request: HttpRequest, obj: RateCard, form: forms.ModelForm[RateCard], change: bool
    ) -> None:
        """Make the contracted card of this name."""
        made = contracted_card(obj.name)
        obj.pk, obj.kind = made.pk, made.kind
        messages.info(request, "It is used once an organization names it as its rate card.")


class PriceVersionAdmin(CardsSeen, ReadOnlyAdmin[PriceVersion]):
    """Dated prices, newest first, with where they came from; a change appends another one."""

    change_form_template = "pricing/version.html"
    change_list_template = "pricing/version_list.html"
    list_display = [
        "model", "provider", "input_price", "output_price", "service_tier", "rate_card", "in_force",
    ]  # fmt: skip
    list_filter = [("rate_card", CardFilter), "service_tier", "model__provider"]
    list_select_related = ["model__provider", "rate_card"]
    search_fields = ["model__name"]
    ordering = ["-id"]
    fieldsets = [
        (None, {"fields": [("model", "rate_card"), ("service_tier", "currency")]}),
        ("In force", {"fields": [("starts", "ends"), "hours"]}),
        (
            "Origin",
            {"fields": [("origin", "source_version"), ("made", "created_by"), "reason"]},
        ),
    ]
    inlines = [PriceInline]

    def get_queryset(self, request: HttpRequest) -> QuerySet[PriceVersion]:
        """Only versions on cards the user may see, all prices fetched at once."""
        rows = super().get_queryset(request).filter(rate_card__in=self.cards_seen(request))
        return rows.prefetch_related("prices")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Whether the user may set prices."""
        return admin.ModelAdmin.has_add_permission(self, request)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Ask for prices, or for changes of a version; show what they change; then set them."""
        return price_page(self, request)

    @admin.display(description="input per 1 M")
    def input_price(self, version: PriceVersion) -> str:
        """The price of a million input tokens."""
        return _per_million(version, "input_tokens")

    @admin.display(description="output per 1 M")
    def output_price(self, version: PriceVersion) -> str:
        """The price of a million output tokens."""
        return _per_million(version, "output_tokens")

    @admin.display(description="from (UTC)")
    def starts(self, version: PriceVersion) -> str:
        """The first instant at which it holds."""
        start = version.effective_from
        return "always" if start == BEGINNING else f"{start:%Y-%m-%d %H:%M}"

    @admin.display(description="until (UTC)")
    def ends(self, version: PriceVersion) -> str:
        """The first instant at which it holds no more."""
        end = version.effective_to
        if end is None:
            return "—"
        return "withdrawn" if end == version.effective_from else f"{end:%Y-%m-%d %H:%M}"

    @admin.display(description="hours (UTC)")
    def hours(self, version: PriceVersion) -> str:
        """The time of day at which it holds."""
        if version.utc_from is None or version.utc_until is None:
            return "all day"
        return f"{version.utc_from:%H:%M} to before {version.utc_until:%H:%M}"

    @admin.display(description="made (UTC)")
    def made(self, version: PriceVersion) -> str:
        """When it was appended."""
        return f"{version.created_at:%Y-%m-%d %H:%M}"

    @admin.display(description="in force", ordering="effective_from")
    def in_force(self, version: PriceVersion) -> str:
        """From its first day up to the day on which another one takes over."""
        first, end = version.effective_from, version.effective_to
        if first == end:
            return "withdrawn"
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
            return f"{amount.normalize():f} {version.currency}"
    return "—"
