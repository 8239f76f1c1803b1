"""`/budgets/{id}/raises/`: another limit for a while."""

from django.http import HttpResponse
from django.utils import timezone
from rest_framework.exceptions import NotFound
from rest_framework.request import Request

from budgets.api.access import BudgetsView, actor_of, seen_budget
from budgets.api.bodies import RaiseBody, Refused, read_as
from budgets.api.rendering import raise_as_json
from budgets.api.schema.operations import END_RAISE, GRANT_RAISE, LIST_RAISES
from budgets.selectors.scopes import find_member, name_members
from budgets.setting import end_raise, grant_raise
from usage.api.authentication import holder_of
from usage.api.bodies import read_body
from usage.api.parameters import ParameterReader
from usage.api.reads import json_answer
from usage.ingest.values import FieldError
from usage.selectors.pages import read_pk

_SHOWN = 1000


class RaiseListView(BudgetsView):
    """Other limits that a budget has, or had, for a while, the latest first. Of several that
    hold at once the latest does; `member` is whom it is for where each has the limit to itself."""

    @LIST_RAISES
    def get(self, request: Request, budget_id: str) -> HttpResponse:
        """List the raises of a budget."""
        ParameterReader(request.GET).finish()
        budget = seen_budget(request, budget_id)
        rows = list(budget.raises.all()[:_SHOWN])
        names = name_members(
            ((budget.per, row.member) for row in rows), full=budget.organization_id is None
        )
        shown = [raise_as_json(row, names.get((budget.per, row.member))) for row in rows]
        return json_answer({"results": shown})

    @GRANT_RAISE
    def post(self, request: Request, budget_id: str) -> HttpResponse:
        """Grant another limit."""
        budget, holder = seen_budget(request, budget_id), holder_of(request)
        body = read_as(RaiseBody, read_body(request))
        member = 0
        if body.member is not None:
            found = find_member(budget, body.member)
            if found is None:
                message = f"The budget has no limit for {body.member!r} alone."
                raise Refused([FieldError("member", "unknown_member", message)])
            member = found
        granted = grant_raise(
            budget, limit=body.limit, until=body.until, actor=actor_of(holder), member=member,
            reason=body.reason, now=timezone.now(),
        )  # fmt: skip
        return json_answer(raise_as_json(granted, body.member), status=201)


class RaiseView(BudgetsView):
    """One of them: DELETE lets it hold no longer, and does nothing where it has ended."""

    @END_RAISE
    def delete(self, request: Request, budget_id: str, raise_id: str) -> HttpResponse:
        """End it."""
        budget, holder = seen_budget(request, budget_id), holder_of(request)
        try:
            granted = budget.raises.filter(pk=read_pk(raise_id)).first()
        except ValueError:
            granted = None
        if granted is None:
            raise NotFound(f"There is no raise {raise_id!r}.")
        end_raise(granted, actor_of(holder))
        return HttpResponse(status=204)
