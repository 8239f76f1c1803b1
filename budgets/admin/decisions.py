"""Why blocked: calls that were warned about or refused, with every budget they were tested by."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from budgets.admin.call_links import CallLinks
from budgets.admin.records import DecisionFilter
from budgets.models import Decision
from budgets.selectors.decisions import call_facts, name_binding, tested_budgets, told_message
from pricing.admin.row_pages import OwnPage
from usage.admin.paging import BoundedPaginator
from usage.admin.scope import ReadOnlyAdmin, reach_of
from usage.formats import UNPRICED, money
from usage.selectors.currency import ledger_currency

_RELATED = ["organization", "project", "subject", "api_key", "reservation"]


@admin.register(Decision)
class DecisionAdmin(CallLinks, OwnPage[Decision], ReadOnlyAdmin[Decision]):
    """Warnings and refusals, newest first; what was allowed is only counted."""

    list_display = ["decided", "answer", "organization", "project_page", "subject_page", "estimate"]
    list_display_links = ["decided"]
    list_filter = [DecisionFilter]
    list_select_related = _RELATED
    page_template = "admin/budgets/decision/page.html"
    paginator = BoundedPaginator
    list_max_show_all = 0
    sortable_by = ()
    ordering = ["-decided_at", "-id"]

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        """The columns, with the budget that decided as far as the user may see it."""
        viewer = reach_of(request).viewer

        @admin.display(description="budget")
        def binding(decision: Decision) -> str:
            return name_binding(viewer, decision)

        return [*self.list_display, binding]

    def page_of(self, request: HttpRequest, decision: Decision) -> dict[str, Any]:
        """The message, and what every budget said to the call."""
        viewer = reach_of(request).viewer
        return {
            "title": f"Why {_WORDS[Decision.Outcome(decision.outcome)]}",
            "decision": decision,
            "message": told_message(viewer, decision),
            "tested": tested_budgets(viewer, decision),
            "call": call_facts(decision.call),
        }

    @admin.display(description="when (UTC)")
    def decided(self, decision: Decision) -> str:
        """When it was answered, to the second."""
        return f"{decision.decided_at:%Y-%m-%d %H:%M:%S}"

    @admin.display(description="answer")
    def answer(self, decision: Decision) -> SafeString:
        """Whether it was warned about or blocked."""
        return render_to_string("admin/budgets/decision/badge.html", {"outcome": decision.outcome})

    @admin.display(description="estimate")
    def estimate(self, decision: Decision) -> str:
        """What the call was expected to cost."""
        if decision.estimated_cost is None:
            return UNPRICED
        return money(decision.estimated_cost, ledger_currency())


_WORDS = {Decision.Outcome.WARN: "warned", Decision.Outcome.BLOCK: "blocked"}
