"""Budgets that nobody has saved, as words say them: what a replay tries out."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet

from budgets.models import Budget, Threshold
from budgets.models.budgets import RELATIONS, WARN_PERCENT, WORDS
from budgets.selectors.scopes import usage_filters
from usage.models import APIKey, Organization, Project, Subject, Team
from usage.models.keys import KEY_MARK
from usage.selectors.access import Viewer
from usage.selectors.overview import visible

SCOPE = (*RELATIONS, *WORDS)
TERMS = (
    "per", "measure", "period", "starts_on", "limit", "currency", "enforcement", "unpriced",
)  # fmt: skip
THRESHOLDS = "thresholds"
_LEVEL = re.compile(r"(\d{1,18}(?:\.\d{1,10})?)\s*(%?)")
_OWNED: Mapping[str, tuple[type[Model], str]] = {
    "project": (Project, "slug"),
    "team": (Team, "slug"),
    "subject": (Subject, "key"),
    "api_key": (APIKey, "prefix"),
}
"""The parts of a scope that belong to an organization, and what they are called by."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A budget without a row of its own and what it warns from; its scope has been read."""

    budget: Budget
    levels: tuple[Threshold, ...]


class NameField(forms.ModelChoiceField[Any]):
    """One row by its name, written rather than picked from a list of thousands."""

    widget = forms.TextInput

    def __init__(self, rows: QuerySet[Any], name: str, *, required: bool = False) -> None:
        super().__init__(rows, required=required, to_field_name=name)
        self.error_messages["invalid_choice"] = "There is none called \u201c%(value)s\u201d here."


class LevelsField(forms.CharField):
    """Levels such as 80 %, 95 %, 120: percentages of the limit, or amounts in its unit."""

    def to_python(self, value: Any) -> Any:
        """The levels. Raises ValidationError."""
        parts = [part.strip() for part in (super().to_python(value) or "").split(",")]
        return tuple(read_level(part) for part in parts if part)


class DraftForm(forms.ModelForm[Budget]):
    """What a budget would say, by names; what is left out is as in a new budget.

    It offers and accepts what `viewer` may see. Who sees one organization need not name it.
    """

    thresholds = LevelsField(
        label="Warns from", required=False, max_length=1000,
        help_text="Percentages of the limit or amounts, such as 80 %, 150.",
    )  # fmt: skip

    class Meta:
        model = Budget
        fields: ClassVar[tuple[str, ...]] = (*SCOPE, *TERMS)

    def __init__(self, words: Mapping[str, str], viewer: Viewer) -> None:
        organizations = visible(Organization.objects.order_by("slug"), viewer, "pk")
        needs_one = viewer.organization_ids is not None
        slug = words.get("organization", "")
        if needs_one and not slug:
            slugs = list(organizations.values_list("slug", flat=True)[:2])
            slug = slugs[0] if len(slugs) == 1 else ""
        super().__init__(_complete({**words, "organization": slug}))
        self.fields["organization"] = NameField(organizations, "slug", required=needs_one)
        owner = organizations.filter(slug=slug).first()
        for name, (model, called) in _OWNED.items():
            rows = model._default_manager.filter(organization=owner)
            self.fields[name] = NameField(rows if owner else rows.none(), called)

    @property
    def draft(self) -> Draft:
        """What a valid form says."""
        return Draft(self.instance, self.cleaned_data[THRESHOLDS])


def words_of(budget: Budget, levels: Iterable[Threshold]) -> dict[str, str]:
    """What a form has to be told to mean this budget; its scope has been read."""
    words = {name: values[0] for name, values in usage_filters(budget).items()}
    for name in TERMS:
        value = getattr(budget, name)
        if isinstance(value, Decimal):
            value = f"{value.normalize():f}"
        words[name] = "" if value is None else str(value)
    return words | {THRESHOLDS: ", ".join(map(str, levels))}


def _complete(words: Mapping[str, str]) -> dict[str, str]:
    """`words`, with the defaults of a new budget where they say nothing."""
    complete = {name: words.get(name, "") for name in (*SCOPE, *TERMS)}
    complete["api_key"] = complete["api_key"].removeprefix(KEY_MARK)
    blank = Budget()
    for name in TERMS:
        default = getattr(blank, name)
        complete[name] = complete[name] or ("" if default is None else str(default))
    return complete | {THRESHOLDS: words.get(THRESHOLDS, "").strip(" ,") or f"{WARN_PERCENT} %"}


def read_level(text: str) -> Threshold:
    """An unsaved level from its words: 80 %, or an amount. Raises ValidationError."""
    found = _LEVEL.fullmatch(text)
    if found is None:
        message = f"\u201c{text[:32]}\u201d is neither a percentage, such as 80 %, nor an amount."
        raise ValidationError(message)
    number = Decimal(found[1])
    level = Threshold(percent=number) if found[2] else Threshold(amount=number)
    level.clean_fields(exclude=["budget"])
    return level
