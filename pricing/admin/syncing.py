"""Price syncs, the button that starts one, and the prices that a sync would not take unseen."""

from decimal import Decimal
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.csrf import csrf_protect

from pricing.admin.read_only import ReadOnlyAdmin
from pricing.admin.users import signed_in
from pricing.catalogue import GENAI_PRICES, OPENROUTER, sync_prices
from pricing.models import PriceReview, PriceSync, PriceVersion
from pricing.reviews import accept, dismiss

SOURCES = (GENAI_PRICES, OPENROUTER)
_STANDARD = PriceVersion.ServiceTier.STANDARD.value
_FAULTS = {PriceReview.Fault.TOO_FAR: "too far off", PriceReview.Fault.WRONG_UNIT: "wrong unit"}
_BADGES = {
    PriceSync.Status.CHANGED: "k",
    PriceSync.Status.UNCHANGED: "k",
    PriceSync.Status.FAILED: "o",
}


@admin.register(PriceSync)
class PriceSyncAdmin(ReadOnlyAdmin[PriceSync]):
    """Every try to bring prices up to date, the latest first."""

    change_list_template = "pricing/sync_list.html"
    list_display = [
        "finished", "source", "state", "added", "closed", "unchanged", "refused",
        "source_version", "error",
    ]  # fmt: skip
    list_display_links = ["finished"]
    list_filter = ["source", "status"]
    sortable_by = ()
    fields = [
        "source", "source_version", "status", "started_at", "finished_at", "added", "closed",
        "unchanged", "refused", "error",
    ]  # fmt: skip

    def get_urls(self) -> list[URLPattern]:
        """The button's address besides the stock pages."""
        view = self.admin_site.admin_view(self.sync_view)
        return [path("sync/", view, name="pricing_pricesync_now"), *super().get_urls()]

    def has_sync_permission(self, request: HttpRequest) -> bool:
        """Whether the user has Django's permission to add price syncs."""
        return request.user.has_perm("pricing.add_pricesync")

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The list with the button."""
        extra = {"sources": SOURCES if self.has_sync_permission(request) else ()}
        return super().changelist_view(request, {**extra, **(extra_context or {})})

    @method_decorator(csrf_protect)
    def sync_view(self, request: HttpRequest) -> HttpResponse:
        """Sync now and say what came of it."""
        if not self.has_sync_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        source = request.POST.get("source", "")
        if source in SOURCES:
            self._tell(request, sync_prices(source))
        else:
            messages.error(request, "Prices cannot be synced from there.")
        return HttpResponseRedirect(reverse("admin:pricing_pricesync_changelist"))

    def _tell(self, request: HttpRequest, sync: PriceSync) -> None:
        notes = f" {sync.refused:,} to review." if sync.refused else ""
        notes += f" ({sync.error})" if sync.error else ""
        if sync.status == PriceSync.Status.FAILED:
            messages.error(
                request, f"Syncing from {sync.source} failed, nothing changed: {sync.error}."
            )
        elif sync.status == PriceSync.Status.UNCHANGED:
            messages.success(request, f"Synced from {sync.source}: nothing new.{notes}")
        else:
            text = f"{sync.added:,} prices added, {sync.closed:,} ended."
            messages.success(request, f"Synced from {sync.source}: {text}{notes}")

    @admin.display(description="finished (UTC)")
    def finished(self, sync: PriceSync) -> str:
        """When it ended."""
        return f"{sync.finished_at:%Y-%m-%d %H:%M}"

    @admin.display(description="result")
    def state(self, sync: PriceSync) -> SafeString:
        """What came of it."""
        badge = _BADGES[PriceSync.Status(sync.status)]
        return format_html('<span class="tm-badge {}">{}</span>', badge, sync.get_status_display())


class OpenFilter(admin.SimpleListFilter):
    """Open (the default), accepted, dismissed, or all."""

    title = "state"
    parameter_name = "state"

    def lookups(
        self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]
    ) -> list[tuple[str, str]]:
        """The states besides the default one."""
        return [("accepted", "accepted"), ("dismissed", "dismissed"), ("all", "all")]

    def choices(self, changelist: Any) -> Any:
        """The choices, the default one called what it is."""
        first, *rest = super().choices(changelist)
        return [{**first, "display": "open"}, *rest]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The chosen rows."""
        if self.value() == "all":
            return queryset
        return queryset.filter(status=self.value() or PriceReview.Status.OPEN)


@admin.register(PriceReview)
class PriceReviewAdmin(ReadOnlyAdmin[PriceReview]):
    """Prices that a sync listed instead of storing them; somebody decides."""

    change_list_template = "pricing/review_list.html"
    actions = ["accept_selected", "dismiss_selected"]
    list_display = ["what", "of_what", "known", "listed", "ratio", "why", "found", "status"]
    list_filter = [OpenFilter, "source", "fault"]
    search_fields = ["provider", "model"]
    sortable_by = ()
    fields = [
        "source", "provider", "model", "service_tier", "meter", "known", "listed", "ratio",
        "fault", "effective_from", "found_at", "status", "decided_at", "decided_by",
    ]  # fmt: skip

    def has_decide_permission(self, request: HttpRequest) -> bool:
        """Whether the user has Django's permission to change prices to review."""
        return request.user.has_perm("pricing.change_pricereview")

    @admin.action(description="Accept: store these prices", permissions=["decide"])
    def accept_selected(self, request: HttpRequest, queryset: QuerySet[PriceReview]) -> None:
        """Take the chosen prices as right."""
        reviews = list(queryset.exclude(status=PriceReview.Status.ACCEPTED))
        syncs = [accept(review, signed_in(request)) for review in reviews]
        for sync in syncs:
            if sync.status == PriceSync.Status.FAILED:
                text = f"Syncing from {sync.source} failed; the next sync stores them. {sync.error}"
                messages.warning(request, text)
        self._tell(request, reviews, "accepted")

    @admin.action(description="Dismiss: keep the present prices", permissions=["decide"])
    def dismiss_selected(self, request: HttpRequest, queryset: QuerySet[PriceReview]) -> None:
        """Take the chosen prices as wrong until the catalogue says something else."""
        reviews = list(queryset.filter(status=PriceReview.Status.OPEN))
        for review in reviews:
            dismiss(review, signed_in(request))
        self._tell(request, reviews, "dismissed")

    def _tell(self, request: HttpRequest, reviews: list[PriceReview], word: str) -> None:
        for review in reviews:
            self.log_change(request, review, f"{word.capitalize()}.")
        if reviews:
            messages.success(request, f"{len(reviews)} {word}.")
        else:
            messages.warning(request, f"None of these can be {word} any more.")

    @admin.display(description="model")
    def what(self, review: PriceReview) -> str:
        """Provider and model."""
        return f"{review.provider} / {review.model}"

    @admin.display(description="price of")
    def of_what(self, review: PriceReview) -> str:
        """The meter, and the service tier where it is not the usual one."""
        tier = review.service_tier
        return review.meter if tier == _STANDARD else f"{review.meter}, {tier}"

    @admin.display(description="why")
    def why(self, review: PriceReview) -> str:
        """What is wrong with it, in two words."""
        return _FAULTS[PriceReview.Fault(review.fault)]

    @admin.display(description="found (UTC)")
    def found(self, review: PriceReview) -> str:
        """When a sync first refused it."""
        return f"{review.found_at:%Y-%m-%d %H:%M}"

    @admin.display(description="present price")
    def known(self, review: PriceReview) -> str:
        """The price that holds."""
        return _amount(review.known_price, review)

    @admin.display(description="listed price")
    def listed(self, review: PriceReview) -> str:
        """The price that the catalogue lists."""
        return _amount(review.listed_price, review)

    @admin.display(description="ratio")
    def ratio(self, review: PriceReview) -> str:
        """How many times higher or lower the listed price is."""
        old, new = review.known_price, review.listed_price
        if not old or not new:
            return "—"
        word, times = ("higher", new / old) if new >= old else ("lower", old / new)
        return f"{times:,.1f} times {word}"


def _amount(price: Decimal | None, review: PriceReview) -> str:
    if price is None:
        return "—"
    units = "1 M" if review.per == 1_000_000 else f"{review.per:,}"
    return f"{price.normalize():,f} {review.currency} per {units}"
