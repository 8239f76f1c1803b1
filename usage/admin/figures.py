"""Fields of admin pages that show numbers as people read them."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin

from usage.formats import quantity


def count_field(name: str) -> Callable[[Any], str]:
    """A field that shows the count `name` of a row with its thousands separated."""

    @admin.display(description=name.replace("_", " "))
    def shown(row: Any) -> str:
        return quantity(getattr(row, name))

    return shown
