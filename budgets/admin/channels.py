"""Channels: where alerts go, set up by the administrators of an organization."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import ForeignKey, QuerySet
from django.forms import ModelChoiceField, ModelForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_POST

from budgets.admin.channel_form import ChannelForm, kind_links, state_badge
from budgets.admin.site_rows import SiteRowsAdmin
from budgets.channels.saving import rotate_secret, save_channel, signing_secret
from budgets.links import channel_url, notice_url
from budgets.models import Alert, Channel, Notice
from budgets.notices.resending import send_test
from budgets.selectors.channels import seen_channels, shown_target
from budgets.setting import Actor
from pricing.admin.users import signed_in
from usage.admin.plain_choices import PlainChoices
from usage.admin.scope import OrganizationFilter, reach_of

_STAYS = ("organization", "name", "shown_kind")
_WHERE = "The address is kept encrypted and shown masked."
_WHAT = "A budget can name channels for its own alerts; all others go to the default ones."
_WHEN = "Hours are those of the organization's time zone; critical alerts do not wait."


@admin.register(Channel)
class ChannelAdmin(PlainChoices[Channel], SiteRowsAdmin[Channel]):
    """Channels of visible organizations; those of the site for who sees everything."""

    form = ChannelForm
    list_display = [
        "name", "shown_kind", "sends_to", "state", "told", "is_default", "shown_organization",
    ]  # fmt: skip
    list_filter = ["kind", "enabled", ("organization", OrganizationFilter)]
    search_fields = ["name", "organization__slug"]
    sortable_by = ()
    ordering = ["organization__slug", "name"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Channel]:
        """The channels that the user may see."""
        return seen_channels(reach_of(request).viewer).order_by(*self.ordering)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Whether the user administers any organization, or the site."""
        return self.may_change_any(request)

    def has_change_permission(self, request: HttpRequest, obj: Channel | None = None) -> bool:
        """Whether the user administers what the channel belongs to."""
        if obj is None:
            return self.may_change_any(request)
        return self.may_change(request, obj.organization_id)

    def get_urls(self) -> list[URLPattern]:
        """The ways to try a channel and to replace its secret, besides the stock pages."""
        views = (("test", self.test), ("rotate", self.rotate))
        own = [
            path(
                f"<int:pk>/{name}/",
                self.admin_site.admin_view(view),
                name=f"budgets_channel_{name}",
            )
            for name, view in views
        ]
        return [*own, *super().get_urls()]

    def get_readonly_fields(self, request: HttpRequest, obj: Channel | None = None) -> Any:
        """What stays as it was made, and for who may change nothing what stands for the rest."""
        return [*_STAYS, "sends_to"] if self._is_shown_only(request, obj) else _STAYS if obj else ()

    def get_fieldsets(self, request: HttpRequest, obj: Channel | None = None) -> Any:
        """Where it sends, what, and when."""
        which = _STAYS if obj else ("organization", "name", "kind")
        if self._is_shown_only(request, obj):
            return [(None, {"fields": [*which, "sends_to", "state", "told", "is_default"]})]
        what = ["is_default", "least_severity", "kinds", "at_once", "tells_resolved",
                "repeat_hours"]  # fmt: skip
        when = [("quiet_from", "quiet_until"), ("digest", "digest_hour")]
        return [
            ("Where to", {"fields": [*which, "sends_to", "enabled"], "description": _WHERE}),
            ("What", {"fields": what, "description": _WHAT}),
            ("When", {"fields": when, "description": _WHEN}),
        ]

    def _is_shown_only(self, request: HttpRequest, obj: Channel | None) -> bool:
        return obj is not None and not self.has_change_permission(request, obj)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """The kind that a link asks for."""
        return {"kind": _asked_kind(request)}

    def formfield_for_foreignkey(
        self, db_field: ForeignKey[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> ModelChoiceField[Any] | None:
        """The organizations that the user administers; the site for who may."""
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if field is not None:
            field.empty_label = "The whole site"
            field.required = not self.may_change(request, None)
        return field

    @method_decorator(sensitive_post_parameters("sends_to"))
    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """The form, with the kinds to choose from for a new channel."""
        kinds = [] if object_id else kind_links(_asked_kind(request))
        one_way = {"show_save_and_add_another": False, "show_save_and_continue": False}
        context = {"kind_links": kinds, **one_way, **(extra_context or {})}
        return super().changeform_view(request, object_id, form_url, context)

    def save_model(
        self, request: HttpRequest, obj: Channel, form: ModelForm[Channel], change: bool
    ) -> None:
        """Set the channel up; an empty target leaves the one it has."""
        target = form.cleaned_data.get("sends_to") or None
        save_channel(obj, target, Actor(signed_in(request).pk))

    def response_add(
        self, request: HttpRequest, obj: Channel, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Show a webhook's secret, this once; lead to the channel, where it can be tried."""
        messages.success(request, f"Channel {obj} is set up. Send a test to see that it works.")
        if obj.kind == Channel.Kind.WEBHOOK:
            return self._secret(request, obj, signing_secret(obj))
        return HttpResponseRedirect(channel_url(obj))

    @method_decorator(csrf_protect)
    @method_decorator(require_POST)
    def test(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Send a message now, and tell what came of it."""
        channel = self._changed(request, pk)
        notice = send_test(channel, Actor(signed_in(request).pk))
        last = notice.deliveries.first()
        said = last.detail if last else ""
        if notice.state == Notice.State.SENT:
            messages.success(request, f"Channel {channel} took the test. {said}".strip())
        else:
            outcome = last.get_outcome_display() if last else "Nothing was sent"
            link = format_html('<a href="{}">What was tried</a>', notice_url(notice))
            messages.error(
                request, format_html("Channel {}: {}. {} {}", channel, outcome, said, link)
            )
        return HttpResponseRedirect(channel_url(channel))

    @method_decorator(csrf_protect)
    @method_decorator(require_POST)
    @sensitive_variables("secret")
    def rotate(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Sign with a new secret, and show it this once."""
        channel = self._changed(request, pk)
        if channel.kind != Channel.Kind.WEBHOOK:
            raise PermissionDenied
        secret = rotate_secret(channel, Actor(signed_in(request).pk))
        self.log_change(request, channel, "Signing secret replaced.")
        return self._secret(request, channel, secret, replaced=True)

    @method_decorator(never_cache)
    @sensitive_variables("secret")
    def _secret(
        self, request: HttpRequest, channel: Channel, secret: str, *, replaced: bool = False
    ) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": "Signing secret",
            "channel": channel,
            "secret": secret,
            "replaced": replaced,
        }
        return TemplateResponse(request, "admin/budgets/channel/secret.html", context)

    def _changed(self, request: HttpRequest, pk: int) -> Channel:
        channel = get_object_or_404(self.get_queryset(request), pk=pk)
        if not self.may_change(request, channel.organization_id):
            raise PermissionDenied
        return channel

    @admin.display(description="kind")
    def shown_kind(self, channel: Channel) -> str:
        """How it sends."""
        return channel.get_kind_display()

    @admin.display(description="sends to")
    def sends_to(self, channel: Channel) -> str:
        """Where it sends to, masked."""
        return shown_target(channel)

    @admin.display(description="state")
    def state(self, channel: Channel) -> SafeString:
        """Whether it takes messages, and since when not."""
        return state_badge(channel)

    @admin.display(description="is told")
    def told(self, channel: Channel) -> str:
        """What is sent there, and when."""
        labels = dict(Alert.Kind.choices)
        kinds = ", ".join(labels.get(kind, kind).lower() for kind in channel.kinds)
        parts = [f"{kinds or 'all alerts'} from {channel.get_least_severity_display().lower()}"]
        if not channel.at_once:
            parts = [f"only digests: {parts[0]}"]
        if channel.digest:
            parts.append(f"digest {channel.get_digest_display().lower()}")
        if channel.quiet_from and channel.quiet_until:
            parts.append(f"quiet {channel.quiet_from:%H:%M} to {channel.quiet_until:%H:%M}")
        return "; ".join(parts)

    @admin.display(description="organization")
    def shown_organization(self, channel: Channel) -> str:
        """Whose it is."""
        return str(channel.organization or "the site")


def _asked_kind(request: HttpRequest) -> str:
    asked = request.POST.get("kind") or request.GET.get("kind") or ""
    return asked if asked in Channel.Kind.values else Channel.Kind.EMAIL
