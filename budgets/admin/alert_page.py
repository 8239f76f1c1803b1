"""The page of an alert, what is done with it there, and the badge that every page shows."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_POST

from budgets.admin.back import way_back
from budgets.admin.site_rows import SiteRowsAdmin
from budgets.alerts.handling import acknowledge, resolve_by_hand
from budgets.links import alert_url
from budgets.models import Alert, Notice
from budgets.notices.message import Message
from budgets.notices.rendering.text import as_text
from budgets.notices.writing import alert_message
from budgets.selectors.alert_facts import (
    figures_of,
    member_names,
    period_of,
    steps_of,
    titles_of,
)
from budgets.selectors.bell import ALERT_PARTS, Bell, read_bell
from budgets.setting import Actor
from pricing.admin.row_pages import OwnPage
from pricing.admin.users import signed_in
from usage.admin.scope import reach_of

Route = tuple[str, Callable[..., HttpResponse], str]


class AlertPages(OwnPage[Alert], SiteRowsAdmin[Alert]):
    """What is shown of one alert, and what is done with it there."""

    page_template = "admin/budgets/alert/page.html"

    def own_pages(self) -> list[Route]:
        """Route, view and the last part of the name of each."""
        return [
            ("standing/", self.standing_of_all, "standing"),
            ("<int:pk>/acknowledge/", self.acknowledge_one, "acknowledge"),
            ("<int:pk>/resolve/", self.resolve_one, "resolve"),
        ]

    def page_of(self, request: HttpRequest, alert: Alert) -> dict[str, Any]:
        """What was seen, how it is now, who was told what, and what was done about it."""
        notice = alert.notices.exclude(content={}).order_by("-created_at").first()
        return {
            "title": titles_of([alert])[0],
            "alert": alert,
            "member": member_names([alert])[0],
            "period": period_of(alert),
            "figures": figures_of(alert),
            "steps": steps_of(alert),
            "notice": notice,
            "preview": as_text(_message(alert, notice)),
            "may_handle": self.may_change(request, alert.organization_id),
        }

    def standing_of_all(self, request: HttpRequest) -> JsonResponse:
        """How many alerts are open, how severe they are, and the badge and the line as HTML."""
        context = self.bell_context(request)
        bell: Bell = context["bell"] or Bell()
        answer = {
            "count": bell.count,
            "severity": bell.severity,
            "version": bell.version,
            "badge": render_to_string("admin/budgets/alert/badge.html", context, request),
            "line": render_to_string("admin/budgets/alert/line.html", context, request),
        }
        return JsonResponse(answer)

    def bell_context(self, request: HttpRequest) -> dict[str, Any]:
        """What the header of every page needs to show of the open alerts, nothing for who sees
        no organization."""
        reach = reach_of(request)
        bell = read_bell(reach.viewer) if reach.sees_something else None
        first = bell.first if bell else None
        return {
            "bell": bell,
            "bell_title": titles_of([first])[0] if first else "",
            "bell_handled": first is not None and self.may_change(request, first.organization_id),
        }

    @method_decorator(csrf_protect)
    @method_decorator(require_POST)
    def acknowledge_one(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Tell that somebody looks after it; lead back to where that was told."""
        alert = self._handled(request, pk)
        if acknowledge([alert], Actor(signed_in(request).pk), timezone.now()).done:
            messages.success(request, f"Acknowledged: {titles_of([alert])[0]}.")
        asked = request.headers.get("Referer", "")
        return HttpResponseRedirect(way_back(request, asked, alert_url(alert)))

    @method_decorator(csrf_protect)
    @method_decorator(require_POST)
    def resolve_one(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Call it over."""
        alert = self._handled(request, pk)
        if resolve_by_hand([alert], Actor(signed_in(request).pk), timezone.now()).done:
            messages.success(request, f"Resolved: {titles_of([alert])[0]}.")
        return HttpResponseRedirect(alert_url(alert))

    def _handled(self, request: HttpRequest, pk: int) -> Alert:
        rows = self.get_queryset(request).select_related(*ALERT_PARTS)
        alert = get_object_or_404(rows, pk=pk)
        if not self.may_change(request, alert.organization_id):
            raise PermissionDenied
        return alert


def _message(alert: Alert, notice: Notice | None) -> Message:
    """What was told last, else what would be told now."""
    if notice is not None:
        return Message.from_content(notice.content)
    return alert_message(alert, notice_kind=Notice.Kind.ALERT, now=timezone.now())
