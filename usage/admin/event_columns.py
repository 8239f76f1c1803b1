"""What the event list shows of a call, column by column."""

from collections.abc import Callable

from django.conf import settings
from django.contrib import admin
from django.utils.functional import lazy
from django.utils.html import format_html
from django.utils.safestring import SafeString

from usage.admin.page_links import model_link, page_link
from usage.formats import UNKNOWN, UNPRICED, money, quantity, short
from usage.links import STATUS_BADGES
from usage.models import UsageEvent

COLUMNS = (
    "occurred", "organization", "provider", "model_page", "project_page", "subject_page",
    "input_count", "output_count", "all_tokens", "shown_cost", "outcome", "session", "run",
)  # fmt: skip


def _cost() -> str:
    return f"cost ({settings.TALLYMAN_CURRENCY})"


_cost_label: Callable[[], str] = lazy(_cost, str)


class EventColumns:
    """Mixed into the admin of events."""

    @admin.display(description="timestamp (UTC)")
    def occurred(self, event: UsageEvent) -> str:
        """When, to the second."""
        return f"{event.occurred_at:%Y-%m-%d %H:%M:%S}"

    @admin.display(description="provider")
    def provider(self, event: UsageEvent) -> str:
        """Who was called."""
        return event.kind.provider or UNKNOWN

    @admin.display(description="model")
    def model_page(self, event: UsageEvent) -> SafeString:
        """The model asked for, with a link to its page."""
        return model_link(event.kind.provider, event.kind.model)

    @admin.display(description="project")
    def project_page(self, event: UsageEvent) -> str:
        """The project, with a link to its page."""
        slug = event.project.slug if event.project else None
        return page_link("project", event.organization, slug)

    @admin.display(description="person")
    def subject_page(self, event: UsageEvent) -> str:
        """The person or service, with a link to its page."""
        key = event.subject.key if event.subject else None
        return page_link("subject", event.organization, key, str(event.subject or ""))

    @admin.display(description="session")
    def session(self, event: UsageEvent) -> str:
        """The session, with a link to its page."""
        return page_link("session", event.organization, event.session_id, short(event.session_id))

    @admin.display(description="run")
    def run(self, event: UsageEvent) -> str:
        """The run, with a link to its page."""
        return page_link("run", event.organization, event.run_id, short(event.run_id))

    @admin.display(description="session")
    def session_page(self, event: UsageEvent) -> str:
        """The whole id of the session, with a link to its page."""
        return page_link("session", event.organization, event.session_id)

    @admin.display(description="run")
    def run_page(self, event: UsageEvent) -> str:
        """The whole id of the run, with a link to its page."""
        return page_link("run", event.organization, event.run_id)

    @admin.display(description="prompt tokens")
    def input_count(self, event: UsageEvent) -> str:
        """Input tokens."""
        return quantity(event.input_tokens)

    @admin.display(description="completion tokens")
    def output_count(self, event: UsageEvent) -> str:
        """Output tokens."""
        return quantity(event.output_tokens)

    @admin.display(description="total tokens")
    def all_tokens(self, event: UsageEvent) -> str:
        """Input plus output."""
        return quantity(event.total_tokens)

    @admin.display(description=_cost_label())
    def shown_cost(self, event: UsageEvent) -> str:
        """The cost as far as it matters in a list."""
        if event.cost is None:
            return format_html('<span class="tm-badge w">{}</span>', UNPRICED)
        return money(event.cost, settings.TALLYMAN_CURRENCY, 6)

    @admin.display(description="status")
    def outcome(self, event: UsageEvent) -> SafeString:
        """Success, error or cancelled, and whether the event still counts."""
        status = event.get_status_display()
        if event.state != UsageEvent.State.COUNTED:
            status = f"{status}, {event.get_state_display()}"
        kind = STATUS_BADGES[UsageEvent.Status(event.status)]
        return format_html(
            '<span class="{}">{}</span>', f"tm-badge {kind}" if kind else "tm-quiet", status
        )
