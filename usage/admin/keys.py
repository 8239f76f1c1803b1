"""API keys: made here with their secret shown once, revoked here, never edited."""

from datetime import timedelta
from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.debug import sensitive_variables

from usage.admin.scope import OrganizationFilter, ReadOnlyAdmin, changeable, reach_of
from usage.keys import create_key, revoke_key
from usage.models import APIKey, Organization
from usage.models.identity import validate_name

EXPIRIES = (("30", "in 30 days"), ("90", "in 90 days"), ("365", "in a year"), ("", "never"))


class KeyForm(forms.Form):
    """What may be chosen for a new key."""

    organization = forms.ModelChoiceField(
        Organization.objects.none(), to_field_name="slug", empty_label=None
    )
    name = forms.CharField(max_length=50, help_text="Who or what uses this key.")
    scopes = forms.MultipleChoiceField(
        choices=APIKey.Scope.choices,
        initial=[APIKey.Scope.INGEST],
        widget=forms.CheckboxSelectMultiple,
    )
    provider = forms.CharField(
        max_length=128,
        required=False,
        validators=[validate_name],
        help_text=APIKey._meta.get_field("provider").help_text,
    )
    expires = forms.ChoiceField(choices=EXPIRIES, required=False, initial="365")

    def __init__(
        self, data: QueryDict | None, organizations: QuerySet[Organization], *, site: bool
    ):
        super().__init__(data)
        field = cast("forms.ModelChoiceField[Organization]", self.fields["organization"])
        field.queryset = organizations
        if site:
            field.required = False
            field.empty_label = "Every organization (a site key)"
            field.initial = organizations.values_list("slug", flat=True).first()

    def make(self) -> tuple[APIKey, str]:
        """Make the key that a valid form asks for; return it with its secret."""
        chosen = self.cleaned_data
        organization: Organization | None = chosen["organization"]
        days = chosen["expires"]
        return create_key(
            organization.slug if organization else None,
            chosen["scopes"],
            chosen["name"],
            timedelta(days=int(days)) if days else None,
            chosen["provider"],
        )


class KeyStateFilter(admin.SimpleListFilter):
    """Valid, expired or revoked."""

    title = "state"
    parameter_name = "state"

    def lookups(
        self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]
    ) -> list[tuple[str, str]]:
        """The three states."""
        return [("valid", "valid"), ("expired", "expired"), ("revoked", "revoked")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[APIKey]) -> QuerySet[APIKey]:
        """The keys in the chosen state."""
        if self.value() == "revoked":
            return queryset.filter(revoked=True)
        expired = queryset.filter(revoked=False, expiry_date__lte=timezone.now())
        if self.value() == "expired":
            return expired
        if self.value() == "valid":
            return queryset.filter(revoked=False).exclude(pk__in=expired.values("pk"))
        return queryset


@admin.register(APIKey)
class APIKeyAdmin(ReadOnlyAdmin[APIKey]):
    """Keys of visible organizations; site keys only for those who see everything."""

    actions = ["revoke_selected"]
    list_display = [
        "shown_prefix", "name", "state", "organization", "shown_scopes", "provider",
        "last_used_at", "expiry_date", "created",
    ]  # fmt: skip
    list_filter = [KeyStateFilter, ("organization", OrganizationFilter)]
    list_select_related = ["organization"]
    search_fields = ["name", "prefix", "organization__slug"]
    ordering = ["-created"]
    fields = [
        "shown_prefix", "name", "organization", "shown_scopes", "provider",
        "created", "last_used_at", "expiry_date", "state",
    ]  # fmt: skip

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Whether the user administers any organization."""
        return reach_of(request).changes_something

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        """Whether the user administers any organization."""
        return reach_of(request).changes_something

    @method_decorator(csrf_protect)
    @method_decorator(never_cache)
    @sensitive_variables("secret")
    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Ask what the key is for, make it, and show its secret in this one answer."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        site = reach_of(request).administers is None
        organizations = changeable(Organization.objects.filter(archived_at=None), request, "pk")
        form = KeyForm(request.POST if request.method == "POST" else None, organizations, site=site)
        context = {**self.admin_site.each_context(request), "opts": self.opts}
        if not form.is_valid():
            context |= {"title": "Make an API key", "form": form}
            return TemplateResponse(request, "tallyman/key_form.html", context)
        key, secret = form.make()
        self.log_addition(request, key, "Made.")
        context |= {
            "title": "API key made",
            "original": key,
            "key": secret,
            "organization_slug": "" if key.organization else "YOUR_ORGANIZATION",
            "events_endpoint": request.build_absolute_uri("/api/v1/events/"),
        }
        return TemplateResponse(request, "tallyman/key_made.html", context)

    @admin.action(description="Revoke selected API keys", permissions=["revoke"])
    def revoke_selected(
        self, request: HttpRequest, queryset: QuerySet[APIKey]
    ) -> HttpResponse | None:
        """Ask once more, then revoke those of the chosen keys that the user may change."""
        keys = list(changeable(queryset, request).filter(revoked=False))
        if not keys:
            messages.warning(request, "None of these keys can be revoked by you.")
            return None
        if "confirmed" not in request.POST:
            context = {
                **self.admin_site.each_context(request),
                "opts": self.opts,
                "title": "Revoke API keys?",
                "keys": keys,
            }
            return TemplateResponse(request, "tallyman/revoke.html", context)
        for key in keys:
            revoke_key(key.prefix)
            self.log_change(request, key, "Revoked.")
        messages.success(request, f"{len(keys)} revoked for ever.")
        return None

    @admin.display(description="prefix", ordering="prefix")
    def shown_prefix(self, key: APIKey) -> str:
        """What is visible of the key."""
        return f"tm_{key.prefix}…"

    @admin.display(description="state")
    def state(self, key: APIKey) -> str:
        """Valid, expired or revoked, as the filter calls it."""
        if key.revoked:
            return "revoked"
        return "expired" if key.has_expired else "valid"

    @admin.display(description="scopes")
    def shown_scopes(self, key: APIKey) -> str:
        """What the key may do."""
        return ", ".join(key.scopes)
