"""The filter form of decisions and reservations: days, whose call, what became of it."""

from collections.abc import Sequence
from datetime import timedelta
from functools import cached_property
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest

from budgets.models import Decision, Reservation
from budgets.selectors.decisions import Answers, count_answers
from usage.admin.filters import Columns, FilterForm, UsageFilter
from usage.selectors.periods import midnight

_OUTCOMES = (("", "any"), (Decision.Outcome.WARN, "warned"), (Decision.Outcome.BLOCK, "blocked"))


def _choice(choices: Sequence[tuple[str, str]]) -> forms.ChoiceField:
    return forms.ChoiceField(required=False, choices=choices)


def _budget() -> forms.IntegerField:
    return forms.IntegerField(required=False, min_value=1, max_value=2**63 - 1, label="Budget no.")


class DecisionForm(FilterForm):
    """Also asks how the call was answered, and which budget decided."""

    common_names = ("from", "through", "organization", "project", "subject", "outcome", "budget")

    def __init__(self, data: dict[str, object], columns: Columns, organizations: list[str]) -> None:
        super().__init__(data, columns, organizations)
        self.fields["outcome"] = _choice(_OUTCOMES)
        self.fields["outcome"].label = "Answer"
        self.fields["budget"] = _budget()


class DecisionFilter(UsageFilter):
    """The filter form for decisions."""

    title = "decisions"
    form_class = DecisionForm
    columns = Columns(time="decided_at", kind="", team="")

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The decisions asked for."""
        rows = super().queryset(request, queryset)
        if outcome := self.values.get("outcome"):
            rows = rows.filter(outcome=outcome)
        if budget := self.values.get("budget"):
            rows = rows.filter(binding_id=budget)
        return rows

    @cached_property
    def answers(self) -> list[Answers]:
        """How many calls were answered in each way, by day, the latest first."""
        if self.form.errors:
            return []
        start = midnight(self.first, self.zone)
        end = midnight(self.last + timedelta(days=1), self.zone)
        organization = self.values.get("organization") or ""
        return count_answers(self.viewer, start, end, self.zone, organization)

    @property
    def totals(self) -> Answers:
        """Those of all days together."""
        found = Answers(self.last)
        for each in self.answers:
            found.allow += each.allow
            found.warn += each.warn
            found.block += each.block
        return found


class ReservationForm(FilterForm):
    """Also asks what became of a reservation, and which budget it holds."""

    common_names = (
        "from", "through", "organization", "project", "subject", "state", "budget",
    )  # fmt: skip

    def __init__(self, data: dict[str, object], columns: Columns, organizations: list[str]) -> None:
        super().__init__(data, columns, organizations)
        self.fields["state"] = _choice([("", "any"), *Reservation.Status.choices])
        self.fields["budget"] = _budget()
        self.fields["budget"].label = "Holds budget no."


class ReservationFilter(UsageFilter):
    """The filter form for reservations."""

    title = "reservations"
    form_class = ReservationForm
    columns = Columns(time="held_at", kind="")

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The reservations asked for."""
        rows = super().queryset(request, queryset)
        if state := self.values.get("state"):
            rows = rows.filter(status=state)
        if budget := self.values.get("budget"):
            rows = rows.filter(holds__window__budget_id=budget)
        return rows
