"""Money spent on what failed: runs that were run again, and billed calls that failed."""

from collections.abc import Iterable, Iterator

from pricing.compiled import quantize
from usage.formats import quantity
from usage.selectors.advice.values import (
    Advice,
    FailedCalls,
    FailedRuns,
    Spend,
    about,
    amount,
    is_worth_it,
    of_project,
)

RETRIED = "retried_runs"
FAILED = "failed_calls"


def retried_runs(groups: Iterable[FailedRuns], spend: Spend) -> Iterator[Advice]:
    """What failed runs cost that were run again within the hour."""
    for group in groups:
        if not is_worth_it(group.cost, group.organization, spend):
            continue
        runs = f"{quantity(group.runs)} {'run' if group.runs == 1 else 'runs'}"
        started = f" started by {group.trigger}" if group.trigger else ""
        yield Advice(
            code=RETRIED,
            title=f"Find out why runs fail ({of_project(group.project)})",
            detail=(
                f"{runs}{started} ({of_project(group.project)}) failed"
                f" ({quantity(group.errors)} of {quantity(group.calls)} calls were errors), and"
                " the same person or service started another within an hour. The failed ones cost"
                f" {amount(group.cost)}; the dearest is {group.dearest}."
            ),
            saving=quantize(group.cost),
            organization=group.organization,
            about=about(project=group.project, run=group.dearest),
        )


def failed_calls(groups: Iterable[FailedCalls], spend: Spend) -> Iterator[Advice]:
    """What calls cost that failed outside runs."""
    for group in groups:
        if not is_worth_it(group.cost, group.organization, spend):
            continue
        calls = f"{quantity(group.calls)} {'call' if group.calls == 1 else 'calls'}"
        yield Advice(
            code=FAILED,
            title=f"Stop paying for calls to {group.model} that fail",
            detail=(
                f"At least {calls} to {group.model} ({of_project(group.project)}) failed but"
                f" were billed {amount(group.cost)}: time limits and broken connections after the"
                " answer had begun are the usual reasons."
            ),
            saving=quantize(group.cost),
            organization=group.organization,
            about=about(project=group.project, provider=group.provider, model=group.model),
        )
