"""Storing what a source lists as prices of its own rate card, less what must be reviewed."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import groupby
from typing import NamedTuple

from pricing.catalogue.changes import Changes, changes
from pricing.catalogue.guard import digest, doubt
from pricing.catalogue.listing import ListedPeriod
from pricing.catalogue.refusals import Refusals
from pricing.models import PriceChange, RateCard
from pricing.publishing import (
    Period,
    Provenance,
    append_versions,
    end_versions,
    record_change,
    refresh_statistics,
)
from pricing.selectors import StoredVersion, live_versions, stored_versions

CURRENCY = "USD"
"""What every source tells its prices in."""


@dataclass(frozen=True, slots=True)
class CatalogueResult:
    """How many price versions a load added, ended early and left as they were.

    `refused` counts models and tiers whose prices await a review, `names` the models and rules
    added or removed.
    """

    added: int
    closed: int
    unchanged: int
    refused: int = 0
    names: int = 0

    @property
    def changed(self) -> bool:
        """Whether anything is another than before."""
        return bool(self.added or self.closed or self.names)


class Offer(NamedTuple):
    """All that a source lists for one stored model.

    Of the first prices of a model those without a date hold from the beginning, or `from_now` on.
    """

    model_id: int
    provider: str
    model: str
    periods: tuple[ListedPeriod, ...]
    from_now: bool = False


@dataclass(slots=True)
class _Plan:
    ends: dict[int, datetime] = field(default_factory=dict)
    additions: dict[Provenance, list[Period]] = field(default_factory=lambda: defaultdict(list))

    def add(self, model_id: int, change: Changes, source: Provenance) -> None:
        self.ends |= change.ends
        self.additions[source] += (_period(model_id, period) for period in change.additions)

    @property
    def count(self) -> int:
        return sum(len(periods) for periods in self.additions.values())

    @property
    def holds_from(self) -> datetime | None:
        added = (one.effective_from for periods in self.additions.values() for one in periods)
        return min((*self.ends.values(), *added), default=None)


def store_prices(
    card: RateCard, offers: Sequence[Offer], source: Provenance, now: datetime, names: int
) -> CatalogueResult:
    """Bring `card` to the offers and record the change, if anything changes at all.

    `names` is how many names the caller has changed in the same transaction, after
    `begin_price_change`. Models and tiers without an offer keep the prices they have.
    """
    refusals = Refusals(source.origin)
    plan = _plan(card, offers, source, now, refusals)
    refused = refusals.store()
    added = plan.count
    if added or plan.ends or names:
        details = {"added": added, "closed": len(plan.ends), "names": names, "refused": refused}
        details["listed"] = len(offers)
        count = added or len(plan.ends) or names
        change = record_change(PriceChange.Action.SYNC, source, count, plan.holds_from, details)
        end_versions(plan.ends, change)
        for provenance, periods in plan.additions.items():
            append_versions(card, periods, provenance, change)
        refresh_statistics()
    return CatalogueResult(added, len(plan.ends), standing(card) - added, refused, names)


def standing(card: RateCard) -> int:
    """How many versions of the card hold, held or will hold."""
    return live_versions().filter(rate_card=card).count()


def _plan(
    card: RateCard,
    offers: Sequence[Offer],
    source: Provenance,
    now: datetime,
    refusals: Refusals,
) -> _Plan:
    stored = _by_tier(stored_versions(live_versions().filter(rate_card=card)))
    plan = _Plan()
    for offer in offers:
        known = stored.get(offer.model_id, {})
        listed = _listed(offer)
        first = not known and not offer.from_now
        # A source that no longer tells any price of a model does not say that it has none.
        for tier in sorted(listed.keys() | known.keys()) if listed else ():
            before, after = known.get(tier, []), listed.get(tier, [])
            change = Changes({}, after) if first else changes(before, after, now)
            if not change:
                continue
            fault = doubt(before, change.additions, now)
            if fault is None:
                plan.add(offer.model_id, change, source)
                continue
            place = (offer.provider, offer.model, tier, digest(after))
            review = refusals.accepted(place)
            if review is None:
                refusals.refuse(place, fault, CURRENCY)
            else:
                reason = f"{source.reason}, accepted in a review"
                by = replace(source, reason=reason, created_by_id=review.decided_by_id)
                plan.add(offer.model_id, change, by)
    return plan


def _listed(offer: Offer) -> Mapping[str, list[ListedPeriod]]:
    periods = sorted(offer.periods, key=lambda period: period.service_tier)
    return {tier: list(group) for tier, group in groupby(periods, key=lambda one: one.service_tier)}


def _by_tier(versions: Iterable[StoredVersion]) -> dict[int, dict[str, list[StoredVersion]]]:
    found: dict[int, dict[str, list[StoredVersion]]] = defaultdict(lambda: defaultdict(list))
    for version in versions:
        found[version.model_id][version.service_tier].append(version)
    return found


def _period(model_id: int, period: ListedPeriod) -> Period:
    return Period(
        model_id=model_id,
        service_tier=period.service_tier,
        currency=CURRENCY,
        utc_from=period.utc_from,
        utc_until=period.utc_until,
        effective_from=period.effective_from,
        effective_to=period.effective_to,
        prices=period.prices,
    )
