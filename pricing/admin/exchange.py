"""Exchange rates: a dated list, one more rate by hand, and whole files with a preview."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_protect

from pricing.admin.cards import by_user
from pricing.admin.exchange_import import ImportForm, StoreForm, packed, summaries
from pricing.admin.read_only import ReadOnlyAdmin
from pricing.exchange import DatedRate, check_rate, set_rates
from pricing.models import ExchangeRate, PriceChange
from pricing.models.exchange import RATE_DECIMALS
from pricing.publishing import Provenance


class CurrencyField(forms.CharField):
    """An ISO 4217 code, in upper case whatever is typed."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=3, **kwargs)
        self.widget.attrs["size"] = 4

    def to_python(self, value: Any) -> str:
        """The code in upper case."""
        return str(super().to_python(value)).upper()


class RateForm(forms.Form):
    """One exchange rate."""

    base = CurrencyField(help_text="One of this currency…")
    quote = CurrencyField(help_text="…buys so much of this one:")
    rate = forms.DecimalField(max_digits=24, decimal_places=RATE_DECIMALS)
    day = forms.DateField(
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text="It holds from this day (UTC) until the next day that has a rate.",
    )
    reason = forms.CharField(required=False, max_length=500)

    def clean(self) -> dict[str, Any]:
        """The rate as a whole, by the rules that every rate must keep."""
        chosen = super().clean() or self.cleaned_data
        if not self.errors:
            try:
                check_rate(self._rate(chosen))
            except ValueError as error:
                text = str(error)
                raise forms.ValidationError(f"{text[:1].upper()}{text[1:]}.") from None
        return chosen

    def store(self, source: Provenance) -> PriceChange:
        """Store the rate of a valid form."""
        return set_rates([self._rate(self.cleaned_data)], source)

    def _rate(self, chosen: dict[str, Any]) -> DatedRate:
        return DatedRate(chosen["base"], chosen["quote"], chosen["day"], chosen["rate"])


@admin.register(ExchangeRate)
class ExchangeRateAdmin(ReadOnlyAdmin[ExchangeRate]):
    """Rates by day, the latest first; once stored they stay."""

    change_list_template = "pricing/exchange_rate_list.html"
    list_display = ["day", "pair", "shown_rate", "origin", "stored"]
    list_filter = ["base", "quote", "origin"]
    date_hierarchy = "day"
    fields = ["day", "shown_rate", "origin", "stored", "change"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Whether the user has Django's permission to add exchange rates."""
        return request.user.has_perm("pricing.add_exchangerate")

    def get_urls(self) -> list[URLPattern]:
        """The import page besides the stock ones."""
        view = self.admin_site.admin_view(self.import_view)
        return [path("import/", view, name="pricing_exchangerate_import"), *super().get_urls()]

    @method_decorator(csrf_protect)
    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Ask for one rate and store it."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = RateForm(request.POST if request.method == "POST" else None)
        if form.is_valid():
            source = by_user(request, form.cleaned_data["reason"])
            self._tell(request, form.store(source), 1)
            return HttpResponseRedirect(self._list_url())
        context = self._context(request, "Set an exchange rate", form, "Store the rate")
        return TemplateResponse(request, "tallyman/form.html", context)

    @method_decorator(csrf_protect)
    def import_view(self, request: HttpRequest) -> HttpResponse:
        """Ask for a file, show what it holds, and store that once confirmed."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        if "content" in request.POST:
            return self._store_file(request)
        sent = request.method == "POST"
        form = ImportForm(request.POST if sent else None, request.FILES if sent else None)
        context = self._context(request, "Import exchange rates", form, "Show what it holds")
        if form.is_valid():
            file = form.cleaned_data["file"]
            store = StoreForm(initial={"name": file.name, "content": packed(form.data_of_file)})
            context |= {
                "form": store,
                "submit": f"Store {len(form.rates):,} rates",
                "file_name": file.name,
                "count": len(form.rates),
                "pairs": summaries(form.rates),
            }
        return TemplateResponse(request, "pricing/exchange_import.html", context)

    def _store_file(self, request: HttpRequest) -> HttpResponse:
        form = StoreForm(request.POST)
        if not form.is_valid():
            context = self._context(request, "Import exchange rates", form, "Store the rates")
            return TemplateResponse(request, "pricing/exchange_import.html", context)
        name = form.cleaned_data["name"]
        source = Provenance("file", source_version=name[:100], created_by_id=request.user.pk)
        self._tell(request, set_rates(form.rates, source), len(form.rates))
        return HttpResponseRedirect(self._list_url())

    def _tell(self, request: HttpRequest, change: PriceChange, given: int) -> None:
        known = given - change.count
        text = f"{change.count:,} exchange rate{'' if change.count == 1 else 's'} stored"
        messages.success(request, f"{text}, {known:,} known before." if known else f"{text}.")

    def _context(
        self, request: HttpRequest, title: str, form: forms.Form, submit: str
    ) -> dict[str, Any]:
        return {
            **self.admin_site.each_context(request),
            "title": title,
            "form": form,
            "submit": submit,
            "back_url": self._list_url(),
        }

    def _list_url(self) -> str:
        return reverse("admin:pricing_exchangerate_changelist")

    @admin.display(description="currencies", ordering="base")
    def pair(self, rate: ExchangeRate) -> str:
        """From which currency to which."""
        return f"{rate.base} → {rate.quote}"

    @admin.display(description="stored (UTC)", ordering="created_at")
    def stored(self, rate: ExchangeRate) -> str:
        """When it was stored."""
        return f"{rate.created_at:%Y-%m-%d %H:%M}"

    @admin.display(description="rate", ordering="rate")
    def shown_rate(self, rate: ExchangeRate) -> str:
        """The rate without zeros at its end."""
        return f"1 {rate.base} = {rate.rate.normalize():f} {rate.quote}"
