"""Fields that offer rows, without buttons to make or change them."""

from typing import Any, TypeVar

from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.db.models import Field, Model
from django.forms import Field as FormField
from django.http import HttpRequest

from usage.admin.scope import ScopedAdmin

AnyModel = TypeVar("AnyModel", bound=Model)


class PlainChoices(ScopedAdmin[AnyModel]):
    """A form that makes and changes nothing but its own row."""

    def formfield_for_dbfield(
        self, db_field: Field[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> FormField | None:
        """Offer what there is."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and isinstance(field.widget, RelatedFieldWidgetWrapper):
            field.widget.can_add_related = False
            field.widget.can_change_related = False
            field.widget.can_view_related = False
        return field
