"""Closed months: shown, closed here, never opened again."""

from datetime import date, timedelta
from typing import Any, cast

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_protect

from pricing.admin.users import signed_in
from usage.admin.scope import OrganizationFilter, ReadOnlyAdmin, changeable, reach_of
from usage.models import ClosedMonth, Organization
from usage.rerating import RatingRefused, close_month
from usage.selectors.periods import find_zone

OFFERED_MONTHS = 24


def ended_months(today: date) -> list[date]:
    """The first days of the months that ended before `today`, the latest first."""
    found = []
    month = today.replace(day=1)
    for _ in range(OFFERED_MONTHS):
        month = (month - timedelta(days=1)).replace(day=1)
        found.append(month)
    return found


class CloseForm(forms.Form):
    """Which month of which organization to close."""

    organization = forms.ModelChoiceField(
        Organization.objects.none(), to_field_name="slug", empty_label=None
    )
    month = forms.TypedChoiceField(coerce=date.fromisoformat)

    def __init__(self, data: QueryDict | None, organizations: QuerySet[Organization]) -> None:
        super().__init__(data)
        field = cast("forms.ModelChoiceField[Organization]", self.fields["organization"])
        field.queryset = organizations
        zone = find_zone(settings.TALLYMAN_TIME_ZONE)
        months = ended_months(timezone.now().astimezone(zone).date())
        choice = cast("forms.TypedChoiceField", self.fields["month"])
        choice.choices = [(month.isoformat(), f"{month:%B %Y}") for month in months]

    def close(self, user: User) -> ClosedMonth | None:
        """Close the month of a valid form; None, with the reason as an error, when refused."""
        chosen = self.cleaned_data
        try:
            return close_month(chosen["organization"], chosen["month"], user)
        except RatingRefused as refused:
            self.add_error(None, str(refused))
            return None


@admin.register(ClosedMonth)
class ClosedMonthAdmin(ReadOnlyAdmin[ClosedMonth]):
    """Months whose sums no re-rating changes any more."""

    change_list_template = "usage/closed_month_list.html"

    list_display = ["shown_month", "organization", "closed_at", "closed_by"]
    list_filter = [("organization", OrganizationFilter)]
    list_select_related = ["organization", "closed_by"]
    fields = ["organization", "shown_month", "closed_at", "closed_by"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Whether the user administers any organization."""
        return reach_of(request).changes_something

    @method_decorator(csrf_protect)
    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Ask which month, and close it."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        organizations = changeable(Organization.objects.all(), request, "pk")
        form = CloseForm(request.POST if request.method == "POST" else None, organizations)
        closed = form.close(signed_in(request)) if form.is_valid() else None
        back_url = reverse("admin:usage_closedmonth_changelist")
        if closed is not None:
            self.log_addition(request, closed, "Closed.")
            messages.success(request, f"{closed} is closed.")
            return HttpResponseRedirect(back_url)
        context = {
            **self.admin_site.each_context(request),
            "title": "Close a month",
            "form": form,
            "submit": "Close it for ever",
            "back_url": back_url,
            "lead": "From then on no re-rating changes its sums: a difference is posted as "
            "an adjustment in the month in which it is found. A closed month stays closed.",
        }
        return TemplateResponse(request, "tallyman/form.html", context)

    @admin.display(description="month", ordering="month")
    def shown_month(self, closed: ClosedMonth) -> str:
        """The month by name."""
        return f"{closed.month:%B %Y}"
