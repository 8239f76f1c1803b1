"""Sums of usage and whole sessions and runs, as the roll up made them; read-only."""

from collections.abc import Callable
from typing import Any, TypeVar

from django.conf import settings
from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.defaultfilters import pluralize
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString

from usage.admin.figures import count_field
from usage.admin.filters import Columns, UsageFilter
from usage.admin.paging import MergedPaginator
from usage.admin.scope import ReadOnlyAdmin, reach_of
from usage.formats import UNPRICED, compact, duration, money, quantity
from usage.models import (
    DailyRollup,
    MonthlyRollup,
    Organization,
    RunRollup,
    SessionRollup,
    UsageRollup,
)
from usage.models.rollups import Sums

AnySums = TypeVar("AnySums", bound=Sums)
AnyPeriod = TypeVar("AnyPeriod", UsageRollup, DailyRollup, MonthlyRollup)
AnyEpisode = TypeVar("AnyEpisode", SessionRollup, RunRollup)
_ABOUT_FIELDS = [
    "organization", "project", "subject", "main_kind", "started_at", "ended_at", "length",
]  # fmt: skip
_SHOWN = ["requests", "failed", "tokens", "spend"]


def _amount(name: str, label: str) -> Callable[[Sums], str]:
    """A field of a row's page: an amount with all its decimals, unpriced where none is known."""

    @admin.display(description=label)
    def shown(row: Sums) -> str:
        if row.unpriced_events == row.events:
            return UNPRICED
        return f"{getattr(row, name):f} {settings.TALLYMAN_CURRENCY}"

    return shown


@admin.display(description="time in calls")
def _busy(row: Sums) -> str:
    return duration(row.duration_ms)


_SUMS: list[Any] = [
    tuple(count_field(name) for name in ("events", "errors", "unpriced_events")),
    tuple(count_field(name) for name in ("input_tokens", "output_tokens", "reasoning_tokens")),
    tuple(
        count_field(name)
        for name in ("cache_read_tokens", "cache_write_tokens", "cache_write_1h_tokens")
    ),
    (_amount("cost", "spend"), _amount("input_cost", "of it input")),
    (_amount("output_cost", "of it output"), _amount("cache_cost", "of the input caching")),
    _busy,
]


class NewestFirst(ChangeList):
    """A list in the order of its admin, whatever its address asks for: pages are merged in it."""

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[Any]:
        """The admin's."""
        return list(self.model_admin.get_ordering(request))


class SumsAdmin(ReadOnlyAdmin[AnySums]):
    """Lists of sums, newest first."""

    paginator = MergedPaginator
    list_max_show_all = 0
    sortable_by = ()

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """A list that is newest first."""
        return NewestFirst

    def get_queryset(self, request: HttpRequest) -> QuerySet[AnySums]:
        """Rows by organization even for those who see all: the indexes begin with it."""
        rows = super().get_queryset(request)
        if reach_of(request).viewer.organization_ids is not None:
            return rows
        return rows.filter(
            organization_id__in=list(Organization.objects.values_list("pk", flat=True))
        )

    @admin.display(description="requests")
    def requests(self, row: AnySums) -> str:
        """How many events."""
        return quantity(row.events)

    @admin.display(description="errors")
    def failed(self, row: AnySums) -> str:
        """How many of them failed."""
        return quantity(row.errors)

    @admin.display(description="tokens")
    def tokens(self, row: AnySums) -> str:
        """Input plus output tokens."""
        return compact(row.total_tokens)

    @admin.display(description="spend")
    def spend(self, row: AnySums) -> str:
        """The cost, marked where unpriced events are missing from it."""
        if row.unpriced_events == row.events:
            return money(None, settings.TALLYMAN_CURRENCY)
        shown = money(row.cost, settings.TALLYMAN_CURRENCY, 4)
        return (
            f"{shown} + {quantity(row.unpriced_events)} unpriced" if row.unpriced_events else shown
        )


class PeriodAdmin(SumsAdmin[AnyPeriod]):
    """Sums of one period, split by every dimension."""

    list_select_related = ["organization", "project", "team", "subject", "kind"]
    split = ["organization", "project", "team", "subject", "kind"]

    def get_fieldsets(self, request: HttpRequest, obj: AnyPeriod | None = None) -> Any:
        """When, of what, and the sums."""
        return [
            (None, {"fields": [self.list_display[0], *self.split, "api_key"]}),
            ("Sums", {"fields": _SUMS}),
        ]


class BucketFilter(UsageFilter):
    """The filter form for 15-minute sums."""

    columns = Columns(time="bucket", session="session_id", run="run_id")
    default_days = 1


class DayFilter(UsageFilter):
    """The filter form for days."""

    columns = Columns(time="day", calendar=True)


class MonthFilter(UsageFilter):
    """The filter form for months."""

    columns = Columns(time="month", calendar=True)
    default_days = 366
    presets = ((92, "3 months"), (184, "6 months"), (366, "1 year"), (1096, "3 years"))

    def in_bounds(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """The months that any of the days lies in."""
        return rows.filter(month__gte=self.first.replace(day=1), month__lte=self.last)


@admin.register(UsageRollup)
class UsageRollupAdmin(PeriodAdmin[UsageRollup]):
    """15-minute sums in UTC."""

    list_display = ["bucket", *PeriodAdmin.split, *_SHOWN]
    list_filter = [BucketFilter]
    split = [*PeriodAdmin.split, "session_id", "run_id"]
    ordering = ["-bucket", "-id"]


@admin.register(DailyRollup)
class DailyRollupAdmin(PeriodAdmin[DailyRollup]):
    """Sums of days in each organization's time zone."""

    list_display = ["day", *PeriodAdmin.split, *_SHOWN]
    list_filter = [DayFilter]
    ordering = ["-day", "-id"]


@admin.register(MonthlyRollup)
class MonthlyRollupAdmin(PeriodAdmin[MonthlyRollup]):
    """Sums of months in each organization's time zone."""

    list_display = ["month", *PeriodAdmin.split, *_SHOWN]
    list_filter = [MonthFilter]
    ordering = ["-month", "-id"]


class EpisodeAdmin(SumsAdmin[AnyEpisode]):
    """Whole sessions or runs, with a link to their events."""

    list_select_related = ["organization", "project", "subject", "main_kind"]
    name = ""

    def get_fieldsets(self, request: HttpRequest, obj: AnyEpisode | None = None) -> Any:
        """What, when and by whom, and the sums."""
        trigger: list[str] = ["run_trigger"] if self.name == "run" else []
        return [
            (None, {"fields": [f"{self.name}_id", *_ABOUT_FIELDS, *trigger, "its_events"]}),
            ("Sums", {"fields": _SUMS}),
        ]

    @admin.display(description="started (UTC)")
    def began(self, row: AnyEpisode) -> str:
        """When the first call was made."""
        return f"{row.started_at:%Y-%m-%d %H:%M}"

    @admin.display(description="length")
    def length(self, row: AnyEpisode) -> str:
        """From the first call to the last."""
        return duration(int((row.ended_at - row.started_at).total_seconds() * 1000))

    @admin.display(description="events")
    def its_events(self, row: AnyEpisode) -> SafeString:
        """A link to the list of its events."""
        asked = {
            "organization": getattr(row.organization, "slug", ""),
            self.name: getattr(row, f"{self.name}_id"),
            "from": f"{row.started_at:%Y-%m-%d}",
            "through": f"{row.ended_at:%Y-%m-%d}",
            "tz": "UTC",
        }
        url = f"{reverse('admin:usage_usageevent_changelist')}?{urlencode(asked)}"
        events = f"{quantity(row.events)} event{pluralize(row.events)}"
        return format_html('<a href="{}">{}</a>', url, events)


class SessionFilter(UsageFilter):
    """The filter form for sessions, by when they started."""

    columns = Columns(
        time="started_at", kind="main_kind_id", team="", api_key="", session="session_id"
    )


class RunFilter(UsageFilter):
    """The filter form for runs, by when they started."""

    columns = Columns(time="started_at", kind="main_kind_id", team="", api_key="", run="run_id")


_EPISODE_SUMS = ["requests", "tokens", "spend"]
_ABOUT = ["organization", "project", "subject", "main_kind", "length"]


@admin.register(SessionRollup)
class SessionRollupAdmin(EpisodeAdmin[SessionRollup]):
    """Conversations."""

    name = "session"
    list_display = ["session_id", "began", *_ABOUT, *_EPISODE_SUMS]
    list_filter = [SessionFilter]
    ordering = ["-started_at", "-id"]


@admin.register(RunRollup)
class RunRollupAdmin(EpisodeAdmin[RunRollup]):
    """Pipeline runs."""

    name = "run"
    list_display = ["run_id", "began", "run_trigger", *_ABOUT, *_EPISODE_SUMS]
    list_filter = [RunFilter]
    ordering = ["-started_at", "-id"]
