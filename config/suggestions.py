"""What the fields of forms suggest while somebody types."""

from typing import Any

from django.contrib.admin.views.autocomplete import AutocompleteJsonView
from django.db.models import Model, QuerySet

from usage.selectors.overview import owned_name


class SuggestionsView(AutocompleteJsonView):
    """Rows as forms show them: each with its organization."""

    def get_queryset(self) -> QuerySet[Any]:
        """The rows that match, with what their names need."""
        rows: QuerySet[Any] = super().get_queryset()
        related = self.model_admin.list_select_related
        return rows if isinstance(related, bool) else rows.select_related(*related)

    def serialize_result(self, obj: Model, to_field_name: str) -> dict[str, str]:
        """A row as its field shows it once it is chosen."""
        return {"id": str(getattr(obj, to_field_name)), "text": owned_name(obj)}
