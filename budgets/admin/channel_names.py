"""The field of a budget's form that names the channels its alerts go to."""

from typing import Any

from django import forms
from django.db.models import Q
from django.urls import reverse_lazy
from django.utils.html import format_html
from django.utils.safestring import SafeString

from budgets.models import Budget, Channel

_OFFERED = 200
_HELP = "None chosen: the default ones of its organization, or else of the site."


class ChannelsField(forms.MultipleChoiceField):
    """Names of channels. Whether they are known is for who knows the budget's organization."""

    def __init__(self) -> None:
        super().__init__(required=False, widget=forms.CheckboxSelectMultiple, label="Channels")

    def valid_value(self, value: str) -> bool:
        """Take any name."""
        return True

    def offer(self, budget: Budget, organizations: forms.Field | None, *, is_bound: bool) -> None:
        """Offer those that a budget may name: of its organization and of the site, of all that
        the field offers where it has none yet."""
        rows = Channel.objects.filter(enabled=True).select_related("organization")
        if budget.pk and not is_bound:
            rows = rows.filter(Q(organization=budget.organization_id) | Q(organization=None))
        elif isinstance(organizations, forms.ModelChoiceField):
            owned = Q(organization__in=organizations.queryset)
            rows = rows.filter(owned | Q(organization=None))
        owners: dict[str, list[str]] = {}
        for channel in rows.order_by("name", "organization__slug")[:_OFFERED]:
            owner = channel.organization.slug if channel.organization else "the site"
            owners.setdefault(channel.name, []).append(f"{channel.get_kind_display()}, {owner}")
        for name in budget.channels:
            owners.setdefault(name, ["switched off or gone"])
        self.choices: Any = [(name, f"{name} ({'; '.join(of)})") for name, of in owners.items()]
        self.help_text = _HELP if owners else _nothing()


def _nothing() -> SafeString:
    return format_html(
        'No channel yet: alerts are only shown here. <a href="{}">Add one</a>.',
        reverse_lazy("admin:budgets_channel_add"),
    )
