"""`/alerts/`: what staff should know, and saying that somebody looks after it."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, time
from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from rest_framework.exceptions import NotFound
from rest_framework.request import Request

from budgets.alerts.handling import Handled, acknowledge, resolve_by_hand
from budgets.api.access import PAGE, BudgetsView, actor_of, expect_nothing, page_answer
from budgets.api.notices import alerts_as_json
from budgets.api.schema.alerts import ACKNOWLEDGE, LIST_ALERTS, RESOLVE, SHOW_ALERT
from budgets.models import Alert, Notice
from budgets.notices.writing import alert_message
from budgets.selectors.pages import find_alert, list_alerts
from budgets.setting import Actor
from usage.api.authentication import holder_of
from usage.api.parameters import MAX_PAGE, ParameterReader
from usage.api.problems import problem
from usage.api.reads import json_answer
from usage.selectors.access import viewer_of

_LIVE = "live"
_CHOICES = {"kind": Alert.Kind.values, "severity": Alert.Severity.values}
_Handling = Callable[[Iterable[Alert | int], Actor, datetime], Handled]


class AlertListView(BudgetsView):
    """Alerts, those that opened last first: levels that budgets reached, calls that were blocked,
    forecasts, unusual spend, models without a price, usage that stopped, and the system's own.

    Those of the whole site are shown to keys of the site alone.
    """

    @LIST_ALERTS
    def get(self, request: Request) -> HttpResponse:
        """List alerts."""
        reader = ParameterReader(request.GET)
        filters = _filters(reader)
        limit, cursor = reader.number("limit", PAGE, MAX_PAGE), reader.one("cursor")
        reader.finish()
        page = list_alerts(viewer_of(request.user), filters, limit, cursor)
        return page_answer(request, page, alerts_as_json(page.rows))


class AlertView(BudgetsView):
    """One alert, with what its message would say now."""

    @SHOW_ALERT
    def get(self, request: Request, alert_id: str) -> HttpResponse:
        """Show it."""
        ParameterReader(request.GET).finish()
        return _answer(_seen(request, alert_id))


class AcknowledgeView(BudgetsView):
    """Lets it be known that somebody looks after an alert: it is not told again. Again it changes
    nothing; one that has been resolved is 409."""

    @ACKNOWLEDGE
    def post(self, request: Request, alert_id: str) -> HttpResponse:
        """Acknowledge it."""
        return _handle(request, alert_id, acknowledge)


class ResolveView(BudgetsView):
    """Resolves an alert by hand: it opens again once it has been over and happens anew. Again it
    changes nothing; one that is over otherwise is 409."""

    @RESOLVE
    def post(self, request: Request, alert_id: str) -> HttpResponse:
        """Resolve it."""
        return _handle(request, alert_id, resolve_by_hand)


def _filters(reader: ParameterReader) -> dict[str, Any]:
    filters: dict[str, Any] = {}
    if slug := reader.one("organization"):
        filters["organization__slug"] = slug
    state = reader.choice("state", ("", _LIVE, *Alert.State.values), "")
    if state == _LIVE:
        filters["state__in"] = (Alert.State.OPEN, Alert.State.ACKNOWLEDGED)
    elif state:
        filters["state"] = state
    for name, allowed in _CHOICES.items():
        if value := reader.choice(name, ("", *allowed), ""):
            filters[name] = value
    if (budget := reader.pk("budget")) is not None:
        filters["budget_id"] = budget
    if (since := reader.bound("since")) is not None:
        is_instant = isinstance(since, datetime)
        filters["opened_at__gte"] = since if is_instant else datetime.combine(since, time(), UTC)
    return filters


def _seen(request: Request, alert_id: str) -> Alert:
    alert = find_alert(viewer_of(request.user), alert_id)
    if alert is None:
        raise NotFound(f"There is no alert {alert_id!r}.")
    return alert


def _handle(request: Request, alert_id: str, handle: _Handling) -> HttpResponse:
    holder, alert = holder_of(request), _seen(request, alert_id)
    expect_nothing(request)
    handled = handle([alert], actor_of(holder), timezone.now())
    if handled.refused:
        return problem(409, "wrong_state", "The alert has been resolved already.")
    return _answer(_seen(request, alert_id))


def _answer(alert: Alert) -> HttpResponse:
    (shown,) = alerts_as_json([alert])
    said = alert_message(alert, notice_kind=Notice.Kind.ALERT, now=timezone.now())
    return json_answer({**shown, "summary": said.summary, "advice": said.advice})
