"""Budgets: listed with how they stand, set and changed by their organization's administrators."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import F, ForeignKey
from django.forms import ModelChoiceField, ModelForm
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from budgets.links import events_url
from budgets.models import Budget
from budgets.selectors.states import BudgetState, states_of
from pricing.admin.users import signed_in
from usage.admin.scope import OrganizationFilter, ScopedAdmin, changeable
from usage.formats import money, quantity
from usage.models import Organization, Project
from usage.selectors.access import EVERYTHING
from usage.selectors.currency import ledger_currency

_STATE = "read_state"


class BudgetChangeList(ChangeList):
    """Reads how all budgets of a page stand at once."""

    def get_results(self, request: HttpRequest) -> None:
        """The rows of the page, each with its state."""
        super().get_results(request)
        rows = list(self.result_list)
        for state in states_of(EVERYTHING, rows, timezone.now()):
            vars(state.budget)[_STATE] = state
        self.result_list = rows


class ProjectField(ModelChoiceField[Project]):
    """Projects, each with its organization: many have one of the same name."""

    def label_from_instance(self, obj: Project) -> str:
        """Such as acme / web."""
        return f"{obj.organization.slug} / {obj.slug}"


class BudgetForm(ModelForm[Budget]):
    """Shows a limit without the decimals that it does not need."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk and "limit" in self.initial:
            self.initial["limit"] = f"{self.instance.limit.normalize():f}"


@admin.register(Budget)
class BudgetAdmin(ScopedAdmin[Budget]):
    """What may be spent, and how much of it is. A budget is switched off, never deleted."""

    form = BudgetForm
    list_display = ["title", "used", "spent", "shown_limit", "remaining", "resets", "threshold"]
    list_filter = [("organization", OrganizationFilter), "period", "enabled"]
    list_select_related = ["organization", "project"]
    search_fields = ["name", "organization__slug", "project__slug"]
    ordering = ["organization__slug", F("project__slug").asc(nulls_first=True), "period", "name"]
    sortable_by = ()
    readonly_fields = ["used", "spent", "remaining", "resets", "created_by", "created_at"]
    _settings = ["organization", "project", "name", "period", "limit", "warn_percent", "enabled"]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """A list that reads states."""
        return BudgetChangeList

    def get_fieldsets(self, request: HttpRequest, obj: Budget | None = None) -> Any:
        """What is set, and for a budget that exists how it stands and who set it."""
        asked = (None, {"fields": self._settings})
        if obj is None:
            return [asked]
        now = ["used", "spent", "remaining", "resets"] if obj.enabled else []
        standing = [("Now", {"fields": now})] if now else []
        return [*standing, asked, ("Set by", {"fields": ["created_by", "created_at"]})]

    def formfield_for_foreignkey(
        self, db_field: ForeignKey[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> ModelChoiceField[Any] | None:
        """Offer projects by organization."""
        if db_field.name != "project":
            return super().formfield_for_foreignkey(db_field, request, **kwargs)
        rows = Project.objects.select_related("organization")
        ordered = changeable(rows, request).order_by("organization__slug", "slug")
        return ProjectField(ordered, required=False, help_text=db_field.help_text)

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

    def save_model(
        self, request: HttpRequest, obj: Budget, form: ModelForm[Budget], change: bool
    ) -> None:
        """Save; a new budget keeps who set it."""
        if not change:
            obj.created_by = signed_in(request)
        super().save_model(request, obj, form, change)

    @admin.display(description="budget")
    def title(self, budget: Budget) -> SafeString:
        """Its name; what it limits, where the name does not say so."""
        if not budget.name:
            return format_html("{}", budget)
        return format_html('{}<br><span class="tm-quiet">{}</span>', budget, budget.scope)

    @admin.display(description="used")
    def used(self, budget: Budget) -> SafeString:
        """The level and the bar, or that it is switched off."""
        if not budget.enabled:
            return format_html('<span class="tm-badge">{}</span>', "off")
        return render_to_string("tallyman/budget_used.html", {"state": _state(budget)})

    @admin.display(description="spent")
    def spent(self, budget: Budget) -> SafeString | str | None:
        """What was spent in this period, as a link to the events behind it."""
        if not budget.enabled:
            return None
        state = _state(budget)
        shown = money(state.spent, ledger_currency())
        link = format_html('<a href="{}">{}</a>', events_url(state), shown)
        if not state.unpriced_events:
            return link
        more = quantity(state.unpriced_events)
        return format_html('{}<br><span class="tm-quiet">+ {} unpriced</span>', link, more)

    @admin.display(description="limit")
    def shown_limit(self, budget: Budget) -> str:
        """The limit."""
        return _state(budget).limit_text

    @admin.display(description="remaining")
    def remaining(self, budget: Budget) -> str | None:
        """What is left, or by how much it is exceeded."""
        if not budget.enabled:
            return None
        return _state(budget).remaining_text

    @admin.display(description="resets")
    def resets(self, budget: Budget) -> str | None:
        """When the next period begins."""
        return _state(budget).reset_text.removeprefix("resets ") if budget.enabled else None

    @admin.display(description="warns from")
    def threshold(self, budget: Budget) -> str:
        """The warning threshold."""
        return f"{budget.warn_percent} %"


def _state(budget: Budget) -> BudgetState:
    known: BudgetState | None = vars(budget).get(_STATE)
    return known or states_of(EVERYTHING, [budget], timezone.now())[0]
