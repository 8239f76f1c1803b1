"""The small form on pages of figures that sets a monthly budget."""

from typing import cast

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest, QueryDict
from django.urls import reverse

from budgets.admin.back import way_back
from budgets.models import Budget
from budgets.models.budgets import LIMIT_DECIMALS, LIMIT_DIGITS
from budgets.selectors.own import own_budget
from budgets.setting import Actor, save_budget
from usage.admin.scope import changeable
from usage.models import Organization, Project


class QuickSetForm(forms.Form):
    """A monthly limit of cost for an organization or one of its projects."""

    organization = forms.ModelChoiceField(Organization.objects.none(), to_field_name="slug")
    project = forms.CharField(required=False, max_length=128)
    limit = forms.DecimalField(min_value=0, max_digits=LIMIT_DIGITS, decimal_places=LIMIT_DECIMALS)
    enforcement = forms.ChoiceField(choices=Budget.Enforcement.choices)

    def __init__(self, data: QueryDict, request: HttpRequest) -> None:
        super().__init__(data)
        field = cast("forms.ModelChoiceField[Organization]", self.fields["organization"])
        field.queryset = changeable(Organization.objects.all(), request, "pk")
        listed = reverse("admin:budgets_budget_changelist")
        self.back_url = way_back(request, data.get("next", ""), listed)

    def save(self, actor: Actor) -> Budget | None:
        """Make or change the budget of a valid form; None, with errors, when it is refused."""
        given = self.cleaned_data
        owner: Organization = given["organization"]
        project = Project.objects.filter(organization=owner, slug=given["project"]).first()
        if given["project"] and project is None:
            self.add_error("project", f"{owner} has no project {given['project']}.")
            return None
        budget = own_budget(owner, project) or Budget(
            organization=owner, project=project, created_by_id=actor.user_id
        )
        budget.limit, budget.enforcement = given["limit"], given["enforcement"]
        try:
            return save_budget(budget, None, actor)
        except ValidationError as refusal:
            self.add_error(None, refusal.messages)
            return None
