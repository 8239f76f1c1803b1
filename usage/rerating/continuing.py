"""Doing what runs wait for: each step in one transaction, so that a killed one is done again."""

import logging
from datetime import UTC, datetime

from django.db import transaction

from usage.ingest.partitions import ensure_partitions, month_of
from usage.models import RatingRun
from usage.rerating.applying import carry_out
from usage.rerating.locks import take_run
from usage.rerating.planning import plan
from usage.rerating.refusal import FAULTS, one_line
from usage.rerating.undoing import undo
from usage.rerating.watching import watch

_Status = RatingRun.Status
_PENDING = (_Status.PLANNING, _Status.APPLYING, _Status.ROLLING_BACK)
_log = logging.getLogger(__name__)


def continue_runs() -> int:
    """Look at new prices, then do all that runs wait for; return how many runs were worked on.

    Safe at any time and any number of times at once: a run that another process works on is left
    to it.
    """
    done = watch()
    for pk in RatingRun.objects.filter(status__in=_PENDING).order_by("pk").values_list("pk"):
        done += _continue(*pk, wait=False)
    return done


def finish_run(run: RatingRun) -> RatingRun:
    """Do what one run waits for, now, and return it as it is then."""
    _continue(run.pk, wait=True)
    return RatingRun.objects.get(pk=run.pk)


def plan_run(run: RatingRun) -> RatingRun:
    """Finish the dry run of a run that was asked for."""
    return finish_run(run)


def _continue(pk: int, *, wait: bool) -> bool:
    now = datetime.now(UTC)
    ensure_partitions([month_of(now)])
    try:
        with transaction.atomic():
            return take_run(pk, wait=wait) and _step(RatingRun.objects.get(pk=pk), now)
    except FAULTS as fault:
        _log.warning("re-rating %s: %s", pk, fault)
        return _give_up(pk, one_line(fault))


def _step(run: RatingRun, now: datetime) -> bool:
    match run.status:
        case _Status.PLANNING:
            plan(run)
            if not _is_still_wanted(run):
                transaction.set_rollback(True)
                return False
            run.status = _Status.PLANNED
            run.save()
        case _Status.APPLYING:
            carry_out(run, now)
        case _Status.ROLLING_BACK:
            undo(run)
        case _:
            return False
    return True


def _is_still_wanted(run: RatingRun) -> bool:
    rows = RatingRun.objects.select_for_update(no_key=True)
    return rows.filter(pk=run.pk, status=_Status.PLANNING).first() is not None


def _give_up(pk: int, error: str) -> bool:
    run = RatingRun.objects.filter(pk=pk, status__in=_PENDING)
    undone = run.filter(status=_Status.ROLLING_BACK).update(status=_Status.APPLIED, error=error)
    if not undone:
        run.update(status=_Status.FAILED, error=error)
    return True
