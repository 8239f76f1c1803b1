"""The form that sets prices: what they are for, and a row for each meter."""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from django import forms
from django.conf import settings
from django.db.models import QuerySet

from pricing.exchange import is_currency
from pricing.models import PriceVersion, RateCard
from pricing.publishing import PriceFault, PriceItem
from pricing.rating import MeterPrice
from pricing.selectors import MANUAL, StoredVersion

USUAL_METERS = (
    "input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens",
    "cache_write_1h_tokens", "reasoning_tokens",
)  # fmt: skip
_TIER = re.compile(r"\s*([\d,_']+)\s*:\s*([\d.]+)\s*")
_LOCAL_TIME = "%Y-%m-%dT%H:%M:%S"


class PriceForm(forms.Form):
    """Whose prices they are, from when on, and why."""

    provider = forms.CharField(
        max_length=100, widget=forms.TextInput({"list": "known-providers", "autocomplete": "off"})
    )
    model = forms.CharField(
        max_length=200,
        widget=forms.TextInput({"list": "known-models", "autocomplete": "off", "size": 40}),
        help_text="As calls report it. One that nobody knows yet is made.",
    )
    rate_card = forms.ModelChoiceField(
        RateCard.objects.none(),
        empty_label=None,
        help_text="Contracted cards precede the manual one, that one the synced lists.",
    )
    service_tier = forms.ChoiceField(choices=PriceVersion.ServiceTier.choices)
    currency = forms.CharField(max_length=3)
    effective_from = forms.DateTimeField(
        label="Holds from (UTC)",
        required=False,
        widget=forms.DateTimeInput({"type": "datetime-local", "step": "1"}, format=_LOCAL_TIME),
        help_text="Empty: from now on, or always for the first price of a model. A time in the past"
        " offers a re-rating, and changes nothing by itself.",
    )
    reason = forms.CharField(widget=forms.Textarea({"rows": 2, "cols": 60}), max_length=2000)
    whole = forms.BooleanField(
        label="The meters below are all there are",
        required=False,
        help_text="Otherwise meters that are left out keep the price they have.",
    )

    def __init__(self, data: Any, cards: QuerySet[RateCard], **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        field = self.fields["rate_card"]
        if isinstance(field, forms.ModelChoiceField):
            field.queryset = cards.exclude(kind=RateCard.Kind.LIST).order_by("-kind", "name")

    def clean_currency(self) -> str:
        """In capitals."""
        currency: str = self.cleaned_data["currency"].upper()
        if not is_currency(currency):
            raise forms.ValidationError("Use the three letters of ISO 4217, such as USD.")
        return currency


class MeterForm(forms.Form):
    """A meter's price; a row without a price is left out."""

    meter = forms.CharField(
        max_length=60,
        required=False,
        widget=forms.TextInput({"list": "known-meters", "autocomplete": "off"}),
    )
    unit_price = forms.CharField(
        max_length=40, required=False, widget=forms.TextInput({"inputmode": "decimal", "size": 14})
    )
    per = forms.IntegerField(initial=1_000_000, min_value=1, required=False)
    tiers = forms.CharField(
        max_length=400,
        required=False,
        widget=forms.TextInput({"placeholder": "200000: 6; 400000: 9"}),
    )
    graduated = forms.BooleanField(required=False)

    def clean_unit_price(self) -> Decimal | None:
        """The amount exactly as written."""
        text: str = self.cleaned_data["unit_price"].strip()
        if not text:
            return None
        try:
            return Decimal(text)
        except InvalidOperation:
            raise forms.ValidationError("This is no number, as 0.25 is.") from None

    def clean_tiers(self) -> tuple[tuple[int, Decimal], ...]:
        """The bounds and prices of `200000: 6; 400000: 9`."""
        return tuple(self._tiers(self.cleaned_data["tiers"]))

    def clean(self) -> dict[str, Any]:
        """A price needs its meter, tiers need the price below them."""
        row = self.cleaned_data
        if row.get("unit_price") is not None and not row.get("meter"):
            self.add_error("meter", "Which meter is this the price of?")
        if row.get("tiers") and row.get("unit_price") is None and "unit_price" not in self.errors:
            self.add_error("unit_price", "Tiers begin above a first price.")
        return row

    @staticmethod
    def _tiers(text: str) -> Iterator[tuple[int, Decimal]]:
        for part in text.split(";"):
            found = _TIER.fullmatch(part)
            if found:
                yield int(re.sub(r"[,_']", "", found[1])), Decimal(found[2])
            elif part.strip():
                raise forms.ValidationError("Write tiers as 200000: 6; 400000: 9.")


if TYPE_CHECKING:
    MeterRows = forms.BaseFormSet[MeterForm]
else:
    MeterRows = forms.formset_factory(MeterForm, extra=3, max_num=200)


def meter_rows(data: Any, prices: tuple[MeterPrice, ...] | None) -> MeterRows:
    """The rows of `prices`, or those of the usual meters without any, and some empty ones."""
    if prices is None:
        initial: list[dict[str, Any]] = [{"meter": meter} for meter in USUAL_METERS]
    else:
        initial = [_initial(price) for price in prices]
    return MeterRows(data, initial=initial, prefix="meters")


def items_of(head: Mapping[str, Any], rows: MeterRows) -> list[tuple[int, PriceItem]]:
    """The prices of a valid form, each with the number of its row."""
    return [
        (
            number,
            PriceItem(
                provider=head["provider"],
                model=head["model"],
                meter=row["meter"].strip(),
                unit_price=row["unit_price"],
                currency=head["currency"],
                per=row["per"] or 1_000_000,
                service_tier=head["service_tier"],
                effective_from=head["effective_from"],
                tiers=row["tiers"],
                graduated=row["graduated"],
            ),
        )
        for number, row in enumerate(rows.cleaned_data)
        if row.get("unit_price") is not None
    ]


def show_fault(fault: PriceFault, form: PriceForm, rows: MeterRows, numbers: list[int]) -> None:
    """Put what the publishing stage refuses where it can be seen."""
    row = rows.forms[numbers[fault.index]] if fault.index is not None else None
    if fault.field in form.fields:
        form.add_error(fault.field, fault.message)
    elif row is not None and fault.field in row.fields:
        row.add_error(fault.field, fault.message)
    else:
        form.add_error(None, fault.message)


def first_values(request_values: Mapping[str, str], cards: QuerySet[RateCard]) -> dict[str, Any]:
    """What a new form begins with: names from the address, the manual card, the ledger's money."""
    return {
        "provider": request_values.get("provider", ""),
        "model": request_values.get("model", ""),
        "rate_card": cards.filter(name=MANUAL).values_list("pk", flat=True).first(),
        "currency": settings.TALLYMAN_CURRENCY,
    }


def values_of(version: StoredVersion, card: RateCard, now: datetime) -> dict[str, Any]:
    """What a form begins with that changes a version of `card`, the one to be written to.

    The change of one that already holds begins now.
    """
    planned = version.effective_from if version.effective_from > now else None
    return {
        "provider": version.provider,
        "model": version.model,
        "rate_card": card.pk,
        "service_tier": version.service_tier,
        "currency": version.currency,
        "effective_from": planned,
        "whole": True,
    }


def _initial(price: MeterPrice) -> dict[str, Any]:
    tiers = (f"{above}: {unit.normalize():f}" for above, unit in price.tiers)
    return {
        "meter": price.meter,
        "unit_price": f"{price.unit_price.normalize():f}",
        "per": price.per,
        "tiers": "; ".join(tiers),
        "graduated": price.graduated,
    }
