"""The form that asks for a file."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, cast
from urllib.parse import parse_qs, urlencode

from django import forms
from django.conf import settings
from django.http import QueryDict
from django.utils import timezone

from usage.exports.requests import request_export
from usage.formats import NOT_GIVEN
from usage.models import Export
from usage.selectors.dimensions import DIMENSIONS
from usage.selectors.exports import Requester
from usage.selectors.overview import organization_choices
from usage.selectors.periods import find_zone
from usage.selectors.questions import Granularity, QuestionError

# As many as the list of events shows at first.
_DAYS = 7
_NOT_FILTERS = frozenset(("kind", "from", "through", "organization", "tz", "p", "o", "all", "q"))
_FIELDS = {"from": "first", "to": "last"}


def filters_of(query: Mapping[str, Any]) -> dict[str, str]:
    """The filters of a list of events, by the names that the interface has for them."""
    chosen = {name: str(value) for name, value in query.items() if value}
    filters = {
        name: "" if value == NOT_GIVEN else value
        for name, value in chosen.items()
        if name not in _NOT_FILTERS and not name.startswith("_")
    }
    if "unpriced" in filters:
        filters["unpriced"] = "true"
    return filters


class ExportForm(forms.Form):
    """What the file holds; days, both included, are those of the zone named beside them."""

    kind = forms.ChoiceField(
        label="What",
        choices=Export.Kind.choices,
        help_text="FOCUS charges are days of each organization, without unpriced events.",
    )
    format = forms.ChoiceField(choices=Export.Format.choices)
    first = forms.DateField(label="From", widget=forms.DateInput(attrs={"type": "date"}))
    last = forms.DateField(label="Through", widget=forms.DateInput(attrs={"type": "date"}))
    organization = forms.ChoiceField(required=False)
    granularity = forms.ChoiceField(
        choices=[(step.value, step.value) for step in Granularity],
        required=False,
        help_text="For usage: how long the periods are.",
    )
    group_by = forms.MultipleChoiceField(
        choices=[(name, name.replace("_", " ")) for name in DIMENSIONS],
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="For usage: a row for each of these.",
    )
    filters = forms.CharField(required=False, widget=forms.HiddenInput)
    tz = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)

    def __init__(self, data: QueryDict | None, requester: Requester, query: QueryDict) -> None:
        """`query` is that of the list the form is opened from; its filters are kept."""
        super().__init__(data)
        self._requester = requester
        slugs = organization_choices(requester.viewer)
        field = cast("forms.ChoiceField", self.fields["organization"])
        field.choices = [("", "all"), *((slug, slug) for slug in slugs)]
        zone = query.get("tz") or settings.TALLYMAN_TIME_ZONE
        self.fields["first"].help_text = f"Days in {zone}."
        try:
            today = timezone.now().astimezone(find_zone(zone)).date()
        except QuestionError:
            today = timezone.now().date()
        self.initial = {
            "kind": query.get("kind", Export.Kind.EVENTS),
            "first": query.get("from") or today - timedelta(days=_DAYS - 1),
            "last": query.get("through") or today,
            "organization": query.get("organization", ""),
            "filters": urlencode(filters_of(query)),
            "tz": query.get("tz", ""),
        }

    @property
    def filters_shown(self) -> list[str]:
        """The filters that hold for the file, one after another."""
        return [
            f"{name.replace('_', ' ')} {value or NOT_GIVEN}"
            for name, values in _read(self["filters"].value()).items()
            for value in values
        ]

    def clean(self) -> dict[str, Any]:
        """Ask for the export; what is wrong with the question stands beside its field."""
        chosen = super().clean() or self.cleaned_data
        if self.errors:
            return chosen
        if chosen["first"] > chosen["last"]:
            self.add_error("last", "The last day lies before the first.")
            return chosen
        try:
            chosen["export"] = request_export(
                chosen["kind"], chosen["format"], self._parameters(), requester=self._requester
            )
        except (QuestionError, OverflowError) as error:
            field = _FIELDS.get(getattr(error, "field", ""), getattr(error, "field", ""))
            self.add_error(field if field in self.fields else None, str(error))
        return chosen

    def _parameters(self) -> dict[str, str | list[str]]:
        chosen = self.cleaned_data
        parameters: dict[str, str | list[str]] = {
            "from": chosen["first"].isoformat(),
            "to": (chosen["last"] + timedelta(days=1)).isoformat(),
            **_read(chosen["filters"]),
        }
        if chosen["organization"]:
            parameters["organization"] = chosen["organization"]
        if chosen["kind"] != Export.Kind.FOCUS:
            parameters["timezone"] = chosen["tz"] or settings.TALLYMAN_TIME_ZONE
        if chosen["kind"] == Export.Kind.USAGE:
            parameters["group_by"] = ",".join(chosen["group_by"])
            parameters["granularity"] = chosen["granularity"] or Granularity.TOTAL
        return parameters


def _read(filters: str | None) -> dict[str, list[str]]:
    return parse_qs(filters or "", keep_blank_values=True)
