"""The event list, bounded by date so that it stays fast on any number of rows, and an event."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.core.paginator import InvalidPage
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString

from pricing.admin.row_pages import FilledPage
from usage.admin.event_columns import COLUMNS, EventColumns
from usage.admin.export_form import filters_of
from usage.admin.figures import count_field
from usage.admin.filters import EPISODES, IDENTITIES, WORDS, Columns, UsageFilter
from usage.admin.paging import CostedPaginator
from usage.admin.rerate_action import RerateAction
from usage.admin.scope import ReadOnlyAdmin, reach_of
from usage.formats import NOT_GIVEN, UNKNOWN, UNPRICED, duration
from usage.links import event_url
from usage.models import UsageEvent
from usage.selectors.event_pages import FoundEvents, event_by_key, near_episode
from usage.selectors.events import EventQuery
from usage.selectors.quotes import Basis, explain_event


def _word(name: str, label: str) -> Callable[[UsageEvent], str]:
    """A field that shows a word of the event's kind of call."""

    @admin.display(description=label)
    def shown(event: UsageEvent) -> str:
        return getattr(event.kind, name) or UNKNOWN

    return shown


def _exact(name: str, label: str) -> Callable[[UsageEvent], str]:
    """A field that shows an amount with all its ten decimals."""

    @admin.display(description=label)
    def shown(event: UsageEvent) -> str:
        amount = getattr(event, name)
        return UNPRICED if amount is None else f"{amount:f} {settings.TALLYMAN_CURRENCY}"

    return shown


_WHAT: list[Any] = [
    (
        _word("provider", "provider"),
        _word("model", "model asked for"),
        _word("response_model", "model that answered"),
    ),
    (_word("operation", "operation"), _word("action", "action"), _word("agent_type", "agent type")),
    ("session_page", "run_page", _word("run_trigger", "run trigger")),
    (_word("service_tier", "service tier"), "billing_scope", "free_tier"),
    "length",
]
_QUANTITIES: list[Any] = [
    (count_field("input_tokens"), count_field("cache_read_tokens")),
    (count_field("cache_write_tokens"), count_field("cache_write_1h_tokens")),
    (count_field("output_tokens"), count_field("reasoning_tokens")),
    ("all_tokens", "is_estimated"),
    "meters",
]
_BASES = {
    Basis.PRICE: "the price in force",
    Basis.REPORTED_COST: "the reported cost, which counts for this provider",
    Basis.FREE_TIER: "the free tier",
}
_WHO: list[Any] = [
    ("organization", "project_page"),
    ("team", "subject_page"),
    "api_key",
    "tags",
]
_MONEY: list[Any] = [
    _exact("cost", "cost"),
    _exact("input_cost", "of it input"),
    _exact("cache_cost", "of the input caching"),
    _exact("output_cost", "of it output"),
    ("reported", "exchange_rate"),
    "basis",
]


class EventFilter(UsageFilter):
    """The filter form for events."""

    columns = Columns(
        time="occurred_at", session="session_id", run="run_id", status="status", cost="cost"
    )

    @property
    def csv_url(self) -> str:
        """Where the interface gives all that the list holds, as a file."""
        organization = self.values.get("organization")
        asked = {
            "format": "csv",
            "from": self.first.isoformat(),
            "to": (self.last + timedelta(days=1)).isoformat(),
            "timezone": self.zone.key,
            **({"organization": organization} if organization else {}),
            **filters_of(self.used_parameters),
        }
        return f"{reverse('events')}?{urlencode(asked)}"

    @property
    def found(self) -> FoundEvents:
        """What the list shows."""
        start, end = self.bounds
        if self.form.errors or start >= end:
            return FoundEvents(None)
        named = ("organization", *IDENTITIES, *WORDS, *EPISODES)
        chosen = {name: self.values[name] for name in named if self.values.get(name)}
        facts = {"status": self.values["status"], "unpriced": self.values["unpriced"] and "true"}
        return FoundEvents(
            EventQuery(
                viewer=self.viewer,
                start=start,
                end=end,
                filters={name: ["" if it == NOT_GIVEN else it] for name, it in chosen.items()},
                facts={name: [fact] for name, fact in facts.items() if fact},
            )
        )

    def of_episode(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """The events of one session or run, looked for where its sums say that it was."""
        found = super().of_episode(rows, name, value)
        return found if value == NOT_GIVEN else near_episode(found, self.viewer, name, value)


class EventChangeList(ChangeList):
    """Finds rows by sums, and links them by their key."""

    def get_results(self, request: HttpRequest) -> None:
        """The page of events, and how many there are."""
        found: Any
        (found,) = (spec.found for spec in self.filter_specs if isinstance(spec, EventFilter))
        pages = self.model_admin.get_paginator(request, found, self.list_per_page)
        self.paginator, self.result_count = pages, pages.count
        self.multi_page = self.result_count > self.list_per_page
        self.can_show_all = self.show_full_result_count = False
        self.full_result_count, self.show_admin_actions = None, True
        try:
            self.result_list = pages.page(self.page_num if self.multi_page else 1).object_list
        except InvalidPage as error:
            raise IncorrectLookupParameters from error

    def url_for_result(self, result: Model) -> str:
        """The page of an event."""
        if not isinstance(result, UsageEvent):
            return super().url_for_result(result)
        return event_url(result.organization_id, result.event_id)


@admin.register(UsageEvent)
class UsageEventAdmin(
    RerateAction, EventColumns, FilledPage[UsageEvent], ReadOnlyAdmin[UsageEvent]
):
    """Stored events, newest first."""

    change_form_template = "tallyman/event.html"
    change_list_template = "usage/event_list.html"
    list_display = COLUMNS
    list_display_links = ["occurred"]
    list_filter = [EventFilter]
    paginator = CostedPaginator
    list_max_show_all = 0
    sortable_by = ()
    ordering = ["-occurred_at", "-id"]
    fieldsets = [
        (None, {"fields": ["event_id", ("occurred", "received"), "outcome", "correction"]}),
        ("Who", {"fields": _WHO}),
        ("What", {"fields": _WHAT}),
        ("Quantities", {"fields": _QUANTITIES}),
        ("Money", {"fields": _MONEY}),
    ]

    def get_list_display(self, request: HttpRequest) -> Any:
        """The columns; who sees a single organization needs none for it."""
        ids = reach_of(request).viewer.organization_ids
        single = ids is not None and len(ids) < 2
        return [name for name in COLUMNS if not (single and name == "organization")]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """A list that links by key."""
        return EventChangeList

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> UsageEvent | None:
        """The event called "organization id:event id", if its organization is visible."""
        owner, _, event_id = object_id.partition(":")
        if not (owner.isascii() and owner.isdigit() and len(owner) < 10) or "\0" in event_id:
            return None
        if not reach_of(request).viewer.may_see(int(owner)):
            return None
        return event_by_key(int(owner), event_id)

    def page_of(self, request: HttpRequest, event: UsageEvent) -> dict[str, Any]:
        """The charges that its cost is made of."""
        ledger = settings.TALLYMAN_CURRENCY
        explanation = explain_event(event, ledger)
        rate = explanation.exchange_rate
        return {
            "explanation": explanation,
            "ledger": ledger,
            "rate": f"{rate.normalize():f}" if rate else "",
        }

    @admin.display(description="received (UTC)")
    def received(self, event: UsageEvent) -> str:
        """When it arrived, to the second."""
        return f"{event.received_at:%Y-%m-%d %H:%M:%S}"

    @admin.display(description="duration")
    def length(self, event: UsageEvent) -> str:
        """How long the call took."""
        return duration(event.duration_ms)

    @admin.display(description="estimated")
    def is_estimated(self, event: UsageEvent) -> str:
        """Whether the quantities were estimated, because the call reported none."""
        return "yes" if event.estimated else "no"

    @admin.display(description="correction")
    def correction(self, event: UsageEvent) -> SafeString | str:
        """Links to the event this one replaces and to the one that replaced it."""
        parts = [
            format_html('{} <a href="{}">{}</a>', label, url, other)
            for label, other in (
                ("corrects", event.corrects),
                ("superseded by", event.superseded_by),
            )
            if other
            for url in (event_url(event.organization_id, other),)
        ]
        return format_html("{}" + ", {}" * (len(parts) - 1), *parts) if parts else UNKNOWN

    @admin.display(description="reported by the caller")
    def reported(self, event: UsageEvent) -> str:
        """The caller's own figure."""
        if event.reported_cost is None:
            return UNKNOWN
        return f"{event.reported_cost:f} {event.reported_currency or ''}".strip()

    @admin.display(description="cost rests on")
    def basis(self, event: UsageEvent) -> str:
        """A price, the reported cost, or what else."""
        if event.state == UsageEvent.State.ADJUSTMENT:
            return "the differences that re-rating made in a closed month"
        explanation = explain_event(event, settings.TALLYMAN_CURRENCY)
        return _BASES[explanation.basis] if explanation.basis else UNKNOWN

    @admin.display(description="billing")
    def billing_scope(self, event: UsageEvent) -> str:
        """Who pays the provider."""
        return event.kind.get_billing_scope_display()

    @admin.display(description="free tier")
    def free_tier(self, event: UsageEvent) -> str:
        """Whether the provider charges nothing."""
        return "yes" if event.kind.free_tier else "no"
