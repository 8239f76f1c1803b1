"""Which reports each provider has, and how they are asked for."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, cast

from django.conf import settings

from usage.bills import anthropic, openai, openrouter
from usage.bills.calling import Caller, Patience
from usage.bills.pages import Page, Shape
from usage.bills.values import BillFault, Reading
from usage.models import BillSource

MOST_DAYS = 31
"""Days that one request may ask for: what both providers send at most on a page."""
MOST_PAGES = 500
_ANTHROPIC_VERSION = "2023-06-01"

Parameters = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Report:
    """One report of a provider, and how a range of days, both included, is asked for."""

    shape: Shape
    path: str
    parameters: Callable[[date, date], Parameters]
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider's reports; `reach` is how many finished days back they go, None for all."""

    reports: tuple[Report, ...]
    headers: Callable[[str], dict[str, str]]
    reach: int | None = None

    def shapes(self) -> Iterator[Shape]:
        """The shapes of its reports."""
        return (report.shape for report in self.reports)


def read_reports(
    source: BillSource, key: str, days: tuple[date, date], patience: Patience
) -> list[Reading]:
    """What the provider says of the days from the first to the last, both included.

    At most MOST_DAYS of them. Each report covers them all, also those it has no lines of.
    Raises BillFault.
    """
    reports = PROVIDERS[BillSource.Kind(source.kind)].reports
    with caller_for(source, key, patience) as caller:
        return [_read(caller, report, *days) for report in reports]


def caller_for(source: BillSource, key: str, patience: Patience) -> Caller:
    """What asks the source's provider, with the key."""
    kind = BillSource.Kind(source.kind)
    base = cast("Mapping[str, str]", settings.TALLYMAN_BILL_URLS)[kind]
    return Caller(base, PROVIDERS[kind].headers(key), patience)


def _read(caller: Caller, report: Report, first: date, last: date) -> Reading:
    reading = report.shape.read(_pages(caller, report, first, last)).within(first, last)
    reading.days = {first + timedelta(days=n) for n in range((last - first).days + 1)}
    return reading


def _pages(caller: Caller, report: Report, first: date, last: date) -> Iterator[Page[Any]]:
    asked = report.parameters(first, last) + [("group_by[]", name) for name in report.groups]
    seen: set[str | None] = {None}
    token: str | None = None
    for _ in range(MOST_PAGES):
        body = caller.get(report.path, [*asked, *([("page", token)] if token else [])])
        page = report.shape.decode(body)
        yield page
        if not page.has_more:
            return
        token = page.next_page
        if token in seen:
            raise BillFault("The provider tells of more pages, but not how to get the next one.")
        seen.add(token)
    raise BillFault(f"The report has more than {MOST_PAGES} pages.")


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=UTC)


def _by_instant(first: date, last: date) -> Parameters:
    end = last + timedelta(days=1)
    return [
        ("starting_at", f"{first:%Y-%m-%d}T00:00:00Z"),
        ("ending_at", f"{end:%Y-%m-%d}T00:00:00Z"),
        *_daily(),
    ]


def _by_second(first: date, last: date) -> Parameters:
    end = last + timedelta(days=1)
    return [
        ("start_time", str(int(_midnight(first).timestamp()))),
        ("end_time", str(int(_midnight(end).timestamp()))),
        *_daily(),
    ]


def _daily() -> Sequence[tuple[str, str]]:
    return ("bucket_width", "1d"), ("limit", str(MOST_DAYS))


def _nothing(_first: date, _last: date) -> Parameters:
    return []


def _bearer(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


def _anthropic_headers(key: str) -> dict[str, str]:
    return {"x-api-key": key, "anthropic-version": _ANTHROPIC_VERSION}


_OPENAI = "/v1/organization"
PROVIDERS = {
    BillSource.Kind.ANTHROPIC: Provider(
        (
            Report(
                anthropic.USAGE,
                "/v1/organizations/usage_report/messages",
                _by_instant,
                ("workspace_id", "model", "service_tier"),
            ),
            Report(
                anthropic.COST,
                "/v1/organizations/cost_report",
                _by_instant,
                ("workspace_id", "description"),
            ),
        ),
        _anthropic_headers,
    ),
    BillSource.Kind.OPENAI: Provider(
        (
            Report(
                openai.USAGE,
                f"{_OPENAI}/usage/completions",
                _by_second,
                ("project_id", "model", "batch", "service_tier"),
            ),
            Report(
                openai.EMBEDDINGS,
                f"{_OPENAI}/usage/embeddings",
                _by_second,
                ("project_id", "model"),
            ),
            Report(openai.COST, f"{_OPENAI}/costs", _by_second, ("project_id", "line_item")),
        ),
        _bearer,
    ),
    BillSource.Kind.OPENROUTER: Provider(
        (Report(openrouter.ACTIVITY, "/api/v1/activity", _nothing),), _bearer, reach=30
    ),
}
