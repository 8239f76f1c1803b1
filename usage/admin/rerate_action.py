"""The action of event lists that has the chosen events re-rated."""

from collections.abc import Callable, Sequence
from typing import Any, cast

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from pricing.admin.users import signed_in
from usage.admin.paging import MAX_COUNTED
from usage.admin.scope import changeable, reach_of
from usage.models import UsageEvent
from usage.rerating import RatingRefused, request_for_events


class RerateAction:
    """Mixed into the admin of events: a dry run over the chosen ones."""

    actions: Sequence[Callable[..., Any] | str] | None = ["rerate_selected"]

    def has_rerate_permission(self, request: HttpRequest) -> bool:
        """Whether the user administers any organization."""
        return reach_of(request).changes_something

    @admin.action(description="Re-rate selected events (dry run)", permissions=["rerate"])
    def rerate_selected(
        self, request: HttpRequest, queryset: QuerySet[UsageEvent]
    ) -> HttpResponse | None:
        """Ask for a dry run over those of the events that the user may change."""
        rows = changeable(cast("QuerySet[Any]", queryset), request)
        events = list(rows[: MAX_COUNTED + 1])
        if not events:
            messages.warning(request, "None of these events can be re-rated by you.")
            return None
        if len(events) > MAX_COUNTED:
            messages.error(request, f"Choose at most {MAX_COUNTED:,} events, or days: Re-ratings.")
            return None
        reason = f"{len(events)} chosen in the list of events"
        try:
            run = request_for_events(events, reason, signed_in(request))
        except RatingRefused as refused:
            messages.error(request, str(refused))
            return None
        return HttpResponseRedirect(reverse("admin:usage_ratingrun_change", args=(run.pk,)))
