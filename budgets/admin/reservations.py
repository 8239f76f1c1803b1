"""Reservations: what is held, for whom and for how long; let go by administrators."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.loader import render_to_string
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.safestring import SafeString
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_POST

from budgets.admin.call_links import CallLinks
from budgets.admin.records import ReservationFilter
from budgets.links import reservation_url
from budgets.messages import SITE
from budgets.models import Reservation
from budgets.reservations.ending import WrongState, release
from budgets.selectors.decisions import call_facts
from pricing.admin.row_pages import OwnPage
from usage.admin.paging import BoundedPaginator
from usage.admin.scope import ReadOnlyAdmin, changeable, reach_of
from usage.formats import UNKNOWN, UNPRICED, length, money
from usage.links import event_url
from usage.selectors.currency import ledger_currency

_RELATED = ["organization", "project", "subject", "team", "api_key"]


@admin.register(Reservation)
class ReservationAdmin(CallLinks, OwnPage[Reservation], ReadOnlyAdmin[Reservation]):
    """Reservations of visible organizations, newest first."""

    actions = ["release_selected"]
    list_display = [
        "reservation_key", "state", "shown_amount", "ends", "project_page", "subject_page",
        "model", "age", "organization",
    ]  # fmt: skip
    list_filter = [ReservationFilter]
    list_select_related = _RELATED
    page_template = "admin/budgets/reservation/page.html"
    paginator = BoundedPaginator
    list_max_show_all = 0
    sortable_by = ()
    ordering = ["-held_at", "-id"]

    def has_release_permission(self, request: HttpRequest) -> bool:
        """Whether the user administers any organization."""
        return reach_of(request).changes_something

    def get_urls(self) -> list[URLPattern]:
        """The way to release one besides the stock pages."""
        view = self.admin_site.admin_view(self.release_one)
        return [
            path("<uuid:pk>/release/", view, name="budgets_reservation_release"),
            *super().get_urls(),
        ]

    def page_of(self, request: HttpRequest, reservation: Reservation) -> dict[str, Any]:
        """What is or was held of which budgets, and how it ended."""
        reach = reach_of(request)
        holds = reservation.holds.select_related("window__budget__organization")
        sees_site = reach.viewer.organization_ids is None
        is_open = reservation.status == Reservation.Status.HELD
        event_id = reservation.event_id
        return {
            "title": f"Reservation {reservation}",
            "reservation": reservation,
            "holds": [
                (hold, hold.window.budget.organization_id is not None or sees_site)
                for hold in holds
            ],
            "site": SITE,
            "amount": _amount(reservation),
            "decisions": reservation.decisions.all(),
            "call": call_facts(reservation.call),
            "event_url": event_url(reservation.organization_id, event_id) if event_id else "",
            "may_release": is_open and reach.may_change(reservation.organization_id),
        }

    @method_decorator(csrf_protect)
    @method_decorator(require_POST)
    def release_one(self, request: HttpRequest, pk: str) -> HttpResponse:
        """Let go of what one reservation holds."""
        reservation = get_object_or_404(self.get_queryset(request), pk=pk)
        if not reach_of(request).may_change(reservation.organization_id):
            raise PermissionDenied
        self._release(request, [reservation])
        return HttpResponseRedirect(reservation_url(reservation))

    @admin.action(description="Release selected reservations", permissions=["release"])
    def release_selected(self, request: HttpRequest, queryset: QuerySet[Reservation]) -> None:
        """Let go of what those of the chosen ones hold that the user may change."""
        held = queryset.filter(status=Reservation.Status.HELD)
        self._release(request, changeable(held, request))

    def _release(self, request: HttpRequest, rows: Any) -> None:
        released = 0
        for reservation in rows:
            try:
                release(reservation, timezone.now())
            except WrongState as ended:
                messages.warning(request, f"{reservation}: {ended}")
            else:
                released += 1
                self.log_change(request, reservation, "Released.")
        if released:
            messages.success(request, f"{released} released: what was held can be used again.")
        else:
            messages.warning(request, "Nothing was released: nothing of it was held any more.")

    @admin.display(description="state")
    def state(self, reservation: Reservation) -> SafeString:
        """Held, settled, released or expired."""
        return render_to_string(
            "admin/budgets/reservation/badge.html", {"reservation": reservation}
        )

    @admin.display(description="amount")
    def shown_amount(self, reservation: Reservation) -> str:
        """What the call may cost."""
        return _amount(reservation)

    @admin.display(description="age")
    def age(self, reservation: Reservation) -> str:
        """How long ago it was made."""
        return length(timezone.now() - reservation.held_at)

    @admin.display(description="ends")
    def ends(self, reservation: Reservation) -> str:
        """In how long it expires, or that it is about to; when it ended."""
        if reservation.status == Reservation.Status.HELD:
            left = reservation.expires_at - timezone.now()
            return f"in {length(left)}" if left.total_seconds() > 0 else "due"
        return f"{reservation.ended_at:%Y-%m-%d %H:%M}" if reservation.ended_at else UNKNOWN


def _amount(reservation: Reservation) -> str:
    if reservation.amount is None:
        return UNPRICED
    return money(reservation.amount, ledger_currency(), 4)
