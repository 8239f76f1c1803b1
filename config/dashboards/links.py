"""Where a dashboard leads: a name to its own page, an amount to the events behind it."""

from collections.abc import Mapping
from datetime import date
from urllib.parse import urlencode

from django.contrib.admin.utils import quote, unquote
from django.urls import reverse

from config.dashboards.question import Question
from usage.formats import NOT_GIVEN

PAGES: Mapping[str, tuple[str, ...]] = {
    "organization": ("organization",),
    "project": ("organization", "project"),
    "subject": ("organization", "subject"),
    "session": ("organization", "session"),
    "run": ("organization", "run"),
    "model": ("provider", "model"),
}
"""What has a page of its own, and the dimensions that its address names."""

DIRECTORIES: Mapping[str, str] = {
    "organization": "organizations",
    "project": "projects",
    "subject": "people",
    "model": "models",
}
"""What has a directory of all its names, and what that is called in addresses."""


class NameConverter:
    """A name of any characters as one part of a path, in the admin's own quoting.

    A quoted name never ends in "_": one that does stands for what browsers would not keep, no
    name at all or dots alone.
    """

    regex = "[^/]+"

    def to_python(self, value: str) -> str:
        """The name. Raises ValueError, so that nothing is found, for one that nothing can have."""
        if "\0" in value:
            raise ValueError("names hold no NUL")
        return unquote(value.removesuffix("_"))

    def to_url(self, value: str) -> str:
        """The part of a path."""
        quoted = quote(value)
        return quoted if quoted.strip(".") else f"{quoted}_"


def page_url(question: Question, kind: str, group: Mapping[str, str | None]) -> str:
    """The page of what a row is about, "" where it has none or nobody may follow.

    `kind` is a key of PAGES and `group` the row's values. Range, filters, zone and currency go
    with it, so far as they are chosen and the page is not about them itself.
    """
    names = {**dict.fromkeys(PAGES[kind]), **group}
    path = page_path(kind, names) if question.linked else ""
    if not path:
        return ""
    inside = dict.fromkeys(names)
    return path + question.everywhere(**inside, group=None, step=None)


def directory_url(question: Question, kind: str) -> str:
    """The directory of all of `kind`, a key of DIRECTORIES, over the same view."""
    if not question.linked:
        return ""
    return reverse(f"admin:{DIRECTORIES[kind]}") + question.everywhere(group=None, step=None)


def page_path(kind: str, names: Mapping[str, str | None]) -> str:
    """The address of a page without its query, "" for usage that does not name one."""
    if not names.get(kind) or (kind != "model" and not names.get("organization")):
        return ""
    parts = [names[part] or "" for part in PAGES[kind]]
    return reverse(f"admin:{kind}_page", args=parts)


def events_url(question: Question, **changes: str) -> str:
    """The event list over the same days and filters, "" where nobody may follow.

    `changes` are further parameters.
    """
    if not question.linked:
        return ""
    return f"{reverse('admin:usage_usageevent_changelist')}?{urlencode(_parts(question) | changes)}"


def group_events_url(question: Question, group: Mapping[str, str | None], **changes: str) -> str:
    """The events of one row of a question grouped by the names of `group`."""
    filters = {name: value or NOT_GIVEN for name, value in group.items()}
    return events_url(question, **filters, **changes)


def day_parts(first: date, last: date) -> dict[str, str]:
    """The event list's parameters for days, both included."""
    return {"from": first.isoformat(), "through": last.isoformat()}


def _parts(question: Question) -> dict[str, str]:
    return {
        **day_parts(question.first, question.last),
        **question.filters,
        "tz": question.zone.key,
    }
