"""The form that asks for a re-rating."""

from datetime import timedelta
from typing import Any, cast

from django import forms
from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import QueryDict

from usage.models import Organization, RatingRun
from usage.models.events import NAME_LENGTH
from usage.rerating import request_run
from usage.selectors.periods import bounds_of
from usage.selectors.questions import QuestionError

LONGEST_REASON = 1000


class RunForm(forms.Form):
    """Which events to re-rate and why; days, both included, are those of the site's zone."""

    first = forms.DateField(label="From", widget=forms.DateInput(attrs={"type": "date"}))
    last = forms.DateField(label="Through", widget=forms.DateInput(attrs={"type": "date"}))
    organization = forms.ModelChoiceField(
        Organization.objects.none(), to_field_name="slug", empty_label=None
    )
    provider = forms.CharField(
        required=False, max_length=NAME_LENGTH, help_text="As events name it; empty: any."
    )
    model = forms.CharField(
        required=False, max_length=NAME_LENGTH, help_text="As events name it; empty: any."
    )
    only_unpriced = forms.BooleanField(required=False, label="Only events without a price")
    reason = forms.CharField(
        max_length=LONGEST_REASON,
        widget=forms.Textarea(attrs={"rows": 2, "cols": 60}),
        help_text="Kept with the run.",
    )

    def __init__(
        self, data: QueryDict | None, organizations: QuerySet[Organization], *, site: bool
    ) -> None:
        super().__init__(data)
        self.fields["first"].help_text = f"Days in {settings.TALLYMAN_TIME_ZONE}."
        field = cast("forms.ModelChoiceField[Organization]", self.fields["organization"])
        field.queryset = organizations
        if site:
            field.required = False
            field.empty_label = "Every organization"

    def clean(self) -> dict[str, Any]:
        """Turn the days into instants, `start` inclusive and `end` exclusive."""
        chosen = super().clean() or self.cleaned_data
        first, last = chosen.get("first"), chosen.get("last")
        if first is None or last is None:
            return chosen
        if first > last:
            self.add_error("last", "The last day lies before the first.")
            return chosen
        try:
            bounds = bounds_of(first, last + timedelta(days=1), settings.TALLYMAN_TIME_ZONE)
        except (QuestionError, OverflowError) as error:
            self.add_error("first", getattr(error, "message", "There is no such day."))
            return chosen
        return {**chosen, "start": bounds.start, "end": bounds.end}

    def request(self, user: User) -> RatingRun:
        """Ask for the run that a valid form describes."""
        chosen = self.cleaned_data
        return request_run(
            start=chosen["start"],
            end=chosen["end"],
            organization=chosen["organization"],
            provider=chosen["provider"],
            model=chosen["model"],
            only_unpriced=chosen["only_unpriced"],
            reason=chosen["reason"],
            user=user,
        )
