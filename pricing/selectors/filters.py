"""Filters of prices: one declared set for lists and the interface's document."""

from collections.abc import Iterator

from django.db.models import QuerySet
from django_filters import CharFilter, ChoiceFilter, FilterSet

from pricing.models import PriceVersion, RateCard


class PriceFilters(FilterSet):  # type: ignore[misc]  # the library has no types
    """Filters of the versions that hold prices; the time they are in force at is none."""

    provider = CharFilter(
        field_name="model__provider__slug", method="by_provider", help_text="Only this provider."
    )
    model = CharFilter(
        field_name="model__name", lookup_expr="icontains",
        help_text="Only models with this in their name.",
    )  # fmt: skip
    service_tier = ChoiceFilter(
        choices=PriceVersion.ServiceTier.choices, help_text="Only this service tier."
    )
    rate_card = CharFilter(field_name="rate_card__name", help_text="Only this rate card.")
    rate_card_kind = ChoiceFilter(
        field_name="rate_card__kind", choices=RateCard.Kind.choices,
        help_text="Only rate cards of this kind.",
    )  # fmt: skip
    currency = CharFilter(method="by_currency", help_text="Only prices stated in this currency.")

    class Meta:
        model = PriceVersion
        fields: tuple[str, ...] = ()

    def faults(self) -> Iterator[tuple[str, str, str]]:
        """Name, code and message of each filter that is not understood."""
        for name, errors in self.errors.as_data().items():
            yield name, "unknown", errors[0].messages[0]

    def by_provider(
        self, versions: QuerySet[PriceVersion], name: str, value: str
    ) -> QuerySet[PriceVersion]:
        """Slugs are in lower case."""
        return versions.filter(**{name: value.lower()})

    def by_currency(
        self, versions: QuerySet[PriceVersion], name: str, value: str
    ) -> QuerySet[PriceVersion]:
        """Codes are in upper case."""
        return versions.filter(**{name: value.upper()})
