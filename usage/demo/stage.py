"""Filling an installation with the demonstration, through the one way in."""

from collections.abc import Callable
from dataclasses import dataclass

from pricing.price_book import current_book
from usage.demo.cast import COMPANIES
from usage.demo.charging import charge
from usage.demo.offers import Offer, offers_until
from usage.demo.year import Plan, make_days
from usage.ingest.claims import find_claims
from usage.ingest.identities import find_tenants
from usage.ingest.pipeline import Caller, ingest
from usage.ingest.prepare import Tenancy, digest_of
from usage.ingest.values import EventValue
from usage.models import Organization
from usage.organizations import change_time_zone, ensure_organization
from usage.rollups import RollupResult, roll_up

CHUNK = 5_000
LAST_STORED = "demo-0"


class NoPrices(Exception):
    """The price catalogue is empty, so that every event would be unpriced."""


@dataclass(slots=True)
class Filled:
    """What was stored; `repeated` events had been stored before."""

    accepted: int = 0
    repeated: int = 0
    unpriced: int = 0


def is_filled() -> bool:
    """Whether a demonstration has been stored completely."""
    first = COMPANIES[0].slug
    organization = Organization.objects.filter(slug=first).first()
    return organization is not None and bool(find_claims([digest_of(organization.pk, LAST_STORED)]))


def known_offers(plan: Plan) -> list[Offer]:
    """The models to use. Raises NoPrices when the catalogue knows none of them."""
    offers = offers_until(plan.now, current_book())
    if not any(offer.priced for offer in offers):
        raise NoPrices("there are no prices yet; `prices sync` loads the catalogue")
    return offers


def fill(plan: Plan, on_day: Callable[[int], None]) -> Filled:
    """Store the demonstration; `on_day` is told of each day done. Raises NoPrices.

    Storing again what is already there changes nothing.
    """
    offers = known_offers(plan)
    caller = _prepare_organizations()
    filled = Filled()
    waiting: list[EventValue] = []
    held_back: EventValue | None = None
    for events in make_days(plan, offers):
        if held_back is None and events:
            # Its presence tells that all the others are stored, so it comes last.
            held_back = next((e for e in events if e.organization == COMPANIES[0].slug), None)
            if held_back is not None:
                events.remove(held_back)
                held_back.event_id = LAST_STORED
        waiting.extend(events)
        while len(waiting) >= CHUNK:
            _store(waiting[:CHUNK], caller, filled)
            del waiting[:CHUNK]
        on_day(1)
    _store(waiting, caller, filled)
    charge(plan.first_day, plan.last_day)
    if held_back is not None:
        _store([held_back], caller, filled)
    return filled


def settle() -> RollupResult:
    """Sum everything up, so that pages show it at once."""
    return roll_up(wait=True)


def _prepare_organizations() -> Caller:
    for company in COMPANIES:
        organization = ensure_organization(company.slug)
        if not organization.name:
            organization.name = company.name
            organization.save(update_fields=["name"])
        if organization.time_zone != company.time_zone:
            change_time_zone(organization, company.time_zone)
    return Caller(Tenancy(None, find_tenants(company.slug for company in COMPANIES)))


def _store(events: list[EventValue], caller: Caller, filled: Filled) -> None:
    if not events:
        return
    report = ingest(events, caller, plain=True)
    filled.accepted += report.accepted
    filled.repeated += report.duplicates + report.conflicts
    filled.unpriced += report.unpriced
