"""Re-rating: other prices for stored events, as a dry run first, audited, undone exactly."""

from usage.rerating.closing import close_month
from usage.rerating.continuing import continue_runs, finish_run, plan_run
from usage.rerating.refusal import RatingRefused
from usage.rerating.requests import (
    apply_run,
    approve_run,
    discard_run,
    request_for_events,
    request_run,
    roll_back_run,
)

__all__ = [
    "RatingRefused",
    "apply_run",
    "approve_run",
    "close_month",
    "continue_runs",
    "discard_run",
    "finish_run",
    "plan_run",
    "request_for_events",
    "request_run",
    "roll_back_run",
]
