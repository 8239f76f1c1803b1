"""Watching prices: what new ones mean for events that are stored already.

Calls that waited for a price are rated by themselves, for that changes no known figure. Where
prices change for the past, a dry run is offered, and people decide.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from django.db import connection, transaction
from django.db.models import Q

from pricing.directory import ModelDirectory
from pricing.models import PriceChange, PriceVersion, RateCard
from pricing.revision import current_revision
from usage.models import CallKind, Organization, PriceWatch, RatingRun
from usage.rerating.locks import take_watch
from usage.rerating.planning import plan
from usage.rerating.ratings import IS_CALL
from usage.rerating.reading import UNRESTRICTED, Restriction, has_calls
from usage.rerating.refusal import FAULTS, one_line

SETTLING = timedelta(minutes=1)
"""How long a batch may take that began with the prices before a change."""

_Cause, _Status = RatingRun.Cause, RatingRun.Status
_LOOKS = 2
# OFFSET 0 keeps the planner from looking for the first and last in all events, in order of time.
_UNPRICED = f"""
    SELECT min(occurred_at), max(occurred_at) FROM (
        SELECT e.occurred_at FROM usage_usageevent e WHERE e.cost IS NULL AND {IS_CALL} OFFSET 0
    ) AS waiting
"""


@transaction.atomic
def watch() -> int:
    """Offer and start the runs that new prices call for; return how many were planned."""
    if not take_watch():
        return 0
    watched, _ = PriceWatch.objects.get_or_create(pk=1)
    changes = PriceChange.objects.filter(pk__gt=watched.price_change_id).order_by("pk")
    planned = 0
    for change in changes:
        planned += _offer(change)
        watched.price_change_id = change.pk
    if planned or changes:
        watched.save()
    return planned + _rate_waiting()


def _rate_waiting() -> int:
    """Rate unpriced calls by the present prices: once, and again when the batches are stored
    that had begun before these prices held."""
    revision = current_revision()
    looks = RatingRun.objects.filter(cause=_Cause.WAITING, price_revision=revision)
    times = list(looks.order_by("pk").values_list("requested_at", flat=True)[:_LOOKS])
    now = datetime.now(UTC)
    if len(times) == _LOOKS or (times and now < times[0] + SETTLING):
        return 0
    with connection.cursor() as cursor:
        cursor.execute(_UNPRICED)
        first, last = cursor.fetchone()
    if first is None:
        return 0
    run = RatingRun.objects.create(
        cause=_Cause.WAITING,
        start=first,
        end=last + timedelta(microseconds=1),
        only_unpriced=True,
        price_revision=revision,
        reason="Prices became known.",
    )
    _plan(run, UNRESTRICTED, _Status.APPLYING)
    _forget_older(revision)
    return 1


def _plan(run: RatingRun, limits: Restriction, wanted: RatingRun.Status) -> None:
    """Plan a run; with differences it becomes `wanted`, without any it is discarded."""
    try:
        with transaction.atomic():
            plan(run, limits)
            run.status = wanted if run.changed else _Status.DISCARDED
    except FAULTS as fault:
        run.status, run.error = _Status.FAILED, one_line(fault)
    run.save()


def _forget_older(revision: int) -> None:
    """Drop the records of earlier looks that found no price."""
    idle = RatingRun.objects.filter(cause=_Cause.WAITING, status=_Status.DISCARDED, changed=0)
    idle.filter(price_revision__lt=revision).delete()


def _offer(change: PriceChange) -> int:
    """Plan what a change for the past would mean for events rated before it was made."""
    if change.holds_from is None or change.holds_from >= change.made_at:
        return 0
    if not PriceVersion.objects.filter(created_at__lt=change.made_at).exists():
        # The first prices of all: whatever was stored before them waits for a price.
        return 0
    received_before = change.made_at + SETTLING
    run = RatingRun(
        cause=_Cause.OFFERED,
        start=change.holds_from,
        end=datetime.now(UTC),
        reason=f"{change.get_action_display()}: {change.reason or change.origin}",
        requested_by=change.made_by,
    )
    if change.action == PriceChange.Action.EXCHANGE:
        limits = Restriction(received_before=received_before, priced=True, converted=True)
    else:
        versions = PriceVersion.objects.filter(Q(change=change) | Q(ended_by=change))
        if not versions.exists():
            return 0
        kinds = _kinds_of(set(versions.values_list("model_id", flat=True)))
        limits = Restriction(kind_ids=kinds, received_before=received_before, priced=True)
        run.organization = _only_customer(versions.values_list("rate_card_id", flat=True))
    if not has_calls(run, limits):
        return 0
    run.save()
    _plan(run, limits, _Status.PLANNED)
    return 1


def _kinds_of(model_ids: set[int]) -> list[int]:
    """Kinds of call whose names mean one of these models."""
    directory = ModelDirectory()
    meant: dict[tuple[str, str], bool] = {}

    def means(provider: str, model: str) -> bool:
        known = meant.get((provider, model))
        if known is None:
            found, _ = directory.models(provider, model)
            known = meant[provider, model] = not model_ids.isdisjoint(found)
        return known

    words = CallKind.objects.values_list("pk", "provider", "model", "response_model")
    return [
        pk
        for pk, provider, model, response_model in words
        if means(provider, model) or (response_model and means(provider, response_model))
    ]


def _only_customer(card_ids: Iterable[int]) -> Organization | None:
    """The one organization that has these cards contracted, None when others may be concerned."""
    cards = set(card_ids)
    contracted = RateCard.objects.filter(pk__in=cards, kind=RateCard.Kind.CONTRACTED)
    if contracted.count() != len(cards):
        return None
    customers = list(Organization.objects.filter(rate_card__in=cards)[:2])
    return customers[0] if len(customers) == 1 else None
