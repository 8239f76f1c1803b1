"""Tables of single calls on the pages of people, sessions and runs."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache, partial
from typing import Any

from config.dashboards.links import PAGES, page_url
from config.dashboards.question import Question
from usage.formats import short
from usage.links import STATUS_BADGES, event_url
from usage.models import UsageEvent
from usage.selectors.events import StoredEvent


@dataclass(frozen=True, slots=True)
class Link:
    """A word as a table shows it, whole to a pointer, and where it leads ("": nowhere)."""

    text: str
    url: str
    whole: str


@dataclass(frozen=True, slots=True)
class Call:
    """A call. `at` is an instant of the page's zone and `instant` the same in RFC 3339, UTC.

    `cost` is in the ledger currency, None while nobody knows it. `url` is the event's own page.
    `episode` is its session, else its run.
    """

    at: datetime
    instant: str
    url: str
    model: Link
    project: Link
    episode: Link
    input_tokens: int
    output_tokens: int
    duration_ms: int | None
    cost: Decimal | None
    status: str
    badge: str


def read_calls(
    question: Question, events: Iterable[StoredEvent], organization_id: int
) -> list[Call]:
    """The events of one organization as rows, in their order."""
    # Hundreds of calls lead to a few pages.
    linked = cache(partial(_linked, question))
    return [_call(question, event, organization_id, linked) for event in events]


def _linked(question: Question, kind: str, *names: str | None) -> Link:
    return link_to(question, kind, dict(zip(PAGES[kind], names, strict=True)))


def _call(
    question: Question, event: StoredEvent, organization_id: int, linked: Callable[..., Link]
) -> Call:
    at: datetime = event["occurred_at"]
    status = UsageEvent.Status(event["status"])
    kind = "session" if event["session_id"] else "run"
    named = {**event, "session": event["session_id"], "run": event["run_id"]}
    model, project, episode = (
        linked(each, *(named[part] for part in PAGES[each])) for each in ("model", "project", kind)
    )
    return Call(
        at=at.astimezone(question.zone),
        instant=at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        url=event_url(organization_id, event["event_id"]) if question.linked else "",
        model=model,
        project=project,
        episode=episode,
        input_tokens=event["input_tokens"],
        output_tokens=event["output_tokens"],
        duration_ms=event["duration_ms"],
        cost=event["cost"],
        status=status.label,
        badge=STATUS_BADGES[status],
    )


def link_to(question: Question, kind: str, named: Mapping[str, Any]) -> Link:
    """What `named` calls its `kind`, with the page of it; empty where it names none."""
    name = named[kind] or ""
    if not name:
        return Link("", "", "")
    url = page_url(question, kind, {part: named[part] for part in PAGES[kind]})
    return Link(short(name) if kind in ("session", "run") else name, url, name)
