"""Notices: what channels were to be told, every try to deliver it, and sending it again."""

from collections.abc import Sequence
from typing import Any

from csp.constants import NONE, UNSAFE_INLINE
from csp.decorators import csp
from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.loader import render_to_string
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.safestring import SafeString
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_POST

from budgets.admin.row_filters import ChannelFilter
from budgets.admin.site_rows import SiteRowsAdmin
from budgets.links import notice_url
from budgets.models import Delivery, Notice
from budgets.notices.figures import days_text
from budgets.notices.message import Message
from budgets.notices.quiet import zone_of
from budgets.notices.rendering.html import as_html
from budgets.notices.rendering.text import as_text
from budgets.notices.resending import resend
from budgets.selectors.alert_facts import titles_of
from budgets.selectors.bell import ALERT_PARTS
from budgets.selectors.notices import seen_notices
from budgets.spans import Span
from pricing.admin.row_pages import OwnPage
from usage.admin.paging import BoundedPaginator
from usage.admin.scope import ReadOnlyAdmin, reach_of
from usage.formats import UNKNOWN, length

_ALERTS = [f"alert__{name}" for name in ALERT_PARTS]
_FAULT = "last_fault"
_ABOUT = "read_about"


class NoticeChangeList(ChangeList):
    """Reads what the messages of a page are about at once, with whose share of a budget it is."""

    def get_results(self, request: HttpRequest) -> None:
        """The rows of the page, each with what it is about."""
        super().get_results(request)
        rows = list(self.result_list)
        for notice, about in zip(rows, _abouts(rows), strict=True):
            vars(notice)[_ABOUT] = about
        self.result_list = rows


@admin.register(Notice)
class NoticeAdmin(OwnPage[Notice], SiteRowsAdmin[Notice], ReadOnlyAdmin[Notice]):
    """Messages to visible channels or about visible alerts, the latest first."""

    list_display = ["made", "what", "shown_channel", "about", "state_badge", "tries", "next_try",
                    "fault"]  # fmt: skip
    list_display_links = ["made"]
    list_filter = ["state", "kind", ChannelFilter]
    search_fields = ["channel__name", "alert__key", "alert__budget__name"]
    page_template = "admin/budgets/notice/page.html"
    paginator = BoundedPaginator
    list_max_show_all = 0
    sortable_by = ()
    ordering = ["-created_at", "id"]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """A list that reads what its messages are about."""
        return NoticeChangeList

    def get_queryset(self, request: HttpRequest) -> QuerySet[Notice]:
        """What the user may see, with why the last try failed."""
        tries = Delivery.objects.filter(notice=OuterRef("pk")).exclude(outcome="sent")
        rows = seen_notices(reach_of(request).viewer).select_related(
            "channel__organization", "alert", *_ALERTS
        )
        fault = Subquery(tries.order_by("-started_at", "-pk").values("detail")[:1])
        return rows.annotate(**{_FAULT: fault}).order_by(*self.ordering)

    def has_view_permission(self, request: HttpRequest, obj: Notice | None = None) -> bool:
        """Whether the user may see it."""
        if obj is None:
            return reach_of(request).sees_something
        return seen_notices(reach_of(request).viewer).filter(pk=obj.pk).exists()

    def get_urls(self) -> list[URLPattern]:
        """The ways to send one again and to see it as e-mail, besides the stock pages."""
        views = (("resend", self.resend), ("html", self.as_e_mail))
        own = [
            path(
                f"<uuid:pk>/{name}/",
                self.admin_site.admin_view(view),
                name=f"budgets_notice_{name}",
            )
            for name, view in views
        ]
        return [*own, *super().get_urls()]

    def page_of(self, request: HttpRequest, notice: Notice) -> dict[str, Any]:
        """What it says, and every try to deliver it."""
        return {
            "title": str(notice),
            "notice": notice,
            "about": _abouts([notice])[0],
            "next_try": self.next_try(notice),
            "deliveries": notice.deliveries.all(),
            "preview": as_text(Message.from_content(notice.content)) if notice.content else "",
            "may_resend": self._may_resend(request, notice),
        }

    @method_decorator(csrf_protect)
    @method_decorator(require_POST)
    def resend(self, request: HttpRequest, pk: str) -> HttpResponse:
        """Have it sent again, under the same id."""
        notice = get_object_or_404(self.get_queryset(request), pk=pk)
        if not self._may_resend(request, notice):
            raise PermissionDenied
        resend(notice, timezone.now())
        messages.success(request, "It is sent again within a few seconds, under the same id.")
        return HttpResponseRedirect(notice_url(notice))

    # E-mail brings its styles with it; nothing else of it is trusted.
    @method_decorator(csp({"default-src": [NONE], "style-src": [UNSAFE_INLINE]}))
    def as_e_mail(self, request: HttpRequest, pk: str) -> HttpResponse:
        """The message as e-mail shows it, alone on a page."""
        notice = get_object_or_404(self.get_queryset(request), pk=pk)
        return HttpResponse(as_html(Message.from_content(notice.content)))

    def _may_resend(self, request: HttpRequest, notice: Notice) -> bool:
        is_over = notice.state != Notice.State.WAITING
        return is_over and self.may_change(request, notice.channel.organization_id)

    @admin.display(description="made (UTC)")
    def made(self, notice: Notice) -> str:
        """When it was put into the outbox."""
        return f"{notice.created_at:%Y-%m-%d %H:%M:%S}"

    @admin.display(description="kind")
    def what(self, notice: Notice) -> str:
        """Whether it tells an alert, repeats it, or is something else."""
        turn = f" {notice.turn}" if notice.turn else ""
        return f"{notice.get_kind_display().lower()}{turn}"

    @admin.display(description="channel")
    def shown_channel(self, notice: Notice) -> str:
        """Whom it is for."""
        owner = notice.channel.organization
        return f"{owner.slug} / {notice.channel}" if owner else str(notice.channel)

    @admin.display(description="about")
    def about(self, notice: Notice) -> str:
        """The alert, or the days of a digest."""
        return str(vars(notice)[_ABOUT])

    @admin.display(description="state")
    def state_badge(self, notice: Notice) -> SafeString:
        """Waiting, sent, given up, or not sent."""
        return render_to_string("admin/budgets/notice/state.html", {"state": notice.state,
                                "word": notice.get_state_display().lower()})  # fmt: skip

    @admin.display(description="tries")
    def tries(self, notice: Notice) -> int:
        """How often it was tried."""
        return notice.attempts

    @admin.display(description="next try")
    def next_try(self, notice: Notice) -> str:
        """In how long it is tried next; nothing once that is over."""
        if notice.state != Notice.State.WAITING:
            return UNKNOWN
        left = notice.due_at - timezone.now()
        return f"in {length(left)}" if left.total_seconds() > 0 else "due"

    @admin.display(description="last fault")
    def fault(self, notice: Notice) -> str:
        """Why the last try that failed did."""
        return getattr(notice, _FAULT) or UNKNOWN


def _abouts(notices: Sequence[Notice]) -> list[str]:
    alerts = [notice.alert for notice in notices if notice.alert is not None]
    titles = iter(titles_of(alerts))
    return [next(titles) if notice.alert is not None else _span(notice) for notice in notices]


def _span(notice: Notice) -> str:
    if notice.since and notice.until:
        return days_text(Span(notice.since, notice.until), zone_of(notice.channel))
    return "whether the channel works"
