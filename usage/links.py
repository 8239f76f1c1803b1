"""How single events are shown: their address, and the badge of their status."""

from django.contrib.admin.utils import quote
from django.urls import reverse

from usage.models import UsageEvent

STATUS_BADGES = {
    UsageEvent.Status.SUCCESS: "",
    UsageEvent.Status.ERROR: "o",
    UsageEvent.Status.CANCELLED: "w",
}
"""How the badge of a status is drawn: plain, as a failure, as a warning."""


def event_url(organization_id: int, event_id: str) -> str:
    """The admin page of an event, named by its key; its number alone has no index."""
    return reverse("admin:usage_usageevent_change", args=(quote(f"{organization_id}:{event_id}"),))
