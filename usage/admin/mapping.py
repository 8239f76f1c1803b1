"""Attribute rules: what becomes of the attributes that telemetry carries."""

from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import ForeignKey, Q, QuerySet
from django.forms import ModelChoiceField, ModelForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_protect

from usage.admin.scope import OrganizationFilter, ScopedAdmin, changeable, reach_of
from usage.mapping.current import forget, rule_book
from usage.mapping.pasted import NoAttributes, read_attributes
from usage.mapping.rules import restore_shipped, switch_rules
from usage.mapping.trial import Trial, try_rules
from usage.models import AttributeRule, Organization
from usage.selectors.overview import visible

_EXAMPLE = "team.id=search,cost_center=eng-1,service.name=claude-code"


class TrialForm(forms.Form):
    """Attributes to try, and whose key would send them."""

    organization = forms.ModelChoiceField(
        Organization.objects.none(),
        to_field_name="slug",
        empty_label=None,
        label="Sent by a key of",
    )
    record = forms.CharField(
        required=False,
        label="Attributes of the call",
        widget=forms.Textarea(attrs={"rows": 5, "cols": 70}),
        help_text="JSON, or name=value lines. Only rules without * make tags of these.",
    )
    resource = forms.CharField(
        required=False,
        label="Attributes of the resource",
        widget=forms.Textarea(attrs={"rows": 5, "cols": 70, "placeholder": _EXAMPLE}),
        help_text="What OTEL_RESOURCE_ATTRIBUTES sets.",
    )

    def __init__(
        self, data: QueryDict | None, organizations: QuerySet[Organization], *, site: bool
    ) -> None:
        super().__init__(data)
        field = cast("forms.ModelChoiceField[Organization]", self.fields["organization"])
        field.queryset = organizations
        if site:
            field.required = False
            field.empty_label = "every organization (a site key)"

    def clean_record(self) -> dict[str, Any]:
        """The attributes pasted for the call."""
        return self._attributes("record")

    def clean_resource(self) -> dict[str, Any]:
        """The attributes pasted for the resource."""
        return self._attributes("resource")

    def trial(self) -> Trial:
        """What becomes of the attributes of a valid form."""
        chosen = self.cleaned_data
        owner: Organization | None = chosen["organization"]
        told = (chosen["record"], chosen["resource"])
        return try_rules(rule_book(), told, owner.slug if owner else None)

    def _attributes(self, name: str) -> dict[str, Any]:
        try:
            return read_attributes(self.cleaned_data[name])
        except NoAttributes as fault:
            raise forms.ValidationError(str(fault)) from fault


@admin.register(AttributeRule)
class AttributeRuleAdmin(ScopedAdmin[AttributeRule]):
    """The site's rules, which only site staff changes, and those of visible organizations."""

    change_list_template = "usage/attribute_rule_list.html"

    actions = ["switch_on", "switch_off"]
    list_display = [
        "attribute", "shown_value", "shown_target", "holds_for", "position", "is_on",
    ]  # fmt: skip
    list_filter = ["enabled", "target", ("organization", OrganizationFilter)]
    list_select_related = ["organization"]
    list_per_page = 200
    search_fields = ["attribute", "value", "tag", "becomes"]
    ordering = ["position", "pk"]
    fields = [
        "organization", "position", "attribute", "value", "target", "tag", "becomes", "enabled",
    ]  # fmt: skip

    def get_urls(self) -> list[URLPattern]:
        """Trying rules and putting the shipped ones back, besides the stock pages."""
        view = self.admin_site.admin_view
        return [
            path("try/", view(self.try_view), name="usage_attributerule_try"),
            path("reset/", view(self.reset_view), name="usage_attributerule_reset"),
            *super().get_urls(),
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[AttributeRule]:
        """The site's rules, which hold for everybody, and those of visible organizations."""
        rows = AttributeRule.objects.all().order_by(*self.ordering)
        ids = reach_of(request).viewer.organization_ids
        if ids is None:
            return rows
        return rows.filter(Q(organization=None) | Q(organization__in=ids))

    def has_view_permission(self, request: HttpRequest, obj: AttributeRule | None = None) -> bool:
        """Whether the rule is the site's, or its organization is visible."""
        if obj is not None and obj.organization_id is None:
            return reach_of(request).sees_something
        return super().has_view_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: AttributeRule | None = None) -> bool:
        """Whether the user may change the rule and it did not come with the product."""
        shipped = obj is not None and bool(obj.shipped)
        return not shipped and self.has_change_permission(request, obj)

    def get_readonly_fields(
        self, request: HttpRequest, obj: AttributeRule | None = None
    ) -> list[str]:
        """Whose rule it is can be chosen only at first."""
        return [] if obj is None else ["organization"]

    def formfield_for_foreignkey(
        self, db_field: ForeignKey[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> ModelChoiceField[Any] | None:
        """Only site staff may leave the organization out."""
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if field is not None:
            field.required = reach_of(request).administers is not None
            field.empty_label = None if field.required else "every organization"
        return field

    def save_model(
        self,
        request: HttpRequest,
        obj: AttributeRule,
        form: ModelForm[AttributeRule],
        change: bool,
    ) -> None:
        """Save, and let this process know at once."""
        super().save_model(request, obj, form, change)
        forget()

    def delete_model(self, request: HttpRequest, obj: AttributeRule) -> None:
        """Delete, and let this process know at once."""
        super().delete_model(request, obj)
        forget()

    @admin.action(description="Switch selected rules on", permissions=["change"])
    def switch_on(self, request: HttpRequest, queryset: QuerySet[AttributeRule]) -> None:
        """Switch those of the chosen rules on that the user may change."""
        self._switch(request, queryset, on=True)

    @admin.action(description="Switch selected rules off", permissions=["change"])
    def switch_off(self, request: HttpRequest, queryset: QuerySet[AttributeRule]) -> None:
        """Switch those of the chosen rules off that the user may change."""
        self._switch(request, queryset, on=False)

    def _switch(self, request: HttpRequest, queryset: QuerySet[AttributeRule], *, on: bool) -> None:
        word = "on" if on else "off"
        changed = switch_rules(changeable(queryset, request), on=on)
        for rule in changed:
            self.log_change(request, rule, f"Switched {word}.")
        if changed:
            messages.success(request, f"{len(changed)} switched {word}.")
        else:
            messages.warning(request, f"None of these rules could be switched {word} by you.")

    @method_decorator(csrf_protect)
    def try_view(self, request: HttpRequest) -> HttpResponse:
        """Ask for attributes and show what becomes of them."""
        reach = reach_of(request)
        if not reach.sees_something:
            raise PermissionDenied
        organizations = visible(Organization.objects.order_by("slug"), reach.viewer, "pk")
        site = reach.viewer.organization_ids is None
        form = TrialForm(
            request.POST if request.method == "POST" else None, organizations, site=site
        )
        context = self._context(request, "Try the attribute rules", "Try it") | {
            "form": form,
            "trial": form.trial() if form.is_valid() else None,
            "lead": "Paste what a client sends; nothing is stored.",
        }
        return TemplateResponse(request, "usage/attribute_rule_try.html", context)

    @method_decorator(csrf_protect)
    def reset_view(self, request: HttpRequest) -> HttpResponse:
        """Ask once more, then put the shipped rules back."""
        if not reach_of(request).may_change(None):
            raise PermissionDenied
        if request.method == "POST":
            restored = restore_shipped()
            for rule in restored:
                self.log_change(request, rule, "Put back as shipped.")
            messages.success(request, f"{len(restored)} of the shipped rules put back.")
            return HttpResponseRedirect(reverse("admin:usage_attributerule_changelist"))
        context = self._context(request, "Put the shipped rules back?", "Put them back") | {
            "form": forms.Form(),
            "lead": "Every rule that came with Tallyman gets its place and content back and is "
            "switched on. Rules that you made stay as they are.",
        }
        return TemplateResponse(request, "tallyman/form.html", context)

    def _context(self, request: HttpRequest, title: str, submit: str) -> dict[str, Any]:
        return {
            **self.admin_site.each_context(request),
            "title": title,
            "submit": submit,
            "back_url": reverse("admin:usage_attributerule_changelist"),
        }

    @admin.display(description="if the value is", ordering="value")
    def shown_value(self, rule: AttributeRule) -> str:
        """The values it holds for."""
        return rule.value or "any"

    @admin.display(description="becomes the", ordering="target")
    def shown_target(self, rule: AttributeRule) -> str:
        """What is made of the attribute, and what it says if that is not the value itself."""
        target = f"tag {rule.tag}" if rule.tag else rule.get_target_display()
        return f"{target}: {rule.becomes}" if rule.becomes else target

    @admin.display(description="on", ordering="enabled", boolean=True)
    def is_on(self, rule: AttributeRule) -> bool:
        """Whether it is looked at."""
        return rule.enabled

    @admin.display(description="holds for", ordering="organization")
    def holds_for(self, rule: AttributeRule) -> str:
        """The organization, or all."""
        return str(rule.organization or "all")
