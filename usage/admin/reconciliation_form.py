"""Asking for a reconciliation of a month."""

from datetime import date
from decimal import Decimal
from typing import cast

from django import forms
from django.db.models import QuerySet
from django.http import QueryDict
from django.utils import timezone

from usage.admin.closed_months import ended_months
from usage.models import BillSource, Reconciliation
from usage.reconciling.working import USUAL, reconcile_month, tolerance_of
from usage.selectors.overview import owned_name

_OUT_OF_PERCENT = Decimal(100)


class SourceField(forms.ModelChoiceField[BillSource]):
    """A bill, named with its organization."""

    def label_from_instance(self, obj: BillSource) -> str:
        """The organization's slug and the bill's name."""
        return owned_name(obj)


class ReconcileForm(forms.Form):
    """Which bill and UTC month to compare, and what difference is in order."""

    source = SourceField(BillSource.objects.none(), label="Provider bill", empty_label=None)
    month = forms.TypedChoiceField(coerce=date.fromisoformat)
    tolerance_percent = forms.DecimalField(
        min_value=0,
        max_value=_OUT_OF_PERCENT,
        decimal_places=2,
        required=False,
        label="Tolerance, percent of the bill",
        help_text="Neither the gap nor any class of it may be more than the larger of this and "
        f"the amount below. Empty: as the last time, at first {USUAL.percent} % and "
        f"{USUAL.amount} in the ledger currency.",
    )
    tolerance_amount = forms.DecimalField(
        min_value=0,
        max_digits=12,
        decimal_places=2,
        required=False,
        label="Tolerance, amount",
    )

    def __init__(self, data: QueryDict | None, sources: QuerySet[BillSource]) -> None:
        super().__init__(data)
        cast("SourceField", self.fields["source"]).queryset = sources
        today = timezone.now().date()
        months = [today.replace(day=1), *ended_months(today)]
        choice = cast("forms.TypedChoiceField", self.fields["month"])
        choice.choices = [(month.isoformat(), f"{month:%B %Y}") for month in months]
        self.initial["month"] = months[1].isoformat()

    def compute(self) -> Reconciliation:
        """The reconciliation that a valid form asks for."""
        asked = self.cleaned_data
        tolerance = tolerance_of(
            asked["source"], asked["tolerance_percent"], asked["tolerance_amount"]
        )
        return reconcile_month(asked["source"], asked["month"], tolerance=tolerance)
