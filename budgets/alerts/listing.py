"""Thresholds, channels and live alerts as tables for the command line."""

from collections.abc import Iterable, Sequence

from budgets.amounts import level_text
from budgets.models import Alert, Channel
from budgets.selectors.alert_facts import level_of, titles_of
from budgets.selectors.channels import shown_target
from budgets.selectors.standings import BudgetState
from usage.reports.documents import Column, Document, Kind, Sheet
from usage.reports.scope import Scope

_LEVELS = (
    Column("budget_id", "", Kind.COUNT, people=False),
    Column("budget", "budget", Kind.TEXT),
    Column("organization", "", Kind.TEXT, people=False),
    Column("project", "", Kind.TEXT, people=False),
    Column("measure", "", Kind.TEXT, people=False),
    Column("period", "", Kind.TEXT, people=False),
    Column("level", "warns from", Kind.TEXT, data=False),
    Column("percent", "", Kind.EXACT, people=False),
    Column("amount", "", Kind.EXACT, people=False),
    Column("used_percent", "used", Kind.PERCENT),
)
_CHANNELS = (
    Column("id", "", Kind.COUNT, people=False),
    Column("channel", "channel", Kind.TEXT),
    Column("organization", "organization", Kind.TEXT),
    Column("kind", "kind", Kind.TEXT),
    Column("target", "goes to", Kind.TEXT),
    Column("gets", "gets", Kind.TEXT),
    Column("state", "state", Kind.TEXT),
    Column("failing_since", "", Kind.INSTANT, people=False),
)
_ALERTS = (
    Column("id", "id", Kind.COUNT),
    Column("kind", "", Kind.TEXT, people=False),
    Column("severity", "severity", Kind.TEXT),
    Column("state", "state", Kind.TEXT),
    Column("organization", "", Kind.TEXT, people=False),
    Column("title", "alert", Kind.TEXT),
    Column("level", "level", Kind.TEXT),
    Column("opened_at", "since", Kind.INSTANT),
)


def alerts_document(
    states: Sequence[BudgetState],
    channels: Iterable[Channel],
    alerts: Sequence[Alert],
    scope: Scope,
) -> Document:
    """What budgets warn from, where alerts go (masked), and those that are live, as ordered."""
    return Document(
        title="Alerts",
        currency=scope.currency,
        parts=(
            Sheet("thresholds", "Thresholds", _LEVELS, list(_levels(states)),
                  empty="no budget warns"),
            Sheet("channels", "Channels", _CHANNELS, [_channel(row) for row in channels],
                  empty="no channel: alerts are only shown"),
            Sheet("alerts", "Live alerts", _ALERTS, _alerts(alerts), empty="none"),
        ),
        subtitle=", ".join(scope.organizations) or "all organizations",
        line=f"{len(alerts):,} live alert{'' if len(alerts) == 1 else 's'}",
    )  # fmt: skip


def _levels(states: Iterable[BudgetState]) -> Iterable[tuple[object, ...]]:
    for state in states:
        budget = state.budget
        for level in budget.thresholds.all():
            yield (
                budget.pk,
                str(budget),
                budget.organization.slug if budget.organization else None,
                budget.project.slug if budget.project else None,
                budget.measure,
                budget.period,
                level_text(level.percent, level.amount, budget.measure, budget.currency),
                level.percent,
                level.amount,
                state.percent,
            )


def _channel(channel: Channel) -> tuple[object, ...]:
    return (
        channel.pk,
        channel.name,
        channel.organization.slug if channel.organization else None,
        channel.kind,
        shown_target(channel),
        "all alerts" if channel.is_default else "what budgets send",
        _state(channel),
        channel.failing_since,
    )


def _state(channel: Channel) -> str:
    if not channel.enabled:
        return "off"
    if channel.failing_since:
        return "failing"
    return "works" if channel.worked_at else "never used"


def _alerts(alerts: Sequence[Alert]) -> list[tuple[object, ...]]:
    return [
        (
            alert.pk,
            alert.kind,
            alert.severity,
            alert.state,
            alert.organization.slug if alert.organization else None,
            title,
            level_of(alert),
            alert.opened_at,
        )
        for alert, title in zip(alerts, titles_of(alerts), strict=True)
    ]
