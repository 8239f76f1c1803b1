"""The columns of the list of budgets: how each stands now."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from budgets.amounts import amount_text, limit_text
from budgets.links import budget_url, events_url
from budgets.models import Budget
from budgets.selectors.states import BudgetState, states_of
from usage.formats import quantity

_STATE = "read_state"


class BudgetChangeList(ChangeList):
    """Reads how all budgets of a page stand at once."""

    def get_results(self, request: HttpRequest) -> None:
        """The rows of the page, each with its state."""
        super().get_results(request)
        rows = list(self.result_list)
        enabled = [row for row in rows if row.enabled]
        for state in states_of(enabled, timezone.now()):
            vars(state.budget)[_STATE] = state
        self.result_list = rows

    def url_for_result(self, result: Any) -> str:
        """The page of a budget, which leads to its form."""
        return budget_url(result)


class BudgetColumns:
    """How a budget stands, as columns; nothing for one that is switched off."""

    @admin.display(description="budget")
    def title(self, budget: Budget) -> SafeString:
        """Its name; what it limits, where the name does not say so."""
        if not budget.name:
            return format_html("{}", budget)
        return format_html('{}<br><span class="tm-quiet">{}</span>', budget, budget.scope)

    @admin.display(description="used")
    def used(self, budget: Budget) -> SafeString:
        """The level and the bar, or that it is switched off; of whom, where each has a limit."""
        state = _state(budget)
        if state is None:
            return format_html('<span class="tm-badge">{}</span>', "off")
        shown = render_to_string("tallyman/budget_used.html", {"state": state})
        if not state.member_text:
            return shown
        return format_html('{}<span class="tm-quiet">{}</span>', shown, state.member_text)

    @admin.display(description="spent")
    def spent(self, budget: Budget) -> SafeString | None:
        """What was used in this period, as a link to the events behind it, and what is held."""
        state = _state(budget)
        if state is None:
            return None
        link = format_html('<a href="{}">{}</a>', events_url(state), state.used_text)
        more = []
        if state.reserved:
            more.append(f"+ {amount_text(state.reserved, budget.measure)} held")
        if state.unpriced_events and budget.measure == Budget.Measure.COST:
            more.append(f"+ {quantity(state.unpriced_events)} unpriced")
        lines = format_html_join("", '<br><span class="tm-quiet">{}</span>', ((m,) for m in more))
        return format_html("{}{}", link, lines)

    @admin.display(description="limit")
    def shown_limit(self, budget: Budget) -> SafeString:
        """The limit that holds now, and what happens there; the budget's own where it is off."""
        state = _state(budget)
        own = limit_text(budget.limit, budget.measure, budget.currency)
        return format_html(
            '{}<br><span class="tm-quiet">{}</span>',
            state.limit_text if state else own,
            "blocks" if budget.is_hard else "warns",
        )

    @admin.display(description="remaining")
    def remaining(self, budget: Budget) -> str | None:
        """What is left, or by how much it is exceeded."""
        state = _state(budget)
        return (state.remaining_text or None) if state else None

    @admin.display(description="resets")
    def resets(self, budget: Budget) -> str | None:
        """When the next period begins."""
        state = _state(budget)
        return state.reset_text.removeprefix("resets ") if state else None


def _state(budget: Budget) -> BudgetState | None:
    found: BudgetState | None = vars(budget).get(_STATE)
    return found
