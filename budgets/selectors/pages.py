"""Pages of budgets, reservations, decisions, alerts and channels, as far as a viewer may see
them."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from django.db.models import F, Prefetch, QuerySet

from budgets.models import (
    Alert,
    Budget,
    BudgetWindow,
    Channel,
    Decision,
    Notice,
    Reservation,
)
from budgets.models.budgets import RELATIONS
from budgets.selectors.alerts import seen_alerts
from budgets.selectors.channels import seen_channels
from budgets.selectors.order import SCOPE_TYPE
from usage.selectors.access import Viewer
from usage.selectors.cursors import fingerprint
from usage.selectors.overview import visible
from usage.selectors.pages import OrderKey, Page, read_money, read_page, read_pk, read_time

_MOST = 2**31

Filters = Mapping[str, object]


def find_budget(viewer: Viewer, pk: str) -> Budget | None:
    """The budget with this id, switched off ones too, that a viewer may see."""
    number = _number(pk)
    if number is None:
        return None
    rows = visible(Budget.objects.filter(pk=number), viewer)
    return rows.select_related(*RELATIONS).prefetch_related("thresholds").first()


def list_budgets(viewer: Viewer, filters: Filters, limit: int, cursor: str) -> Page[Budget]:
    """Budgets by priority, then by what kind of thing they limit. `filters` are lookups of the
    query language; raises QuestionError for a foreign cursor."""
    rows = visible(Budget.objects.filter(**filters), viewer)
    return read_page(
        rows.annotate(scope_type=SCOPE_TYPE).select_related(*RELATIONS).prefetch_related("raises"),
        (
            OrderKey("priority", _read_priority),
            OrderKey("scope_type", read_pk),
            OrderKey("pk", read_pk),
        ),
        descending=False,
        limit=limit,
        cursor=cursor,
        question=_print("budgets", filters),
    )


def list_windows(budget: Budget, filters: Filters, limit: int, cursor: str) -> Page[BudgetWindow]:
    """The windows of a budget, the latest first. Raises QuestionError for a foreign cursor."""
    return read_page(
        budget.windows.filter(**filters),
        (OrderKey("start", read_time), OrderKey("pk", read_pk)),
        descending=True,
        limit=limit,
        cursor=cursor,
        question=_print(f"windows of {budget.pk}", filters),
    )


def list_members(budget: Budget, start: datetime, limit: int, cursor: str) -> Page[BudgetWindow]:
    """The windows that members of a budget have from `start` on, whoever used most first.

    Raises QuestionError for a foreign cursor.
    """
    return read_page(
        budget.windows.filter(start=start).annotate(all_used=F("spent") + F("overage")),
        (OrderKey("all_used", read_money), OrderKey("pk", read_pk)),
        descending=True,
        limit=limit,
        cursor=cursor,
        question=_print(f"members of {budget.pk}", {"start": start}),
    )


def list_reservations(
    viewer: Viewer, filters: Filters, limit: int, cursor: str
) -> Page[Reservation]:
    """Reservations, the latest first. Raises QuestionError for a foreign cursor."""
    return read_page(
        visible(Reservation.objects.filter(**filters), viewer).select_related(
            "organization", "project", "team", "subject", "api_key"
        ),
        (OrderKey("held_at", read_time), OrderKey("pk", UUID)),
        descending=True,
        limit=limit,
        cursor=cursor,
        question=_print("reservations", filters),
    )


def find_decision(viewer: Viewer, pk: str) -> Decision | None:
    """The decision with this id that a viewer may see."""
    number = _number(pk)
    rows = Decision.objects.none() if number is None else Decision.objects.filter(pk=number)
    return _explained(visible(rows, viewer)).first()


def list_decisions(viewer: Viewer, filters: Filters, limit: int, cursor: str) -> Page[Decision]:
    """Warnings and refusals, the latest first. Raises QuestionError for a foreign cursor."""
    return read_page(
        _explained(visible(Decision.objects.filter(**filters), viewer)),
        (OrderKey("decided_at", read_time), OrderKey("pk", read_pk)),
        descending=True,
        limit=limit,
        cursor=cursor,
        question=_print("decisions", filters),
    )


def find_alert(viewer: Viewer, pk: str) -> Alert | None:
    """The alert with this id that a viewer may see, with its notices."""
    number = _number(pk)
    if number is None:
        return None
    return _told(seen_alerts(viewer).filter(pk=number)).first()


def list_alerts(viewer: Viewer, filters: Filters, limit: int, cursor: str) -> Page[Alert]:
    """Alerts with their notices, those that opened last first. Raises QuestionError for a foreign
    cursor."""
    return read_page(
        _told(seen_alerts(viewer).filter(**filters)),
        (OrderKey("opened_at", read_time), OrderKey("pk", read_pk)),
        descending=True,
        limit=limit,
        cursor=cursor,
        question=_print("alerts", filters),
    )


def find_channel(viewer: Viewer, pk: str) -> Channel | None:
    """The channel with this id that a viewer may see."""
    number = _number(pk)
    return None if number is None else seen_channels(viewer).filter(pk=number).first()


def list_channels(viewer: Viewer, filters: Filters, limit: int, cursor: str) -> Page[Channel]:
    """Channels by name. Raises QuestionError for a foreign cursor."""
    return read_page(
        seen_channels(viewer).filter(**filters),
        (OrderKey("name", str), OrderKey("pk", read_pk)),
        descending=False,
        limit=limit,
        cursor=cursor,
        question=_print("channels", filters),
    )


def _told(rows: QuerySet[Alert]) -> QuerySet[Alert]:
    notices = Notice.objects.select_related("channel").order_by("created_at", "pk")
    return rows.select_related("acknowledged_by").prefetch_related(Prefetch("notices", notices))


def _explained(rows: QuerySet[Decision]) -> QuerySet[Decision]:
    return rows.select_related("organization", "project", "subject", "api_key")


def _print(what: str, filters: Filters) -> str:
    return fingerprint(what, sorted((name, str(value)) for name, value in filters.items()))


def _number(text: str) -> int | None:
    try:
        return read_pk(text)
    except ValueError:
        return None


def _read_priority(text: str) -> int:
    number = int(text)
    if not -_MOST < number < _MOST:
        raise ValueError(text)
    return number
