"""Asking for re-ratings and deciding about them; the work itself is done by `continue_runs`."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from django.contrib.auth.models import User
from django.db import connection, transaction

from usage.models import Organization, RatingRun, UsageEvent
from usage.rerating.planning import plan
from usage.rerating.reading import Restriction
from usage.rerating.refusal import RatingRefused
from usage.rerating.undoing import refuse_if_settled

_Status = RatingRun.Status
_NEEDS_APPROVAL = """
    SELECT EXISTS (
        SELECT FROM usage_organization o WHERE o.rating_needs_approval AND EXISTS (
            SELECT FROM usage_ratingchange c WHERE c.run_id = %s AND c.organization_id = o.id
        )
    )
"""


def request_run(
    *,
    start: datetime,
    end: datetime,
    organization: Organization | None = None,
    provider: str = "",
    model: str = "",
    only_unpriced: bool = False,
    reason: str = "",
    user: User | None = None,
    cause: RatingRun.Cause = RatingRun.Cause.REQUESTED,
) -> RatingRun:
    """Ask for a dry run over `start` <= `occurred_at` < `end` (aware).

    `provider` and `model` are names as events give them, ignoring case; empty means any. Raises
    RatingRefused when the times make no sense.
    """
    if start >= end:
        raise RatingRefused("The end of a re-rating must come after its start.")
    return RatingRun.objects.create(
        start=start,
        end=end,
        organization=organization,
        provider=provider.strip(),
        model=model.strip(),
        only_unpriced=only_unpriced,
        reason=reason,
        requested_by=user,
        cause=cause,
    )


@transaction.atomic
def request_for_events(
    events: Iterable[UsageEvent], reason: str, user: User | None = None
) -> RatingRun:
    """A finished dry run over these events of one organization. Raises RatingRefused."""
    chosen = list(events)
    organizations = {event.organization_id for event in chosen}
    if len(organizations) != 1:
        raise RatingRefused("Choose events of one organization.")
    times = [event.occurred_at for event in chosen]
    run = request_run(
        start=min(times),
        end=max(times) + timedelta(microseconds=1),
        organization=Organization.objects.get(pk=organizations.pop()),
        reason=reason,
        user=user,
    )
    plan(run, Restriction(event_pks=[event.pk for event in chosen]))
    run.status = _Status.PLANNED
    run.save()
    return run


@transaction.atomic
def apply_run(run: RatingRun, user: User | None = None) -> RatingRun:
    """Let a dry run take effect, or where an organization asks for a second person, await one.

    `user` is None for commands. Somebody else than who asked for the run is that second person.
    Raises RatingRefused unless it is a dry run that changes something.
    """
    found = _in_status(run, _Status.PLANNED)
    if not found.changed:
        raise RatingRefused(f"{found} changes nothing.")
    asked_by = found.requested_by_id
    is_second = user is not None and asked_by is not None and user.pk != asked_by
    if _needs_approval(found) and not is_second:
        found.status = _Status.AWAITING
        if asked_by is None:
            found.requested_by = user
        found.save(update_fields=["status", "requested_by"])
        return found
    return _approve(found, user)


@transaction.atomic
def approve_run(run: RatingRun, user: User) -> RatingRun:
    """Let a waiting run take effect, as the second person. Raises RatingRefused."""
    found = _in_status(run, _Status.AWAITING)
    if found.requested_by_id == user.pk:
        raise RatingRefused("Somebody else than who asked for the re-rating must approve it.")
    return _approve(found, user)


@transaction.atomic
def discard_run(run: RatingRun, user: User | None = None) -> RatingRun:
    """Put a run aside that has changed nothing yet; who did is kept as who decided.

    Raises RatingRefused when it is already under way.
    """
    found = _in_status(run, _Status.PLANNING, _Status.PLANNED, _Status.AWAITING, _Status.FAILED)
    found.status = _Status.DISCARDED
    found.approved_by, found.approved_at = user, datetime.now(UTC)
    found.save(update_fields=["status", "approved_by", "approved_at"])
    drop_changes(found)
    return found


@transaction.atomic
def roll_back_run(run: RatingRun, user: User | None = None) -> RatingRun:
    """Have an applied run undone. Raises RatingRefused when its effects were built upon."""
    found = _in_status(run, _Status.APPLIED)
    refuse_if_settled(found)
    found.status, found.error = _Status.ROLLING_BACK, ""
    found.rolled_back_by, found.rolled_back_at = user, datetime.now(UTC)
    found.save(update_fields=["status", "error", "rolled_back_by", "rolled_back_at"])
    return found


def drop_changes(run: RatingRun) -> None:
    """Forget what a run would have changed."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM usage_ratingchange WHERE run_id = %s", (run.pk,))


def _in_status(run: RatingRun, *allowed: RatingRun.Status) -> RatingRun:
    # Not FOR UPDATE, which would wait for the plan whose changes refer to the run.
    found = RatingRun.objects.select_for_update(no_key=True).get(pk=run.pk)
    if found.status not in allowed:
        raise RatingRefused(
            f"{found} is {found.get_status_display().lower()}; that cannot be done."
        )
    return found


def _approve(run: RatingRun, user: User | None) -> RatingRun:
    run.status = _Status.APPLYING
    run.approved_by, run.approved_at = user, datetime.now(UTC)
    run.save(update_fields=["status", "approved_by", "approved_at"])
    return run


def _needs_approval(run: RatingRun) -> bool:
    if run.cause == RatingRun.Cause.WAITING:
        return False
    with connection.cursor() as cursor:
        cursor.execute(_NEEDS_APPROVAL, (run.pk,))
        return bool(cursor.fetchone()[0])
