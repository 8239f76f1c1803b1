"""The three ways to price what waits in the inbox, each a form."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Any

from django import forms
from django.conf import settings
from django.http import QueryDict

from pricing.exchange import exchange_rate, is_currency
from pricing.first_prices import FREE, NotPriced, Unknown, home_of, set_first_prices, use_price_of
from pricing.models import AIModel, RateCard
from pricing.publishing import PriceError, Provenance
from usage.selectors.unpriced import UnpricedGroup

SEPARATOR = " / "
_METERS = {
    "input_tokens": "Input",
    "output_tokens": "Output",
    "cache_read_tokens": "Cache read",
    "cache_write_tokens": "Cache write",
}


class FirstPriceForm(forms.Form):
    """What the forms share: the group that is priced, and the reason."""

    def __init__(self, data: QueryDict | None, group: UnpricedGroup) -> None:
        super().__init__(data)
        self.group = group
        self.unknown = Unknown(group.provider, group.model, day_start(group.first_at))
        self.fields["reason"] = forms.CharField(
            required=False, max_length=500, help_text="Kept in the record of price changes."
        )

    def add_provider_field(self) -> None:
        """Ask who sells the model, where calls do not say so."""
        if not home_of(self.unknown)[0]:
            suggestion = self.group.suggestion
            self.fields["provider"] = forms.CharField(
                max_length=100,
                initial=suggestion.provider if suggestion else "",
                help_text="Calls do not say who sells this model.",
            )


class LikeForm(FirstPriceForm):
    """The price of a model that is known."""

    known = forms.CharField(
        label="Model",
        max_length=320,
        widget=forms.TextInput(attrs={"list": "known-models", "size": 48, "autocomplete": "off"}),
        help_text="As provider / model.",
    )
    field_order = ["known", "reason"]

    def __init__(self, data: QueryDict | None, group: UnpricedGroup) -> None:
        super().__init__(data, group)
        if group.suggestion:
            suggestion = (group.suggestion.provider, group.suggestion.model)
            self.fields["known"].initial = SEPARATOR.join(suggestion)

    def clean_known(self) -> AIModel:
        """The model that is meant."""
        provider, _, name = str(self.cleaned_data["known"]).partition("/")
        models = AIModel.objects.select_related("provider")
        found = models.filter(provider__slug=provider.strip().lower(), name__iexact=name.strip())
        model = found.first()
        if model is None:
            raise forms.ValidationError("There is no such model; choose one of the list.")
        return model


class PriceForm(FirstPriceForm):
    """Prices of its own."""

    def __init__(self, data: QueryDict | None, group: UnpricedGroup) -> None:
        super().__init__(data, group)
        self.add_provider_field()
        for meter, label in _METERS.items():
            self.fields[meter] = forms.DecimalField(
                label=label, required=meter in FREE, min_value=0, max_digits=20, decimal_places=10
            )
        self.fields["currency"] = forms.CharField(
            max_length=3,
            initial=settings.TALLYMAN_CURRENCY,
            help_text="Three letters, such as USD.",
        )
        self.fields["since"] = forms.DateField(
            label="From",
            initial=self.unknown.since.date(),
            widget=forms.DateInput(attrs={"type": "date"}),
            help_text="The day (UTC) from which it holds; calls before it stay unpriced.",
        )
        self.order_fields(["provider", *_METERS, "currency", "since", "reason"])

    def clean_currency(self) -> str:
        """The code in capitals, of a currency whose prices can be rated."""
        currency: str = self.cleaned_data["currency"].upper()
        ledger: str = settings.TALLYMAN_CURRENCY
        if not is_currency(currency):
            raise forms.ValidationError("Use the three letters of ISO 4217, such as USD.")
        last_day = self.group.last_at.astimezone(UTC).date()
        if currency != ledger and exchange_rate(currency, ledger, last_day) is None:
            raise forms.ValidationError(
                f"No exchange rate from {currency} to {ledger} is known, so nothing could be rated."
                " Store one first, under Exchange rates."
            )
        return currency


class FreeForm(FirstPriceForm):
    """Free of charge."""

    def __init__(self, data: QueryDict | None, group: UnpricedGroup) -> None:
        super().__init__(data, group)
        self.add_provider_field()
        self.order_fields(["provider", "reason"])


def day_start(at: datetime) -> datetime:
    """The first instant of the UTC day that `at` lies in."""
    return datetime.combine(at.astimezone(UTC).date(), time(), UTC)


def known_models() -> list[str]:
    """The models to choose from: those with a price that is no contract's."""
    public = RateCard.objects.exclude(kind=RateCard.Kind.CONTRACTED)
    rows: Any = AIModel.objects.filter(versions__rate_card__in=public).distinct()
    pairs = rows.order_by("provider__slug", "name").values_list("provider__slug", "name")
    return [SEPARATOR.join(pair) for pair in pairs]


def _use_price(form: FirstPriceForm, source: Provenance) -> None:
    use_price_of(form.unknown, form.cleaned_data["known"], source)


def _set_price(form: FirstPriceForm, source: Provenance) -> None:
    chosen = form.cleaned_data
    prices = {meter: chosen[meter] for meter in _METERS if chosen[meter] is not None}
    since = datetime.combine(chosen["since"], time(), UTC)
    provider = chosen.get("provider", "")
    set_first_prices(form.unknown, provider, prices, chosen["currency"], since, source)


def _make_free(form: FirstPriceForm, source: Provenance) -> None:
    provider = form.cleaned_data.get("provider", "")
    currency: str = settings.TALLYMAN_CURRENCY
    set_first_prices(form.unknown, provider, FREE, currency, form.unknown.since, source)


@dataclass(frozen=True, slots=True)
class Way:
    """One way to price a group, with what its page says."""

    title: str
    lead: str
    submit: str
    form: type[FirstPriceForm]
    stage: Callable[[FirstPriceForm, Provenance], None]

    def take(self, form: FirstPriceForm, source: Provenance) -> bool:
        """Price the group as a valid form says; False, with an error in it, where that fails."""
        try:
            self.stage(form, source)
        except PriceError as error:
            form.add_error(None, " ".join(fault.message for fault in error.faults))
        except NotPriced as error:
            form.add_error(None, str(error))
        return not form.errors


WAYS = {
    "like": Way(
        "Use the price of another model",
        "The name becomes one more name of that model and follows its prices. Under another "
        "provider, where names are not shared, the prices of today are copied.",
        "Use its price",
        LikeForm,
        _use_price,
    ),
    "price": Way(
        "Set a price",
        "Prices for a million tokens. Where a cache price is empty, cached tokens cost what other "
        "input costs.",
        "Set the price",
        PriceForm,
        _set_price,
    ),
    "free": Way(
        "Free of charge",
        "For models on your own machines: input and output cost nothing from the day on which "
        "they were first seen.",
        "It is free",
        FreeForm,
        _make_free,
    ),
}
