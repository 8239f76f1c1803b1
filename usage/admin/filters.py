"""One filter form for every list of usage: days, who, what; exact words and bounded by date."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.conf import settings
from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.http import urlencode

from usage.admin.scope import reach_of
from usage.formats import NOT_GIVEN
from usage.models import APIKey, CallKind, Organization, Project, Subject, Team, UsageEvent
from usage.models.keys import KEY_MARK
from usage.selectors.overview import organization_choices, visible
from usage.selectors.periods import find_zone, midnight
from usage.selectors.questions import QuestionError

MAX_KINDS = 5000
DAY_PRESETS = ((1, "Today"), (7, "7 d"), (30, "30 d"), (90, "90 d"))
WORDS = ("provider", "model", "agent_type", "action", "operation", "billing_scope")
IDENTITIES = ("project", "team", "subject", "api_key")
EPISODES = ("session", "run")
PERIOD = ("from", "through", "tz")
_NAMED_BY: dict[str, tuple[type[Model], str]] = {
    "project": (Project, "slug"),
    "team": (Team, "slug"),
    "subject": (Subject, "key"),
}
_COMMON = (
    "from", "through", "organization", "project", "subject", "provider", "model", "status",
    "unpriced",
)  # fmt: skip
_LABELS = {
    "agent_type": "Agent type",
    "api_key": "API key (prefix)",
    "billing_scope": "Billing",
    "subject": "Person (key)",
    "session": "Session id",
    "run": "Run id",
}
_STATUSES = [("", "any"), *((label, label) for label in UsageEvent.Status.labels)]
_PAYERS = [("", "any"), *CallKind.BillingScope.choices]


@dataclass(frozen=True, slots=True)
class Columns:
    """Where a table holds what the form asks for; "" where it does not.

    Without a `kind` no words are asked for. A `calendar` table's time column holds days instead
    of instants.
    """

    time: str
    kind: str = "kind_id"
    project: str = "project_id"
    team: str = "team_id"
    subject: str = "subject_id"
    api_key: str = "api_key_id"
    session: str = ""
    run: str = ""
    status: str = ""
    cost: str = ""
    calendar: bool = False


def check_year(day: date) -> None:
    """Raise ValidationError for a day, or an instant, around which days cannot be reckoned."""
    if not 2000 <= day.year <= 2198:
        raise forms.ValidationError("Years lie between 2000 and 2198.")


class FilterForm(forms.Form):
    """What may be filtered by; empty means any, NOT_GIVEN means usage that names none.

    The fields in `common_names` are always open, the others unfold.
    """

    common_names: tuple[str, ...] = _COMMON

    def __init__(self, data: dict[str, object], columns: Columns, organizations: list[str]) -> None:
        super().__init__(data)
        date_input = forms.DateInput(attrs={"type": "date"})
        slugs = [("", "all"), *((slug, slug) for slug in organizations)]
        for name in ("from", "through"):
            self.fields[name] = forms.DateField(
                required=False, widget=date_input, validators=[check_year]
            )
        self.fields["organization"] = forms.CharField(
            required=False, widget=forms.Select(choices=slugs)
        )
        held = [name for name in (*IDENTITIES, *EPISODES) if getattr(columns, name)]
        for name in (*held, *(WORDS if columns.kind else ())):
            self.fields[name] = forms.CharField(
                required=False, max_length=128, label=_LABELS.get(name), strip=False
            )
        if columns.kind:
            self.fields["billing_scope"].widget = forms.Select(choices=_PAYERS)
        if columns.status:
            self.fields["status"] = forms.ChoiceField(required=False, choices=_STATUSES)
        if columns.cost:
            self.fields["unpriced"] = forms.BooleanField(required=False, label="Unpriced only")
        if not columns.calendar:
            self.fields["hour"] = forms.DateTimeField(
                required=False,
                widget=forms.HiddenInput(),
                label="Hour from",
                validators=[check_year],
            )
        self.fields["tz"] = forms.CharField(
            required=False, max_length=64, widget=forms.HiddenInput()
        )

    @property
    def common(self) -> list[forms.BoundField]:
        """The fields that are always open."""
        return [self[name] for name in self.common_names if name in self.fields]

    @property
    def rare(self) -> list[forms.BoundField]:
        """The other fields that are seen."""
        return [field for field in self.visible_fields() if field.name not in self.common_names]

    @property
    def uses_rare(self) -> bool:
        """Whether any of the other fields is filled in, or filled in wrongly."""
        return any(field.value() or field.errors for field in self.rare)

    def clean_tz(self) -> ZoneInfo:
        """The zone whose days are meant, the installation's by default."""
        try:
            return find_zone(self.cleaned_data["tz"] or settings.TALLYMAN_TIME_ZONE)
        except QuestionError as error:
            raise forms.ValidationError(error.message) from error


class UsageFilter(admin.ListFilter):
    """The form as one admin filter. Subclasses say for which columns and how many days."""

    title = "usage"
    template = "tallyman/usage_filter.html"
    form_class: type[FilterForm] = FilterForm
    columns: Columns
    default_days = 7
    presets: tuple[tuple[int, str], ...] = DAY_PRESETS

    def __init__(
        self,
        request: HttpRequest,
        params: dict[str, list[str]],
        model: type[Any],
        model_admin: admin.ModelAdmin[Any],
    ) -> None:
        super().__init__(request, params, model, model_admin)
        self.viewer = reach_of(request).viewer
        organizations = organization_choices(self.viewer)
        names = self.form_class({}, self.columns, []).fields
        taken: dict[str, object] = {name: params.pop(name)[-1] for name in names if name in params}
        self.used_parameters = taken
        self.form = self.form_class(taken, self.columns, organizations)
        self.form.is_valid()
        self.values = self.form.cleaned_data
        self.zone = self.values.get("tz") or find_zone(settings.TALLYMAN_TIME_ZONE)
        self.today = timezone.now().astimezone(self.zone).date()
        self.first, self.last = self._days()
        self.form.data = {
            **taken,
            "from": taken.get("from") or self.first.isoformat(),
            "through": taken.get("through") or self.last.isoformat(),
        }

    def _days(self) -> tuple[date, date]:
        last = self.values.get("through") or self.today
        first = self.values.get("from") or last - timedelta(days=self.default_days - 1)
        return (first, last) if first <= last else (last, first)

    @property
    def chips(self) -> list[tuple[str, str, str]]:
        """What is filtered by besides days: a label, the value, and the list without it."""
        asked = {name: str(value) for name, value in self.used_parameters.items() if value}
        return [
            (
                str(self.form[name].label),
                "" if name == "unpriced" else value,
                "?" + urlencode({other: v for other, v in asked.items() if other != name}),
            )
            for name, value in asked.items()
            if name not in PERIOD
        ]

    def has_output(self) -> bool:
        """Always shown."""
        return True

    def expected_parameters(self) -> list[str | None]:
        """Every name of the form."""
        return list(self.form.fields)

    def choices(self, changelist: Any) -> Iterator[Any]:
        """The presets of days."""
        for days, label in self.presets:
            first = self.today - timedelta(days=days - 1)
            bounds = {"from": first.isoformat(), "through": self.today.isoformat()}
            selected = (self.first, self.last) == (first, self.today)
            yield {
                "selected": selected,
                "query_string": changelist.get_query_string(bounds, ["p"]),
                "display": label,
            }

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The rows asked for; nothing when the form was not understood."""
        if self.form.errors:
            return queryset.none()
        rows = self.in_bounds(queryset)
        for name in ("organization", *IDENTITIES):
            if value := self.values.get(name):
                rows = self._of_identity(rows, name, value)
        rows = self._of_kind(rows)
        for name in EPISODES:
            if value := self.values.get(name):
                rows = self.of_episode(rows, name, value)
        if status := self.values.get("status"):
            number = {label: value for value, label in UsageEvent.Status.choices}[status]
            rows = rows.filter(**{self.columns.status: number})
        if self.values.get("unpriced"):
            rows = rows.filter(**{f"{self.columns.cost}__isnull": True})
        return rows

    @property
    def bounds(self) -> tuple[datetime, datetime]:
        """The days asked for, or of them the hour, as instants: the end is not among them."""
        start = midnight(self.first, self.zone)
        end = midnight(self.last + timedelta(days=1), self.zone)
        if hour := self.values.get("hour"):
            start, end = max(start, hour), min(end, hour + timedelta(hours=1))
        return start, end

    def in_bounds(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """The rows of the days asked for, in the zone asked for unless the table holds days."""
        column = self.columns.time
        if self.columns.calendar:
            return rows.filter(**{f"{column}__gte": self.first, f"{column}__lte": self.last})
        start, end = self.bounds
        return rows.filter(**{f"{column}__gte": start, f"{column}__lt": end})

    def _of_identity(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        # Ids instead of joins keep the index on organization and time in play.
        if name == "organization":
            owners = visible(Organization.objects.filter(slug=value), self.viewer, "pk")
            return rows.filter(organization_id__in=list(owners.values_list("pk", flat=True)))
        column = getattr(self.columns, name)
        if value == NOT_GIVEN:
            return rows.filter(**{column: None})
        if name == "api_key":
            keys = APIKey.objects.filter(prefix=value.removeprefix(KEY_MARK))
            return rows.filter(**{f"{column}__in": list(keys.values_list("pk", flat=True))})
        model, field = _NAMED_BY[name]
        found = visible(model._default_manager.filter(**{field: value}), self.viewer)
        return rows.filter(**{f"{column}__in": list(found.values_list("pk", flat=True))})

    def of_episode(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """The rows of one session or run, by its exact id."""
        column = getattr(self.columns, name)
        return rows.filter(**{column: None if value == NOT_GIVEN else value})

    def _of_kind(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        words = {name: self.values[name] for name in WORDS if self.values.get(name)}
        if not words:
            return rows
        exact = {name: "" if value == NOT_GIVEN else value for name, value in words.items()}
        kinds = CallKind.objects.filter(**exact).order_by("pk").values_list("pk", flat=True)
        return rows.filter(**{f"{self.columns.kind}__in": list(kinds[:MAX_KINDS])})
