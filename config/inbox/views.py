"""The pages of the inbox; `TallymanAdminSite` checks who may reach them."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.views.decorators.csrf import csrf_protect

from config.inbox.forms import WAYS, FirstPriceForm, LikeForm, Way, known_models
from pricing.publishing import Provenance
from usage.formats import NOT_GIVEN, quantity
from usage.selectors.access import NOTHING, Viewer, viewer_of
from usage.selectors.inbox import InboxRow, inbox_rows, new_prices_wait
from usage.selectors.unpriced import UnpricedGroup, unpriced_groups

PRICING_RIGHT = "pricing.add_priceversion"
ORIGIN = "inbox"


def inbox(request: HttpRequest, context: dict[str, Any]) -> TemplateResponse:
    """The table, inside the admin's own page context; buttons for those who may set prices."""
    rows = inbox_rows(_viewer(request))
    may_price = request.user.has_perm(PRICING_RIGHT)
    context |= {
        "title": "Unpriced inbox",
        "rows": [
            {
                "row": row,
                "events_url": events_behind(row.group),
                "ways": _ways(row) if may_price else [],
            }
            for row in rows
        ],
        "events": sum(row.group.events for row in rows),
        "tokens": sum(row.tokens for row in rows),
        "may_price": may_price,
        "is_busy": bool(rows) and new_prices_wait(),
    }
    return TemplateResponse(request, "usage/inbox.html", context)


@csrf_protect
def price_group(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """One way to price one group, named in the URL's query: asked for, then done."""
    viewer = _viewer(request)
    if not request.user.has_perm(PRICING_RIGHT):
        raise PermissionDenied
    back_url = reverse("admin:unpriced")
    wanted = (request.GET.get("provider", ""), request.GET.get("model", ""))
    groups = unpriced_groups(viewer)
    group = next((g for g in groups if (g.provider, g.model) == wanted), None)
    way = WAYS.get(request.GET.get("how", ""))
    if group is None or way is None:
        messages.warning(request, "Nothing of that kind waits for a price any more.")
        return HttpResponseRedirect(back_url)
    form = way.form(request.POST if request.method == "POST" else None, group)
    if form.is_valid() and way.take(form, _source(request, form)):
        messages.success(request, _told(group))
        return HttpResponseRedirect(back_url)
    context |= _form_context(way, form, back_url)
    return TemplateResponse(request, "usage/first_price.html", context)


def events_behind(group: UnpricedGroup) -> str:
    """The list of a group's events."""
    asked = {
        "from": f"{group.first_at:%Y-%m-%d}",
        "through": f"{group.last_at:%Y-%m-%d}",
        "provider": group.provider or NOT_GIVEN,
        "model": group.model,
        "unpriced": "1",
        "tz": "UTC",
    }
    return f"{reverse('admin:usage_usageevent_changelist')}?{urlencode(asked)}"


def _source(request: HttpRequest, form: FirstPriceForm) -> Provenance:
    reason: str = form.cleaned_data["reason"]
    return Provenance(ORIGIN, reason=reason, created_by_id=request.user.pk)


def _viewer(request: HttpRequest) -> Viewer:
    viewer = viewer_of(request.user)
    if viewer == NOTHING:
        raise PermissionDenied
    return viewer


def _form_context(way: Way, form: FirstPriceForm, back_url: str) -> dict[str, Any]:
    group = form.group
    name = f"{group.provider} / {group.model}" if group.provider else group.model
    return {
        "title": f"{way.title}: {name}",
        "form": form,
        "lead": way.lead,
        "submit": way.submit,
        "back_url": back_url,
        "group": group,
        "known_models": known_models() if isinstance(form, LikeForm) else [],
    }


def _ways(row: InboxRow) -> list[tuple[str, str]]:
    """The labels and addresses of the ways to price a row; without a rate no price would help."""
    if row.lacks_rate_from:
        return []
    suggestion = row.group.suggestion
    like = f"Use the price of {suggestion.model}…" if suggestion else "Use the price of…"
    named = {"provider": row.group.provider, "model": row.group.model}
    url = reverse("admin:unpriced_price")
    return [
        (label, f"{url}?{urlencode({**named, 'how': how})}")
        for how, label in (("like", like), ("price", "Set a price…"), ("free", "Free…"))
    ]


def _told(group: UnpricedGroup) -> str:
    events = f"{quantity(group.events)} event{'' if group.events == 1 else 's'}"
    return f"{events} of {group.model} will be rated within seconds."
