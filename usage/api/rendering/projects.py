"""Projects, their months and their trend as JSON values."""

from datetime import date
from typing import Any

import msgspec

from usage.api.rendering.figures import group_as_json, money_text, part_as_json, percentage
from usage.api.rendering.summaries import series_as_json
from usage.formats import share
from usage.models import Project
from usage.selectors.cards import Series
from usage.selectors.currency import ledger_currency
from usage.selectors.episodes import Episode
from usage.selectors.frames import Frame
from usage.selectors.projects import ProjectSummary, ProjectUse
from usage.selectors.questions import UsageSums
from usage.selectors.sums import total_of
from usage.selectors.usage import sums_as_json

_NOTHING = total_of(())


def project_as_json(project: Project) -> dict[str, Any]:
    """Which project it is."""
    return {
        "project": project.slug,
        "organization": project.organization.slug,
        "name": project.name,
        "archived_at": project.archived_at,
    }


def use_as_json(use: ProjectUse, whole: UsageSums) -> dict[str, Any]:
    """A project among all, with its part of the month's cost."""
    return {
        **project_as_json(use.project),
        "last_used": use.last_used,
        **part_as_json(use.sums or _NOTHING, whole),
    }


def month_as_json(month: date) -> str:
    """A month such as 2026-11."""
    return f"{month:%Y-%m}"


def project_summary_as_json(frame: Frame, month: date, summary: ProjectSummary) -> dict[str, Any]:
    """A month of one project."""
    totals = summary.agents.totals
    return {
        "month": month_as_json(month),
        "timezone": frame.time_zone,
        "currency": frame.currency or ledger_currency(),
        "as_of": min(summary.agents.as_of, summary.daily.as_of),
        "unpriced_events": totals.unpriced_events,
        "totals": sums_as_json(totals),
        "agent_breakdown": [
            {**group_as_json(row, totals), "success_rate": _success_rate(row.sums)}
            for row in summary.agents.rows
        ],
        "top_runs": [_run(run, totals) for run in summary.runs],
        "daily_series": series_as_json(summary.daily),
    }


def trend_as_json(series: Series) -> list[dict[str, Any]]:
    """Months by name, oldest first."""
    return [
        {"month": month_as_json(point.start), **sums_as_json(point.sums)} for point in series.points
    ]


def _success_rate(sums: UsageSums) -> msgspec.Raw | None:
    return percentage(share(sums.events - sums.errors, sums.events))


def _run(run: Episode, whole: UsageSums) -> dict[str, Any]:
    return {
        "run_id": run.id,
        "status": run.status,
        "run_trigger": run.run_trigger,
        "started_at": run.started_at,
        "ended_at": run.ended_at,
        "events": run.sums.events,
        "errors": run.sums.errors,
        "unpriced_events": run.sums.unpriced_events,
        "total_tokens": run.sums.total_tokens,
        "cost": money_text(run.sums.cost),
        "percent_of_total": percentage(share(run.sums.cost, whole.cost)),
    }
