"""The form of a budget and the rows of its thresholds."""

from decimal import Decimal
from typing import Any, cast

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.forms import BaseInlineFormSet, ModelChoiceField, ModelForm, NumberInput
from django.http import HttpRequest
from django.utils import timezone

from budgets.admin.channel_names import ChannelsField
from budgets.channels.saving import channels_named
from budgets.limits import in_ledger
from budgets.models import Budget, Threshold
from budgets.models.budgets import WARN_PERCENT
from budgets.setting import Level
from usage.admin.scope import reach_of
from usage.models import Organization
from usage.selectors.overview import owned_name


def _plain(value: Decimal | None) -> str | None:
    """A decimal without the zeros that it does not need."""
    return None if value is None else f"{value.normalize():f}"


class OwnedField(ModelChoiceField[Any]):
    """Rows of organizations, each with its organization."""

    def label_from_instance(self, obj: Model) -> str:
        """Such as acme / web."""
        return owned_name(obj)


class BudgetForm(ModelForm[Budget]):
    """What a budget says, and which channels are told."""

    told_to = ChannelsField()

    class Media:
        # The last one needs the others, which tells in which order they are loaded.
        js = (
            "admin/js/jquery.init.js",
            "admin/js/autocomplete.js",
            "tallyman/field_names.js",
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk and "limit" in self.initial:
            self.initial["limit"] = _plain(self.instance.limit)
        if "per" in self.fields:
            self.fields["per"].label = "Limit for"
        if "told_to" in self.fields:
            field = cast("ChannelsField", self.fields["told_to"])
            field.offer(self.instance, self.fields.get("organization"), is_bound=self.is_bound)
            self.initial["told_to"] = self.instance.channels

    def clean_currency(self) -> str:
        """In capital letters, however it was written."""
        given: str = self.cleaned_data["currency"]
        return given.upper()

    def clean(self) -> dict[str, Any] | None:
        """Refuse a limit in a currency without any exchange rate, and channels that the budget's
        organization does not have."""
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("measure") == Budget.Measure.COST:
            now = timezone.now()
            given = Budget(currency=cleaned.get("currency") or "")
            in_ledger(given, cleaned.get("limit"), now, now)
        if "told_to" in cleaned:
            self._name_channels(cleaned.get("organization"), cleaned["told_to"])
        return cleaned

    def _name_channels(self, organization: Organization | None, names: list[str]) -> None:
        try:
            channels_named(organization, names)
        except ValidationError as fault:
            self.add_error("told_to", fault.messages)
        self.instance.channels = names


class ThresholdForm(ModelForm[Threshold]):
    """A level: a percentage or an amount."""

    class Meta:
        model = Threshold
        fields = ("percent", "amount")
        labels = {"percent": "% of the limit", "amount": "or an amount, in the limit's unit"}
        widgets = {
            name: NumberInput(attrs={"aria-label": f"Warns from: {label}"})
            for name, label in (("percent", "% of the limit"), ("amount", "amount"))
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("percent", "amount"):
            if name in self.initial:
                self.initial[name] = _plain(self.initial[name])


class ThresholdFormSet(BaseInlineFormSet[Threshold, Budget, ModelForm[Threshold]]):
    """Rows that are saved together with their budget."""

    def add_fields(self, form: ModelForm[Threshold], index: int | None) -> None:
        """Name the box that deletes a row."""
        super().add_fields(form, index)
        if "DELETE" in form.fields:
            form.fields["DELETE"].widget.attrs["aria-label"] = "Delete this threshold"

    def clean(self) -> None:
        """Refuse the same level twice."""
        super().clean()
        levels = self.levels()
        if len(set(levels)) < len(levels):
            raise ValidationError("The same threshold stands here twice.")

    def levels(self) -> list[Level]:
        """The levels of rows that are filled in and not to be deleted."""
        return [
            Level(form.cleaned_data.get("percent"), form.cleaned_data.get("amount"))
            for form in self.forms
            if getattr(form, "cleaned_data", None)
            and not form.cleaned_data.get("DELETE")
            and (form.instance.pk or form.has_changed())
        ]

    def save(self, commit: bool = True) -> list[Threshold]:
        """Keep nothing by itself: the stage that sets budgets does."""
        self.new_objects: list[Threshold] = []
        self.changed_objects: list[tuple[Threshold, list[str]]] = []
        self.deleted_objects: list[Threshold] = []
        return []


class ThresholdInline(admin.TabularInline[Threshold, Budget]):
    """From where on a budget warns, any number of levels."""

    model = Threshold
    form = ThresholdForm
    formset = ThresholdFormSet
    extra = 1
    verbose_name = "threshold"
    verbose_name_plural = f"Warns from (a new budget: {WARN_PERCENT:f} % unless told otherwise)"

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Whoever sees the budget sees its thresholds."""
        return True

    def has_add_permission(self, request: HttpRequest, obj: Budget | None = None) -> bool:
        """Whether the user may set this budget."""
        reach = reach_of(request)
        if obj is None or obj.pk is None:
            return reach.changes_something
        return reach.may_change(obj.organization_id)

    def has_change_permission(self, request: HttpRequest, obj: Budget | None = None) -> bool:
        """Whether the user may set this budget."""
        return self.has_add_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Budget | None = None) -> bool:
        """Whether the user may set this budget."""
        return self.has_add_permission(request, obj)
