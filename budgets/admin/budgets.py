"""Budgets: listed with how they stand, set and changed by their organization's administrators."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import ForeignKey
from django.forms import ModelChoiceField, ModelForm
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import URLPattern, path

from budgets.admin.columns import BudgetChangeList, BudgetColumns
from budgets.admin.form import BudgetForm, OwnedField, ThresholdFormSet, ThresholdInline
from budgets.admin.page import BudgetPages
from budgets.links import budget_url
from budgets.models import Budget
from budgets.models.budgets import RELATIONS
from budgets.selectors.order import LIST_ORDER
from budgets.setting import Actor, save_budget
from pricing.admin.users import signed_in
from usage.admin.plain_choices import PlainChoices
from usage.admin.scope import OrganizationFilter, changeable, reach_of
from usage.models import APIKey, Organization, Project

_WHAT = (
    "Calls that agree with everything filled in here count; what is empty is any. With a limit for"
    " each, every one of them has the whole limit to itself, also those who come later."
)
_HOW_MUCH = (
    "Periods begin at midnight in the time zone of the organization, weeks on its first weekday."
)
_MEANWHILE = (
    " Another limit holds at once for the present period: below what is used already nothing more"
    " is admitted, and what is held by calls under way stays held. Another scope, measure, period"
    " or first day begins a new window, counted anew from stored usage; the one before stays in"
    " the history."
)
_WHAT_HAPPENS = (
    "A soft budget never stops a call: its answer warns. A hard one refuses reservations and checks"
    " that do not fit beside what is used and held; what a provider bills beyond is shown as"
    " overage and counts against what remains."
)
_LABELS = {"api_key": "API key", "subject": "Person"}
_WHO_IS_TOLD = "Where its alerts go besides these pages."
_TO_WHOM = "Names the budget and the person to ask in the message of a blocked call."


@admin.register(Budget)
class BudgetAdmin(BudgetColumns, BudgetPages, PlainChoices[Budget]):
    """What may be spent, and how much of it is. A budget is switched off, never deleted."""

    form = BudgetForm
    inlines = [ThresholdInline]
    list_display = ["title", "used", "spent", "shown_limit", "remaining", "resets"]
    list_filter = [
        ("organization", OrganizationFilter), "period", "measure", "enforcement", "enabled",
    ]  # fmt: skip
    list_select_related = list(RELATIONS)
    search_fields = [
        "name", "organization__slug", "project__slug", "team__slug", "subject__key",
        "api_key__name", "provider", "model", "action", "agent_type",
    ]  # fmt: skip
    ordering = LIST_ORDER
    sortable_by = ()
    autocomplete_fields = ["project", "team", "subject", "api_key"]
    radio_fields = {"enforcement": admin.VERTICAL, "unpriced": admin.VERTICAL}

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """A list that reads states."""
        return BudgetChangeList

    def get_fieldsets(self, request: HttpRequest, obj: Budget | None = None) -> Any:
        """What it limits, how much, what happens then, and whom to ask."""
        scope = ["organization", "project", "team", "subject", "api_key",
                 ("provider", "model"), ("action", "agent_type"), "per"]  # fmt: skip
        amount = ["measure", "period", "starts_on", ("limit", "currency")]
        how_much = _HOW_MUCH + (_MEANWHILE if obj else "")
        return [
            ("What it limits", {"fields": scope, "description": _WHAT}),
            ("How much", {"fields": amount, "description": how_much}),
            (
                "What happens",
                {"fields": ["enforcement", "unpriced", "enabled"], "description": _WHAT_HAPPENS},
            ),
            ("Who is told", {"fields": ["told_to"], "description": _WHO_IS_TOLD}),
            ("Whom to ask", {"fields": ["name", "contact", "priority"], "description": _TO_WHOM}),
        ]

    def formfield_for_foreignkey(
        self, db_field: ForeignKey[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> ModelChoiceField[Any] | None:
        """Offer only what the user may limit, each with its organization."""
        if db_field.name == "organization":
            return self._organizations(db_field, request, **kwargs)
        if db_field.name == "api_key":
            kwargs["queryset"] = changeable(APIKey.objects.all(), request)
        if db_field.name in _LABELS:
            kwargs["label"] = _LABELS[db_field.name]
        kwargs["form_class"] = OwnedField
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def _organizations(
        self, db_field: ForeignKey[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> ModelChoiceField[Any] | None:
        """All of them together only for who administers every one."""
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if field is None:
            return None
        if reach_of(request).administers is None:
            field.empty_label = "All organizations"
        else:
            field.required = True
            field.help_text = ""
        return field

    @admin.display(description="channels")
    def told_to(self, budget: Budget) -> str:
        """The channels that its alerts go to."""
        return ", ".join(budget.channels) or "the default ones"

    def get_readonly_fields(self, request: HttpRequest, obj: Budget | None = None) -> Any:
        """For who may not change it what stands for the choice of channels."""
        is_shown_only = obj is not None and not self.has_change_permission(request, obj)
        return ["told_to"] if is_shown_only else []

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """What a link fills in: the slugs of an organization, and of a project of it."""
        given: dict[str, Any] = dict(super().get_changeform_initial_data(request))
        slug, project = given.pop("organization", None), given.pop("project", None)
        organizations = changeable(Organization.objects.all(), request, "pk")
        organization = organizations.filter(slug=slug).first()
        if organization is None:
            return given
        given["organization"] = organization.pk
        found = Project.objects.filter(organization=organization, slug=project).first()
        return given if found is None else {**given, "project": found.pk}

    def get_urls(self) -> list[URLPattern]:
        """The pages of a budget before the stock ones, which end in a catch-all."""
        own = [
            path(route, self.admin_site.admin_view(view), name=f"budgets_budget_{name}")
            for route, view, name in self.own_pages()
        ]
        return [*own, *super().get_urls()]

    def save_model(
        self, request: HttpRequest, obj: Budget, form: ModelForm[Budget], change: bool
    ) -> None:
        """Leave it to `save_related`, which knows the thresholds too."""
        if not change:
            obj.created_by = signed_in(request)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Set the budget with its thresholds."""
        levels = []
        for formset in formsets:
            formset.save()
            if isinstance(formset, ThresholdFormSet):
                levels += formset.levels()
        actor = Actor(signed_in(request).pk)
        save_budget(form.instance, levels if change or levels else None, actor)

    def response_post_save_add(self, request: HttpRequest, obj: Budget) -> HttpResponseRedirect:
        """Show the new budget."""
        return HttpResponseRedirect(budget_url(obj))

    def response_post_save_change(self, request: HttpRequest, obj: Budget) -> HttpResponseRedirect:
        """Show the budget as it is now."""
        return HttpResponseRedirect(budget_url(obj))
