"""`POST /budgets/what-if/`: what a budget would have done to the calls of the past."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.utils import timezone
from msgspec import UNSET
from rest_framework.request import Request

from budgets.api.access import BudgetsView
from budgets.api.bodies import given, levels_of, read_as
from budgets.api.schema.what_if import WHAT_IF, WhatIfBody
from budgets.models import Threshold
from budgets.replay.drafts import TERMS, THRESHOLDS, DraftForm
from budgets.replay.findings import Affected, Findings, Moment, Tally, TriedWindow
from budgets.replay.trial import try_budget, zone_of
from usage.api.bodies import read_body
from usage.api.parameters import ParameterReader
from usage.api.reads import json_answer
from usage.models import APIKey
from usage.selectors.access import viewer_of
from usage.selectors.currency import ledger_currency
from usage.selectors.frames import months_before


class WhatIfView(BudgetsView):
    """Plays the calls of past days against a budget that nobody has saved, by the rules of live
    calls: each asks for what it came to, at the time it was made, and is settled at once; a
    blocked one spends nothing. What was used earlier in the first window counts as it was.

    At most 92 days and a million calls are tried at a time.
    """

    write_scopes = (APIKey.Scope.READ,)

    @WHAT_IF
    def post(self, request: Request) -> HttpResponse:
        """Try it out. Nothing is saved."""
        ParameterReader(request.GET).finish()
        body = read_as(WhatIfBody, read_body(request))
        form = DraftForm(_words(body), viewer_of(request.user))
        if not form.is_valid():
            raise ValidationError(form.errors.as_data())
        first, end = _days(body, timezone.now().astimezone(zone_of(form.draft)).date())
        return json_answer(_as_json(try_budget(form.draft, first, end), first, end))


def _words(body: WhatIfBody) -> dict[str, str]:
    """What a body says, as the form takes it."""
    said = given(body)
    scope = said.get("scope")
    words = {**(given(scope) if scope else {}), **{n: said[n] for n in TERMS if n in said}}
    texts = {name: _text(value) for name, value in words.items() if value is not None}
    levels = levels_of(said.get("thresholds", []))
    named = (str(Threshold(percent=one.percent, amount=one.amount)) for one in levels)
    return {**texts, THRESHOLDS: ", ".join(named)}


def _text(value: Any) -> str:
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def _days(body: WhatIfBody, today: date) -> tuple[date, date]:
    """The days asked for, the end exclusive. Raises ValidationError."""
    month = today.replace(day=1)
    first = months_before(month, 1) if body.first is UNSET else body.first
    end = month if body.first is UNSET else today + timedelta(days=1)
    end = end if body.end is UNSET else body.end
    if end <= first:
        raise ValidationError({"to": "It must come after `from`."})
    return first, end


def _as_json(found: Findings, first: date, end: date) -> dict[str, Any]:
    names = {
        f"{kind}s": [_name_as_json(each) for each in rows]
        for kind, (rows, _) in found.affected.items()
    }
    return {
        "start": first,
        "end": end,
        "timezone": found.zone,
        "currency": ledger_currency(),
        "measure": found.budget.measure,
        "calls": found.total.calls,
        **_answers(found.total),
        "first_warned": _moment_as_json(found.warned),
        "first_blocked": _moment_as_json(found.blocked),
        "days": [{"day": day, **_answers(tally)} for day, tally in found.days.items()],
        "windows": [_window_as_json(window) for window in found.windows],
        "window_count": found.opened,
        **names,
    }


def _answers(tally: Tally) -> dict[str, Any]:
    return {
        "allowed": tally.allowed,
        "warned": tally.warned,
        "blocked": tally.blocked,
        "unpriced": tally.unpriced,
        "spent": f"{tally.spent:f}",
        "prevented": f"{tally.prevented:f}",
    }


def _window_as_json(window: TriedWindow) -> dict[str, Any]:
    return {
        "member": window.member_name or None,
        "start": window.start,
        "end": window.end,
        "limit": None if window.limit is None else f"{window.limit:f}",
        "used_before": f"{window.before:f}",
        "used": f"{window.used:f}",
        "warned_at": window.warned_at,
        "blocked_at": window.blocked_at,
        **_answers(window.tally),
    }


def _name_as_json(affected: Affected) -> dict[str, Any]:
    who = {"organization": affected.organization, "name": affected.name}
    return who | _answers(affected.tally)


def _moment_as_json(moment: Moment | None) -> dict[str, Any] | None:
    return None if moment is None else {"at": moment.at, "message": moment.message}
