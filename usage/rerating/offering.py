"""Offering: what a change of prices for the past would mean for events that are rated already."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

from django.db import transaction
from django.db.models import F, Max, Min, Q, QuerySet

from pricing.directory import ModelDirectory
from pricing.matching import Matcher, Rule
from pricing.models import PriceChange, PriceVersion, RateCard
from usage.models import CallKind, DailyRollup, Organization, RatingRun
from usage.rerating.planning import plan
from usage.rerating.reading import Restriction, has_calls
from usage.rerating.refusal import FAULTS, one_line

SETTLING = timedelta(minutes=1)
"""How long a batch may take that began with the prices before a change."""

_Action, _Status = PriceChange.Action, RatingRun.Status
_ZONES = timedelta(days=2)
"""Enough before and after a local day to hold it in every time zone."""


def offer(change: PriceChange) -> int:
    """Plan what a change for the past would mean; 1 when there was something to look at.

    The dry run is left for people to decide about, and discarded where nothing differs.
    """
    if change.holds_from is None or change.holds_from >= change.made_at:
        return 0
    earlier = Q(change__isnull=True) | Q(change__lt=change.pk)
    if not PriceVersion.objects.filter(earlier).exists():
        # The first prices of all: whatever was stored before them waits for a price.
        return 0
    run = RatingRun(
        cause=RatingRun.Cause.OFFERED,
        start=change.holds_from,
        end=datetime.now(UTC),
        reason=f"{change.get_action_display()}: {change.reason or change.origin}",
        requested_by=change.made_by,
    )
    limits = _concerned(change, run)
    if limits is None or not has_calls(run, limits):
        return 0
    run.save()
    plan_for(run, limits, _Status.PLANNED)
    return 1


def plan_for(run: RatingRun, limits: Restriction, wanted: RatingRun.Status) -> None:
    """Plan a run; with differences it becomes `wanted`, without any it is discarded."""
    try:
        with transaction.atomic():
            plan(run, limits)
            run.status = wanted if run.changed else _Status.DISCARDED
    except FAULTS as fault:
        run.status, run.error = _Status.FAILED, one_line(fault)
    run.save()


def _concerned(change: PriceChange, run: RatingRun) -> Restriction | None:
    """The events that a change is about, None for none; may narrow the run itself."""
    priced = Restriction(received_before=change.made_at + SETTLING, priced=True)
    match change.action:
        case _Action.EXCHANGE:
            return replace(priced, converted=True)
        case _Action.CONTRACT:
            run.organization = Organization.objects.get(slug=change.details["organization"])
            if not _narrow(run, DailyRollup.objects.filter(organization=run.organization)):
                return None
            return priced
        case _Action.NAMES:
            kinds = _kinds_called(change.details.get("added") or change.details["removed"])
        case _Action.PROVIDER:
            kinds = _kinds_from(change.details["provider"])
        case _:
            versions = PriceVersion.objects.filter(Q(change=change) | Q(ended_by=change))
            if not versions.exists():
                return None
            kinds = _kinds_of(set(versions.values_list("model_id", flat=True)))
            run.organization = _only_customer(versions.values_list("rate_card_id", flat=True))
            return replace(priced, kind_ids=kinds)
    if not _narrow(run, DailyRollup.objects.filter(kind__in=kinds)):
        return None
    return replace(priced, kind_ids=kinds)


def _narrow(run: RatingRun, days: QuerySet[DailyRollup]) -> bool:
    """Move the run's bounds to those of `days` that have priced usage; False without any."""
    priced = days.filter(events__gt=F("unpriced_events"))
    found = priced.aggregate(first=Min("day"), last=Max("day"))
    if found["first"] is None:
        return False
    first, last = (datetime.combine(found[name], time(), UTC) for name in ("first", "last"))
    run.start, run.end = max(run.start, first - _ZONES), min(run.end, last + 2 * _ZONES)
    return True


def _kinds_of(model_ids: set[int]) -> list[int]:
    """Kinds of call whose names mean one of these models."""
    directory = ModelDirectory()
    meant: dict[tuple[str, str], bool] = {}

    def means(provider: str, model: str) -> bool:
        known = meant.get((provider, model))
        if known is None:
            found = directory.models(provider, model) + directory.contracted(provider, model)
            known = any(each.model_id in model_ids for each in found)
            meant[provider, model] = known
        return known

    return _kinds_where(means)


def _kinds_called(rule: str) -> list[int]:
    """Kinds of call with a model name that `rule` (its kind, a space, its text) finds, whole or
    behind a router's prefix."""
    kind, text = rule.split(" ", 1)
    matcher = Matcher([Rule(0, kind, text, True)])
    return _kinds_where(
        lambda _, model: any(
            matcher.find(name) for name in (model.lower(), model.lower().split("/", 1)[-1])
        )
    )


def _kinds_from(slug: str) -> list[int]:
    """Kinds of call of a provider, named or found from the model's name."""
    directory = ModelDirectory()
    return _kinds_where(lambda provider, model: directory.sought_as(provider, model)[0] == slug)


def _kinds_where(holds: Callable[[str, str], bool]) -> list[int]:
    words: QuerySet[CallKind, tuple[int, str, str, str]] = CallKind.objects.values_list(
        "pk", "provider", "model", "response_model"
    )
    return [
        pk
        for pk, provider, model, response_model in words
        if holds(provider, model) or (response_model and holds(provider, response_model))
    ]


def _only_customer(card_ids: Iterable[int]) -> Organization | None:
    """The one organization that has these cards contracted, None when others may be concerned."""
    cards = set(card_ids)
    contracted = RateCard.objects.filter(pk__in=cards, kind=RateCard.Kind.CONTRACTED)
    if contracted.count() != len(cards):
        return None
    customers = list(Organization.objects.filter(rate_card__in=cards)[:2])
    return customers[0] if len(customers) == 1 else None
