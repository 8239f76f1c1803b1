"""Where a dashboard leads: the events behind a figure."""

from datetime import date
from urllib.parse import urlencode

from django.urls import reverse

from config.dashboards.question import Question


def events_url(question: Question, **changes: str) -> str:
    """The event list over the same days and filters; `changes` are further parameters."""
    return f"{reverse('admin:usage_usageevent_changelist')}?{urlencode(_parts(question) | changes)}"


def day_parts(first: date, last: date) -> dict[str, str]:
    """The event list's parameters for days, both included."""
    return {"from": first.isoformat(), "through": last.isoformat()}


def _parts(question: Question) -> dict[str, str]:
    return {
        **day_parts(question.first, question.last),
        **question.filters,
        "tz": question.zone.key,
    }
