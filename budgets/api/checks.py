"""`POST /budgets/check/`: may a call run?"""

from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from rest_framework.request import Request

from budgets.api.access import BudgetsView, tenancy_of
from budgets.api.schema.operations import CHECK
from budgets.api.telling import verdict_as_json
from budgets.asking import Ask, read_ask, read_object
from budgets.checking import check_call
from usage.api.authentication import holder_of
from usage.api.bodies import read_body
from usage.api.reads import json_answer
from usage.models import APIKey
from usage.selectors.access import viewer_of


class CheckView(BudgetsView):
    """What the budgets say to a call before it is made; nothing is held, so that another call
    may take the room meanwhile: to be sure, reserve.

    Every budget that the call counts against is tested, and the most restrictive decides: it
    comes first. `message` can be posted as it is. Budgets of the whole site decide without being
    shown to a key of one organization.
    """

    write_scopes = (APIKey.Scope.CHECK,)

    @CHECK
    def post(self, request: Request) -> HttpResponse:
        """Answer, always with 200."""
        ask = read_question(request, known_only=True)
        verdict = check_call(ask, timezone.now())
        return json_answer(verdict_as_json(viewer_of(request.user), verdict))


def read_question(request: Request, *, known_only: bool) -> Ask:
    """What is asked in a body. Raises AskRefused and BodyError."""
    holder, body = holder_of(request), read_body(request)
    named: Any = None if holder.tenant else read_object(body).get("organization")
    return read_ask(
        body,
        tenancy_of(holder, named),
        timezone.now(),
        api_key_id=holder.key_id,
        provider=holder.provider,
        price_revision=holder.price_revision,
        known_only=known_only,
    )
