"""Whom a project or team is charged to, as rows of its page: added and taken back, never edited."""

from collections.abc import Sequence
from typing import Any, TypeVar

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.forms import BaseInlineFormSet, ModelForm
from django.http import HttpRequest

from usage.admin.scope import reach_of
from usage.cost_centres import assign_project, assign_team, check_assignment, withdraw_assignment
from usage.models import CostCentre, CostCentreAssignment, Project, Team

Owner = TypeVar("Owner", Project, Team)


class MonthField(forms.DateField):
    """A month, stood for by its first day."""

    widget = forms.DateInput(format="%Y-%m", attrs={"type": "month", "placeholder": "2026-11"})
    input_formats = ("%Y-%m",)
    default_error_messages = {"invalid": "Enter a month such as 2026-11."}


class AssignmentForm(ModelForm[CostCentreAssignment]):
    """A cost centre and the month that it holds from."""

    from_month = MonthField(help_text="It holds from this month on, until the next row's month.")

    class Meta:
        model = CostCentreAssignment
        fields = ("from_month", "cost_centre")


class AssignmentFormSet(
    BaseInlineFormSet[CostCentreAssignment, Any, ModelForm[CostCentreAssignment]]
):
    """Checked and saved by the stage that assigns."""

    def add_fields(self, form: ModelForm[CostCentreAssignment], index: int | None) -> None:
        """Offer the cost centres of the owner's organization."""
        super().add_fields(form, index)
        field = form.fields["cost_centre"]
        if isinstance(field, forms.ModelChoiceField):
            field.queryset = CostCentre.objects.filter(organization=self.instance.organization_id)
            field.empty_label = "nobody"

    def clean(self) -> None:
        """Refuse what would charge closed months anew."""
        super().clean()
        for form in self.deleted_forms:
            try:
                check_assignment(form.instance)
            except ValidationError as refusal:
                raise ValidationError(refusal.messages) from refusal
        for form in self.extra_forms:
            if form.has_changed() and not form.errors:
                try:
                    check_assignment(form.instance)
                except ValidationError as refusal:
                    form.add_error(None, refusal)

    def get_unique_error_message(self, unique_check: Sequence[str]) -> str:
        """What stands above rows of the same month."""
        return "Each month can stand in one row only: delete the row that another replaces."

    def get_form_error(self) -> str:
        """What stands at a row whose month an earlier one has."""
        return "An earlier row has this month."

    def save_new(
        self, form: ModelForm[CostCentreAssignment], commit: bool = True
    ) -> CostCentreAssignment:
        """Assign."""
        centre, month = form.cleaned_data["cost_centre"], form.cleaned_data["from_month"]
        if isinstance(self.instance, Project):
            return assign_project(self.instance, centre, month)
        return assign_team(self.instance, centre, month)

    def delete_existing(self, obj: CostCentreAssignment, commit: bool = True) -> None:
        """Take an assignment back."""
        withdraw_assignment(obj)


class AssignmentInline(admin.TabularInline[CostCentreAssignment, Owner]):
    """The assignments of a project or team, the latest first."""

    model = CostCentreAssignment
    form = AssignmentForm
    formset = AssignmentFormSet
    fields = ("from_month", "cost_centre")
    verbose_name = "assignment"
    verbose_name_plural = "charged to"
    extra = 0

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Whoever sees the page sees its rows."""
        return True

    def has_add_permission(self, request: HttpRequest, obj: Owner | None = None) -> bool:
        """Whether the user administers the organization."""
        return obj is not None and reach_of(request).may_change(obj.organization_id)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: another assignment from a later month is what changes whom is charged."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the user administers the organization."""
        return self.has_add_permission(request, obj)
