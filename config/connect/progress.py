"""Whether anything has come with a key yet."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from usage.formats import money, quantity
from usage.links import event_url
from usage.models import APIKey, UsageEvent
from usage.selectors.currency import ledger_currency

WAITING, QUIET, RECEIVED = "waiting", "quiet", "received"
_DAY = timedelta(days=1)
_COST_PLACES = 4


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a key has got: `state`, as words, with the page of the event, "" without one."""

    state: str
    title: str
    detail: str = ""
    url: str = ""


def read_progress(key: APIKey, now: datetime) -> Progress:
    """How far a key of an organization has got by `now`, by calls of about the last day.

    To find older ones would mean to look at every event that the organization has.
    """
    zone = ZoneInfo(key.organization.time_zone) if key.organization else now.tzinfo
    if key.last_used_at is None:
        return Progress(WAITING, "Waiting for the first event…")
    event = (
        UsageEvent.objects.filter(
            organization=key.organization_id,
            api_key=key,
            occurred_at__gte=max(key.created, now - _DAY) - _DAY,
            occurred_at__lt=now + _DAY,
        )
        .select_related("kind")
        .order_by("occurred_at", "id")
        .first()
    )
    if event is None:
        return Progress(
            QUIET,
            "A request came, but no new call",
            f"At {_moment(key.last_used_at.astimezone(zone))} a request came with this key. It was"
            " refused, or held no AI calls but ones of earlier days or known already.",
        )
    cost = money(event.cost, ledger_currency(), _COST_PLACES)
    words = (event.kind.model, f"{quantity(event.total_tokens)} tokens", cost)
    detail = " · ".join((*words, _moment(event.occurred_at.astimezone(zone))))
    url = event_url(event.organization_id, event.event_id)
    return Progress(RECEIVED, "First event received", detail, url)


def _moment(instant: datetime) -> str:
    return f"{instant:%-d %b %H:%M:%S %Z}"
