"""What programs read in messages: names that stay, money as decimal strings, times in UTC."""

from collections.abc import Mapping
from typing import Any

import msgspec

from budgets.api.rendering import amount_or_none, scope_as_json, window_as_json
from budgets.models import Alert, Budget, Notice
from budgets.notices.figures import Figures
from usage.api.rendering.figures import money_text

TYPES: dict[str, str] = {
    Alert.Kind.THRESHOLD: "budget.threshold_reached",
    Alert.Kind.BLOCKED: "budget.calls_blocked",
    Alert.Kind.FORECAST: "budget.forecast_over_limit",
    Alert.Kind.ANOMALY: "usage.anomaly",
    Alert.Kind.UNPRICED: "usage.unpriced_model",
    Alert.Kind.STALE: "usage.stale",
    Alert.Kind.SYSTEM: "system.problem",
}
RESOLVED = "alert.resolved"
_OF_WINDOW = (
    "start", "end", "time_zone", "currency", "member", "limit", "spent", "overage", "reserved",
    "remaining", "percent", "unpriced_events",
)  # fmt: skip


def type_of(alert: Alert, notice_kind: str) -> str:
    """What programs tell messages apart by."""
    return RESOLVED if notice_kind == Notice.Kind.RESOLVED else TYPES[alert.kind]


def data_of(alert: Alert, figures: Figures | None, *, notice_kind: str, url: str) -> dict[str, Any]:
    """The data of a message about an alert as JSON values; `url` is the alert's page."""
    said = {
        "notice": notice_kind,
        "alert": _alert(alert, url),
        "organization": alert.organization.slug if alert.organization else None,
        **({} if figures is None else _of_window(alert, figures)),
        "facts": alert.facts,
    }
    return as_json(said)


def as_json(said: Mapping[str, Any]) -> dict[str, Any]:
    """Decimals, days and times as the strings that JSON has for them."""
    found: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(said))
    return found


def _alert(alert: Alert, url: str) -> dict[str, Any]:
    return {
        "id": alert.pk,
        "kind": alert.kind,
        "severity": alert.severity,
        "state": alert.state,
        "occasion": alert.occasion,
        "opened_at": alert.opened_at,
        "resolution": alert.resolution or None,
        "url": url,
    }


def _of_window(alert: Alert, figures: Figures) -> dict[str, Any]:
    return {
        "budget": _budget(figures.budget),
        "window": _window(figures),
        "threshold": _threshold(alert),
        "pace": _pace(figures),
        "forecast": _forecast(figures),
    }


def _window(figures: Figures) -> dict[str, Any]:
    said = window_as_json(figures.state, figures.span, figures.now)
    return {name: said[name] for name in _OF_WINDOW} | {"used": money_text(figures.state.used)}


def _budget(budget: Budget) -> dict[str, Any]:
    return {
        "id": budget.pk,
        "name": budget.name or budget.scope,
        "scope": scope_as_json(budget),
        "per": budget.per,
        "period": budget.period,
        "measure": budget.measure,
        "enforcement": budget.enforcement,
    }


def _threshold(alert: Alert) -> dict[str, Any] | None:
    if alert.percent is None and alert.amount is None:
        return None
    return {
        "percent": None if alert.percent is None else f"{alert.percent.normalize():f}",
        "amount": amount_or_none(alert.amount),
        "level": alert.facts.get("level"),
    }


def _pace(figures: Figures) -> dict[str, Any] | None:
    pace = figures.pace
    if pace is None:
        return None
    return {
        "unit": "hour" if pace.is_hourly else "day",
        "gone": pace.gone,
        "left": pace.left,
        "rate": money_text(pace.rate),
        "projected": amount_or_none(figures.projected),
        "excess": amount_or_none(figures.excess),
        "cut_percent": None if figures.cut is None else int(figures.cut),
    }


def _forecast(figures: Figures) -> dict[str, Any] | None:
    if figures.forecast is None:
        return None
    return {name: money_text(value) for name, value in figures.forecast._asdict().items()}
