"""The page that sets prices: first it shows what they change, then it appends them."""

from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Protocol

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.csrf import csrf_protect

from pricing.admin.cards import by_user
from pricing.admin.price_form import (
    MeterRows,
    PriceForm,
    first_values,
    items_of,
    meter_rows,
    show_fault,
    values_of,
)
from pricing.meters import METERS
from pricing.models import AIModel, PriceChange, PriceVersion, Provider, RateCard
from pricing.publishing import (
    PlannedVersion,
    PriceError,
    PriceItem,
    PricePlan,
    plan_prices,
    set_prices,
)
from pricing.rating import MeterPrice
from pricing.selectors import MANUAL, change_text, named_card, price_text, stored_versions


class PricesAdmin(Protocol):
    """What the page needs of the admin class it belongs to."""

    admin_site: admin.AdminSite
    opts: Any

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Whether the user may set prices."""

    def cards_seen(self, request: HttpRequest) -> QuerySet[RateCard]:
        """The rate cards the user may see."""


@dataclass(slots=True)
class _Entry:
    """What somebody entered, and what it would do once it is valid."""

    form: PriceForm
    rows: MeterRows
    items: list[PriceItem]
    plan: PricePlan | None = None

    @property
    def mark(self) -> str:
        """The same for the same prices: what was shown is what is set."""
        said = repr((self.items, self.form.cleaned_data.get("rate_card"), self.is_whole))
        return blake2b(said.encode(), digest_size=16).hexdigest()

    @property
    def is_whole(self) -> bool:
        return bool(self.form.cleaned_data.get("whole"))


def price_page(owner: PricesAdmin, request: HttpRequest) -> HttpResponse:
    """The form, the difference it would make, or, once that is confirmed, the new prices."""
    if not owner.has_add_permission(request):
        raise PermissionDenied
    return _price_page(request, owner)


@csrf_protect
def _price_page(request: HttpRequest, owner: PricesAdmin) -> HttpResponse:
    named_card(MANUAL)
    cards = owner.cards_seen(request)
    entry = _entered(request, cards) if request.method == "POST" else _new(request, cards)
    if entry.plan is not None and _is_confirmed(request, entry, entry.plan):
        return _set(request, entry)
    context = {
        **owner.admin_site.each_context(request),
        "opts": owner.opts,
        "title": "Set a price",
        "form": entry.form,
        "rows": entry.rows,
        "plan": entry.plan,
        "shown": [] if entry.plan is None else [_shown(v) for v in entry.plan.versions],
        "mark": entry.mark if entry.plan is not None else "",
        "unconfirmed": "publish" in request.POST,
        "back_url": reverse("admin:pricing_priceversion_changelist"),
        "meters": METERS,
        "providers": Provider.objects.values_list("slug", flat=True),
        "models": AIModel.objects.order_by("name").values_list("name", flat=True).distinct(),
    }
    return TemplateResponse(request, "pricing/price_form.html", context)


def _shown(version: PlannedVersion) -> dict[str, Any]:
    return {
        "provider": version.provider,
        "model": version.model,
        "service_tier": version.service_tier,
        "effective_from": version.effective_from,
        "effective_to": version.effective_to,
        "differences": [
            {
                "meter": change.meter,
                "old": _amount(change.old, change.old_currency),
                "new": _amount(change.new, change.currency),
                "change": change_text(change.percent),
                "is_far": change.is_far,
            }
            for change in version.differences
        ],
    }


def _amount(price: MeterPrice | None, currency: str) -> str:
    return "" if price is None else price_text(price, currency)


def _new(request: HttpRequest, cards: QuerySet[RateCard]) -> _Entry:
    copied = _version_to_change(request, cards)
    if copied is None:
        first = first_values(request.GET, cards)
        return _Entry(PriceForm(None, cards, initial=first), meter_rows(None, None), [])
    (stored,) = stored_versions(PriceVersion.objects.filter(pk=copied.pk))
    listed = copied.rate_card.kind == RateCard.Kind.LIST
    card = named_card(MANUAL) if listed else copied.rate_card
    first = values_of(stored, card, timezone.now())
    return _Entry(PriceForm(None, cards, initial=first), meter_rows(None, stored.prices), [])


def _version_to_change(request: HttpRequest, cards: QuerySet[RateCard]) -> PriceVersion | None:
    wanted = request.GET.get("change", "")
    if not (wanted.isascii() and wanted.isdigit() and len(wanted) < 18):
        return None
    versions = PriceVersion.objects.filter(rate_card__in=cards).select_related("rate_card")
    return versions.filter(pk=int(wanted)).first()


def _entered(request: HttpRequest, cards: QuerySet[RateCard]) -> _Entry:
    entry = _Entry(PriceForm(request.POST, cards), meter_rows(request.POST, None), [])
    if not (entry.form.is_valid() & entry.rows.is_valid()):
        return entry
    numbered = items_of(entry.form.cleaned_data, entry.rows)
    entry.items = [item for _, item in numbered]
    try:
        entry.plan = plan_prices(
            entry.form.cleaned_data["rate_card"], entry.items, whole=entry.is_whole
        )
    except PriceError as error:
        for fault in error.faults:
            show_fault(fault, entry.form, entry.rows, [number for number, _ in numbered])
    return entry


def _is_confirmed(request: HttpRequest, entry: _Entry, plan: PricePlan) -> bool:
    shown = "publish" in request.POST and request.POST.get("mark") == entry.mark
    return shown and (not plan.warnings or request.POST.get("meant") == "on")


def _set(request: HttpRequest, entry: _Entry) -> HttpResponse:
    head = entry.form.cleaned_data
    source = by_user(request, head["reason"])
    change = set_prices(head["rate_card"], entry.items, source, whole=entry.is_whole)
    _tell(request, change)
    version = change.versions.first()
    if version is not None and request.user.has_perm("pricing.view_aimodel"):
        return HttpResponseRedirect(
            reverse("admin:pricing_aimodel_change", args=[version.model_id])
        )
    return HttpResponseRedirect(reverse("admin:pricing_priceversion_changelist"))


def _tell(request: HttpRequest, change: PriceChange) -> None:
    if not change.count:
        messages.info(request, "Nothing changed: these prices are in force already.")
        return
    text = f"{change.count} price{'' if change.count == 1 else 's'} set."
    if change.holds_from is not None and change.holds_from < change.made_at:
        text += " What was rated since they hold keeps its cost until a re-rating is applied."
    messages.success(request, text)
