"""The record of every change of prices: who, what, why, and the difference it made."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from pricing.admin.cards import CardsSeen
from pricing.admin.read_only import ReadOnlyAdmin
from pricing.admin.row_pages import FilledPage
from pricing.models import PriceChange, RateCard
from pricing.models.rates import BEGINNING
from pricing.selectors.records import SHOWN_VERSIONS, price_differences, without_cards

SHOWN_RATES = 200


class PriceChangeAdmin(CardsSeen, FilledPage[PriceChange], ReadOnlyAdmin[PriceChange]):
    """Changes, the latest first; nothing here can be changed by anybody."""

    change_form_template = "pricing/price_change.html"
    list_display = ["made", "action", "who", "from_where", "changed", "holds", "why"]
    list_filter = ["action", "origin"]
    list_select_related = ["made_by"]
    search_fields = ["reason", "actor", "made_by__username"]
    date_hierarchy = "made_at"
    sortable_by = ()
    fields = ["action", "made", "who", "from_where", "changed", "holds", "reason"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[PriceChange]:
        """All but changes of rate cards that the user may not see."""
        hidden = RateCard.objects.exclude(pk__in=self.cards_seen(request).values("pk"))
        names = list(hidden.values_list("name", flat=True))
        rows = super().get_queryset(request)
        return without_cards(rows, names) if names else rows

    def page_of(self, request: HttpRequest, change: PriceChange) -> dict[str, Any]:
        """The prices, names or rates that it changed."""
        return {
            "differences": price_differences(change),
            "shown_versions": SHOWN_VERSIONS,
            "beginning": BEGINNING,
            "rates": change.exchange_rates.order_by("base", "quote", "-day")[:SHOWN_RATES],
            "details": [
                (name.replace("_", " "), f"{value:,}" if isinstance(value, int) else value)
                for name, value in sorted(change.details.items())
                if value and not isinstance(value, list | dict)
            ],
        }

    @admin.display(description="made (UTC)")
    def made(self, change: PriceChange) -> str:
        """When."""
        return f"{change.made_at:%Y-%m-%d %H:%M}"

    @admin.display(description="by")
    def who(self, change: PriceChange) -> str:
        """The user, or the key, command or task."""
        return str(change.made_by or change.actor or "the site itself")

    @admin.display(description="from")
    def from_where(self, change: PriceChange) -> str:
        """The catalogue with its version, or by hand."""
        return f"{change.origin} {change.source_version}".strip()

    @admin.display(description="holds from (UTC)")
    def holds(self, change: PriceChange) -> str:
        """The earliest time for which a price is another one now."""
        if change.holds_from is None:
            return "—"
        first = change.holds_from
        return "always" if first == BEGINNING else f"{first:%Y-%m-%d %H:%M}"

    @admin.display(description="changed")
    def changed(self, change: PriceChange) -> str:
        """How many prices, names or rates."""
        return f"{change.count:,}"

    @admin.display(description="why")
    def why(self, change: PriceChange) -> str:
        """The beginning of the reason."""
        return change.reason[:80] or "—"
