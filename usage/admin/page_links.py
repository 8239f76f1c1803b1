"""Links from rows of the admin to the dashboards of what they name."""

from django.db.models import Model
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from usage.formats import UNKNOWN


def page_link(kind: str, organization: Model | None, name: str | None, text: str = "") -> str:
    """A link to the page of a project, subject, session or run; a dash where there is none.

    `text` stands for the name, which is shown whole to a pointer.
    """
    slug = getattr(organization, "slug", "")
    if not name or not slug:
        return UNKNOWN
    url = reverse(f"admin:{kind}_page", args=(slug, name))
    return format_html('<a href="{}" title="{}">{}</a>', url, name, text or name)


def model_link(provider: str, model: str) -> SafeString:
    """A link to the page of a model."""
    url = reverse("admin:model_page", args=(provider, model))
    return format_html('<a href="{}">{}</a>', url, model)
