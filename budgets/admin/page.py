"""The page of a budget: how it stands and stood, who holds it, who changed it, whom it stopped."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Page, Paginator
from django.db.models import Sum
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_POST

from budgets.admin.quick_set import QuickSetForm
from budgets.admin.raises import RaiseForm
from budgets.amounts import level_text, limit_text
from budgets.links import budget_change_url, budget_url
from budgets.models import Alert, Budget, BudgetChange
from budgets.models.budgets import RELATIONS
from budgets.selectors.alert_facts import titles_of
from budgets.selectors.alerts import alerts_of_budget
from budgets.selectors.decisions import recent_decisions
from budgets.selectors.history import (
    as_periods,
    as_states,
    differences,
    holds_of,
    member_windows,
    shared_periods,
    windows_of,
    zone_of,
)
from budgets.selectors.outlook import forecast_state
from budgets.selectors.scopes import name_members
from budgets.selectors.states import states_of
from budgets.setting import Actor, end_raise
from pricing.admin.users import signed_in
from usage.admin.scope import ScopedAdmin, reach_of

ROWS = 12
OFFERED_MEMBERS = 200
LISTED_CHANGES = 20
LISTED_HOLDS = 10
LISTED_ALERTS = 20
HISTORY, MEMBERS = "history", "members"

Route = tuple[str, Callable[..., HttpResponse], str]


class BudgetPages(ScopedAdmin[Budget]):
    """What is shown of one budget besides its form, and what is done with it there."""

    def own_pages(self) -> list[Route]:
        """Route, view and the last part of the name of each."""
        return [
            ("<int:pk>/", self.page, "page"),
            ("<int:pk>/raise/", self.raise_limit, "raise"),
            ("<int:pk>/raise/<int:number>/end/", self.end_raise, "end_raise"),
            ("set/", self.quick_set, "quick_set"),
        ]

    def page(self, request: HttpRequest, pk: int) -> HttpResponse:
        """How a budget stands, and everything that happened to it."""
        budget = self._found(request, pk)
        context = {
            **self.admin_site.each_context(request),
            **self._standing(budget),
            **self._past(request, budget),
            "title": str(budget),
            "budget": budget,
            "levels": [
                level_text(level.percent, level.amount, budget.measure, budget.currency)
                for level in budget.thresholds.all()
            ],
            "zone": zone_of(budget),
            "limit": limit_text(budget.limit, budget.measure, budget.currency),
            "may_change": self.has_change_permission(request, budget),
            "change_url": budget_change_url(budget),
            "decisions": recent_decisions(reach_of(request).viewer, budget),
            "alerts": self._alerts(budget),
        }
        return TemplateResponse(request, "admin/budgets/budget/page.html", context)

    @method_decorator(csrf_protect)
    def raise_limit(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask for how much, until when and why, and raise the limit."""
        budget = self._found(request, pk, change=True)
        now = timezone.now()
        members = as_states(budget, member_windows(budget, now)[:OFFERED_MEMBERS], now)
        form = RaiseForm(
            request.POST if request.method == "POST" else None,
            budget,
            [(state.member, state.member_name) for state in members],
            self._end(budget),
        )
        granted = form.grant(Actor(signed_in(request).pk)) if form.is_valid() else None
        if granted is not None:
            self.log_change(request, budget, "Limit raised for a while.")
            messages.success(request, f"{budget}: another limit holds from now on.")
            return HttpResponseRedirect(budget_url(budget))
        context = {
            **self.admin_site.each_context(request),
            "title": f"Raise for a while: {budget}",
            "form": form,
            "submit": "Raise the limit",
            "back_url": budget_url(budget),
            "lead": "Another limit holds at once and until the time given; then the budget has"
            " its own again. What is used meanwhile still counts in its period.",
        }
        return TemplateResponse(request, "tallyman/form.html", context)

    @method_decorator(csrf_protect)
    @method_decorator(require_POST)
    def end_raise(self, request: HttpRequest, pk: int, number: int) -> HttpResponse:
        """Let a raise hold no longer."""
        budget = self._found(request, pk, change=True)
        granted = get_object_or_404(budget.raises.all(), pk=number)
        end_raise(granted, Actor(signed_in(request).pk))
        self.log_change(request, budget, "Raise ended.")
        messages.success(request, f"{budget}: the raise has ended.")
        return HttpResponseRedirect(budget_url(budget))

    @method_decorator(csrf_protect)
    @method_decorator(require_POST)
    def quick_set(self, request: HttpRequest) -> HttpResponse:
        """Set the monthly budget of an organization or project; lead back to where it was set."""
        form = QuickSetForm(request.POST, request)
        budget = form.save(Actor(signed_in(request).pk)) if form.is_valid() else None
        if budget is None:
            for faults in form.errors.values():
                messages.error(request, "; ".join(str(fault) for fault in faults))
        else:
            self.log_change(request, budget, "Set from a page of figures.")
            shown = limit_text(budget.limit, budget.measure, budget.currency)
            messages.success(request, f"{budget}: the limit is {shown}.")
        return HttpResponseRedirect(form.back_url)

    def _found(self, request: HttpRequest, pk: int, *, change: bool = False) -> Budget:
        rows = self.get_queryset(request).select_related(*RELATIONS)
        budget = get_object_or_404(rows.prefetch_related("thresholds"), pk=pk)
        if change and not self.has_change_permission(request, budget):
            raise PermissionDenied
        return budget

    def _standing(self, budget: Budget) -> dict[str, Any]:
        """How it stands now and what holds it; nothing for one that is switched off."""
        now = timezone.now()
        state = states_of([budget], now)[0] if budget.enabled else None
        holds = holds_of(budget)
        raises = list(budget.raises.select_related("granted_by"))
        names = name_members(
            {(budget.per, raised.member) for raised in raises}, full=budget.organization is None
        )
        return {
            "state": state,
            "forecast": forecast_state(state, now) if state else None,
            "holds": holds[:LISTED_HOLDS],
            "held": holds.aggregate(total=Sum("amount"))["total"],
            "holds_count": holds.count(),
            "raises": [
                (
                    raised,
                    limit_text(raised.limit, budget.measure, budget.currency),
                    names.get((budget.per, raised.member), "everyone"),
                    raised.since <= now < raised.until,
                )
                for raised in raises
            ],
        }

    def _alerts(self, budget: Budget) -> list[tuple[str, list[tuple[Alert, str]]]]:
        """Its latest alerts and what they are called: those of periods that go on, and those of
        earlier ones."""
        latest, now = list(alerts_of_budget(budget)[:LISTED_ALERTS]), timezone.now()
        rows = list(zip(latest, titles_of(latest), strict=True))
        parts = ("This period", True), ("Earlier", False)
        found = [
            (
                title,
                [
                    (row, shown)
                    for row, shown in rows
                    if (not row.window_end or row.window_end > now) == going
                ],
            )
            for title, going in parts
        ]
        return [part for part in found if part[1]]

    def _past(self, request: HttpRequest, budget: Budget) -> dict[str, Any]:
        """Its periods, its members' shares, and the changes made to it."""
        now = timezone.now()
        changes = BudgetChange.objects.filter(budget=budget).select_related("made_by")
        shown: dict[str, Any] = {
            "changes": [(row, differences(row)) for row in changes[:LISTED_CHANGES]],
            "what_if_url": f"{reverse('admin:budget_what_if')}?budget={budget.pk}",
        }
        if not budget.per:
            periods = _page(request, HISTORY, windows_of(budget))
            return {**shown, "periods": periods, "rows": as_states(budget, periods, now)}
        periods, members = (
            _page(request, HISTORY, shared_periods(budget)),
            _page(request, MEMBERS, member_windows(budget, now)),
        )
        return {
            **shown,
            "periods": periods,
            "shared": as_periods(budget, periods),
            "members": members,
            "member_rows": as_states(budget, members, now),
        }

    def _end(self, budget: Budget) -> Any:
        window = budget.windows.order_by("-start").first()
        return window and window.end


def _page(request: HttpRequest, name: str, rows: Any) -> Page[Any]:
    return Paginator(rows, ROWS).get_page(request.GET.get(name))
