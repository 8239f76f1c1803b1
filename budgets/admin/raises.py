"""The form that raises a budget's limit for a while."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils import timezone

from budgets.amounts import limit_text
from budgets.models import Budget, BudgetRaise
from budgets.models.budgets import LIMIT_DECIMALS, LIMIT_DIGITS
from budgets.selectors.history import zone_of
from budgets.setting import Actor, grant_raise
from usage.selectors.currency import ledger_currency
from usage.selectors.periods import find_zone

_LOCAL = "%Y-%m-%dT%H:%M"


def unit_of(budget: Budget) -> str:
    """The unit of its limit: a currency, tokens or requests."""
    if budget.measure != Budget.Measure.COST:
        return str(budget.measure)
    return budget.currency or ledger_currency()


class RaiseForm(forms.Form):
    """How much, for whom, until when, and why. Times are those of the budget's zone."""

    limit = forms.DecimalField(
        required=False,
        min_value=0,
        max_digits=LIMIT_DIGITS,
        decimal_places=LIMIT_DECIMALS,
        widget=forms.TextInput(attrs={"inputmode": "decimal"}),
    )
    is_unlimited = forms.BooleanField(required=False, label="No limit meanwhile")
    member = forms.TypedChoiceField(coerce=int, label="For")
    until = forms.DateTimeField(
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format=_LOCAL),
        input_formats=[_LOCAL, f"{_LOCAL}:%S", "%Y-%m-%d %H:%M"],
    )
    reason = forms.CharField(max_length=500, required=False)

    def __init__(
        self,
        data: QueryDict | None,
        budget: Budget,
        members: Sequence[tuple[int, str]],
        end: datetime | None,
    ) -> None:
        """Ask about `budget`; `members` are those that it can be raised for, `end` when its
        present period ends."""
        zone = find_zone(zone_of(budget))
        shown = end and end.astimezone(zone).strftime(_LOCAL)
        super().__init__(data, initial={"until": shown, "member": 0})
        self.budget, self.zone = budget, zone
        self.fields["limit"].label = f"Limit ({unit_of(budget)})"
        own = limit_text(budget.limit, budget.measure, budget.currency)
        self.fields["limit"].help_text = f"Instead of the budget's own: {own}."
        self.fields["until"].help_text = f"It ends by itself then. Time of {zone.key}."
        if budget.per:
            field = cast("forms.TypedChoiceField", self.fields["member"])
            field.choices = [(0, "everyone"), *members]
        else:
            del self.fields["member"]

    def clean_until(self) -> datetime:
        """The same time of day in the budget's zone."""
        given: datetime = self.cleaned_data["until"]
        return given.replace(tzinfo=self.zone)

    def clean(self) -> dict[str, Any] | None:
        """Have it said outright that there is no limit: nothing must lift one by oversight."""
        given = super().clean() or self.cleaned_data
        if "limit" in given and (given["limit"] is None) != given["is_unlimited"]:
            self.add_error("limit", "Give a limit, or say that there is none.")
        return given

    def grant(self, actor: Actor) -> BudgetRaise | None:
        """Raise the limit as a valid form says; None, with the reason as an error, if refused."""
        given = self.cleaned_data
        try:
            return grant_raise(
                self.budget,
                limit=given["limit"],
                until=given["until"],
                actor=actor,
                member=given.get("member", 0),
                reason=given["reason"],
                now=timezone.now(),
            )
        except ValidationError as refusal:
            for name, faults in refusal.message_dict.items():
                self.add_error(name if name in self.fields else None, faults)
            return None
