"""Re-ratings: what they would change or changed, asking for one, and deciding about it."""

from datetime import timedelta
from decimal import Decimal
from typing import Any, Literal

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.csrf import csrf_protect

from pricing.admin.row_pages import FilledPage
from pricing.admin.users import signed_in
from usage.admin.rating_decisions import DECISIONS, decisions_for
from usage.admin.rating_form import RunForm
from usage.admin.scope import OrganizationFilter, ReadOnlyAdmin, changeable, reach_of
from usage.formats import UNKNOWN, dated, quantity, share, signed_money
from usage.models import Organization, RatingRun
from usage.rerating import RatingRefused
from usage.selectors.periods import find_zone
from usage.selectors.rating_runs import RunTotal, totals_by

BUSY = frozenset(
    (RatingRun.Status.PLANNING, RatingRun.Status.APPLYING, RatingRun.Status.ROLLING_BACK)
)
"""States that pass by themselves within seconds: the page waits for what follows."""
BADGES = {
    RatingRun.Status.APPLIED: "k",
    RatingRun.Status.AWAITING: "w",
    RatingRun.Status.PLANNED: "w",
    RatingRun.Status.FAILED: "o",
}
SPLITS: tuple[tuple[Literal["organization", "model", "day"], str], ...] = (
    ("organization", "Organizations"),
    ("model", "Models"),
    ("day", "Days"),
)
PLACES = 4
_STANDINGS = {
    RatingRun.Status.PLANNED: "nothing has changed yet",
    RatingRun.Status.AWAITING: "nothing has changed yet",
    RatingRun.Status.DISCARDED: "put aside, nothing has changed",
    RatingRun.Status.ROLLED_BACK: "taken back",
}


def status_badge(run: RatingRun) -> SafeString:
    """The state of a run as a badge, its word beside the colour."""
    return format_html(
        '<span class="tm-badge {}">{}</span>',
        BADGES.get(RatingRun.Status(run.status), ""),
        run.get_status_display(),
    )


def window(run: RatingRun) -> str:
    """The days of the site's zone that a run covers."""
    zone = find_zone(settings.TALLYMAN_TIME_ZONE)
    first = run.start.astimezone(zone).date()
    last = (run.end - timedelta(microseconds=1)).astimezone(zone).date()
    return dated(first, last)


def _concerned(run: RatingRun) -> int:
    """How many events get another rating, those of closed months by adjustment."""
    return run.changed + run.adjusted


def _bars(totals: list[RunTotal]) -> list[tuple[RunTotal, int]]:
    """Each total with the length of its bar: its difference against the largest one."""
    top = max((abs(total.difference) for total in totals), default=Decimal(0))
    return [(total, int(share(abs(total.difference), top) or 0)) for total in totals]


@admin.register(RatingRun)
class RatingRunAdmin(FilledPage[RatingRun], ReadOnlyAdmin[RatingRun]):
    """Runs of visible organizations; those over all of them only for who sees all."""

    change_form_template = "usage/rating_run.html"
    change_list_template = "usage/rating_run_list.html"
    list_display = [
        "number", "state", "covered", "of_organization", "what", "events_changed", "difference",
        "asked_by", "asked_at",
    ]  # fmt: skip
    list_display_links = ["number"]
    list_filter = ["status", "cause", ("organization", OrganizationFilter)]
    list_select_related = ["organization", "requested_by"]
    sortable_by = ()
    fields = ["reason"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[RatingRun]:
        """All but those that the site made by itself to find that nothing differs."""
        rows = super().get_queryset(request)
        by_itself = ~Q(cause=RatingRun.Cause.REQUESTED)
        return rows.exclude(by_itself, status=RatingRun.Status.DISCARDED, changed=0)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Whether the user administers any organization."""
        return reach_of(request).changes_something

    def get_urls(self) -> list[URLPattern]:
        """The page of a decision besides the stock ones."""
        decide = self.admin_site.admin_view(self.decide)
        own = path("<int:pk>/decide/<slug:name>/", decide, name="usage_ratingrun_decide")
        return [own, *super().get_urls()]

    @method_decorator(csrf_protect)
    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Ask what to re-rate and why, and have the dry run calculated."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = RunForm(
            request.POST if request.method == "POST" else None,
            changeable(Organization.objects.all(), request, "pk"),
            site=reach_of(request).administers is None,
        )
        if form.is_valid():
            run = form.request(signed_in(request))
            self.log_addition(request, run, "Asked for.")
            return HttpResponseRedirect(self.url_of(run))
        context = {
            **self.admin_site.each_context(request),
            "title": "Re-rate",
            "form": form,
            "submit": "Calculate a dry run",
            "back_url": reverse("admin:usage_ratingrun_changelist"),
            "lead": "Puts the prices that hold now on events stored in the past. A dry run shows "
            "what would change; nothing changes before you apply it.",
        }
        return TemplateResponse(request, "tallyman/form.html", context)

    @method_decorator(csrf_protect)
    def decide(self, request: HttpRequest, pk: int, name: str) -> HttpResponse:
        """Ask once more with the totals in sight, then do what was decided."""
        run = get_object_or_404(self.get_queryset(request), pk=pk)
        if not reach_of(request).may_change(run.organization_id):
            raise PermissionDenied
        decision = DECISIONS.get(name)
        if decision is None or decision not in decisions_for(run, signed_in(request)):
            messages.warning(request, f"{run} is “{run.get_status_display()}” by now.")
            return HttpResponseRedirect(self.url_of(run))
        if request.method == "POST":
            try:
                decision.take(run, signed_in(request))
            except RatingRefused as refused:
                messages.error(request, str(refused))
            else:
                run.refresh_from_db()
                self.log_change(request, run, f"{decision.label}: {run.get_status_display()}.")
                messages.success(request, f"{run}: {run.get_status_display().lower()}.")
            return HttpResponseRedirect(self.url_of(run))
        context = {
            **self.admin_site.each_context(request),
            **self._figures(run),
            "title": f"{decision.label}: {run}",
            "decision": decision,
            "back_url": self.url_of(run),
        }
        return TemplateResponse(request, "usage/rating_decision.html", context)

    def url_of(self, run: RatingRun) -> str:
        """The page of a run."""
        return reverse("admin:usage_ratingrun_change", args=(run.pk,))

    def page_of(self, request: HttpRequest, run: RatingRun) -> dict[str, Any]:
        """The figures of a run, and what may be decided about it."""
        may = reach_of(request).may_change(run.organization_id)
        return {
            **self._figures(run),
            "decisions": decisions_for(run, signed_in(request)) if may else [],
            "waits_for_other": may
            and run.status == RatingRun.Status.AWAITING
            and run.requested_by_id == request.user.pk,
            "splits": [(title, _bars(totals_by(run, name))) for name, title in SPLITS]
            if _concerned(run)
            else [],
        }

    def _figures(self, run: RatingRun) -> dict[str, Any]:
        return {
            "run": run,
            "badge": status_badge(run),
            "window": window(run),
            "difference": run.after_cost - run.before_cost,
            "is_busy": run.status in BUSY,
            "standing": _STANDINGS.get(RatingRun.Status(run.status), "after less before"),
            "concerned": _concerned(run),
            "places": PLACES,
        }

    @admin.display(description="run")
    def number(self, run: RatingRun) -> str:
        """Its number."""
        return f"#{run.pk}"

    @admin.display(description="state")
    def state(self, run: RatingRun) -> SafeString:
        """Its state."""
        return status_badge(run)

    @admin.display(description="days")
    def covered(self, run: RatingRun) -> str:
        """Its days."""
        return window(run)

    @admin.display(description="organization")
    def of_organization(self, run: RatingRun) -> str:
        """Its organization."""
        return str(run.organization) if run.organization else "every one"

    @admin.display(description="of what")
    def what(self, run: RatingRun) -> str:
        """Its provider and model, and whether only unpriced events are meant."""
        words = " / ".join(word for word in (run.provider, run.model) if word)
        only = "unpriced only" if run.only_unpriced else ""
        return ", ".join(part for part in (words, only) if part) or "everything"

    @admin.display(description="events changed")
    def events_changed(self, run: RatingRun) -> str:
        """How many events get, or got, another rating."""
        return UNKNOWN if run.status == RatingRun.Status.PLANNING else quantity(_concerned(run))

    @admin.display(description="difference")
    def difference(self, run: RatingRun) -> str:
        """How much more (+) or less (-) the events cost after it."""
        if run.status == RatingRun.Status.PLANNING:
            return UNKNOWN
        amount = run.after_cost - run.before_cost
        return signed_money(amount, settings.TALLYMAN_CURRENCY, PLACES)

    @admin.display(description="asked by")
    def asked_by(self, run: RatingRun) -> str:
        """Who asked for it, or why the site made it by itself."""
        if run.cause == RatingRun.Cause.REQUESTED:
            return str(run.requested_by or "command")
        return run.get_cause_display()

    @admin.display(description="asked (UTC)")
    def asked_at(self, run: RatingRun) -> str:
        """When."""
        return f"{run.requested_at:%Y-%m-%d %H:%M}"
