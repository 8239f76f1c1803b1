"""The form of a channel: where it sends, what, and when."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from budgets.channels.ways import way_of
from budgets.models import Alert, Channel
from budgets.selectors.channels import shown_target

_TARGETS = {
    Channel.Kind.EMAIL: ("Addresses", "Separated by commas, such as ops@example.org."),
    Channel.Kind.SLACK: (
        "Webhook URL", "Of an incoming webhook: https://hooks.slack.com/services/…"
    ),
    Channel.Kind.WEBHOOK: (
        "URL", "Gets signed JSON by POST. The secret to check it with is shown once it is made."
    ),
    Channel.Kind.OTHER: (
        "URL", "An Apprise URL, such as discord://… or msteams://…, of a hosted service."
    ),
}  # fmt: skip
_CLOCK = forms.TimeInput(attrs={"type": "time"}, format="%H:%M")


class ChannelForm(forms.ModelForm[Channel]):
    """What a channel is set to. Its target is entered, kept sealed, and never shown again."""

    sends_to = forms.CharField(max_length=4000, strip=True)
    kinds = forms.MultipleChoiceField(
        choices=Alert.Kind.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        label="Only these alerts",
        help_text="None chosen: all of them.",
    )

    class Meta:
        model = Channel
        fields = ("kind", "kinds", "least_severity", "quiet_from", "quiet_until")
        labels = {"least_severity": "Least severe"}
        widgets = {"kind": forms.HiddenInput(), "quiet_from": _CLOCK, "quiet_until": _CLOCK}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "sends_to" in self.fields:
            self._ask_for_target(self.fields["sends_to"])

    def _ask_for_target(self, field: forms.Field) -> None:
        kind = Channel.Kind(self.instance.kind or self._chosen_kind())
        field.label, field.help_text = _TARGETS[kind]
        field.widget.attrs.update({"size": 80, "autocomplete": "off", "spellcheck": "false"})
        if self.instance.pk:
            field.required = False
            shown = shown_target(self.instance)
            field.help_text = f"Now: {shown} Empty: it stays. {field.help_text}"

    def _chosen_kind(self) -> str:
        asked = str(self.data.get("kind") or self.initial.get("kind") or "")
        return asked if asked in Channel.Kind.values else Channel.Kind.EMAIL

    def clean(self) -> dict[str, Any] | None:
        """Refuse a target that a channel of this kind cannot be sent to."""
        given = super().clean() or self.cleaned_data
        kind = self.instance.kind or given.get("kind")
        if kind and given.get("sends_to"):
            try:
                way_of(kind).check(given["sends_to"])
            except ValidationError as fault:
                self.add_error("sends_to", fault.messages)
        return given


def kind_links(chosen: str) -> list[tuple[str, str, bool]]:
    """The kinds of channels to add: what each is called, its form, and whether it is `chosen`."""
    page = reverse("admin:budgets_channel_add")
    return [(label, f"{page}?kind={kind}", kind == chosen) for kind, label in Channel.Kind.choices]


def state_badge(channel: Channel) -> SafeString:
    """Whether a channel works: off, works, failing and since when, or not used yet."""
    if not channel.enabled:
        return _badge("", "off", "")
    if channel.failing_since:
        return _badge("o", "failing", f"since {channel.failing_since:%Y-%m-%d %H:%M} UTC")
    if channel.worked_at:
        return _badge("k", "works", f"last {channel.worked_at:%Y-%m-%d %H:%M} UTC")
    return _badge("", "not used yet", "")


def _badge(colour: str, word: str, more: str) -> SafeString:
    return format_html(
        '<span class="tm-badge {}">{}</span> <span class="tm-quiet">{}</span>', colour, word, more
    )
