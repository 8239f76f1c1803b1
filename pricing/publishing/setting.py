"""Setting prices: all of a call or nothing, one entry in the record."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from django.db import transaction

from pricing.directory import CONTRACT_NAME, MANUAL_NAME
from pricing.models import PriceChange, RateCard
from pricing.publishing.items import PriceItem, check_items
from pricing.publishing.names import ensure_models
from pricing.publishing.planning import PlannedVersion, PricePlan, plan_prices
from pricing.publishing.versions import (
    Period,
    Provenance,
    append_versions,
    end_versions,
    record_change,
)
from pricing.rating import MeterPrice
from pricing.revision import begin_price_change

MAX_TOLD = 200
"""How many changed prices the record spells out; the rest is in the versions of the change."""


@transaction.atomic
def set_prices(
    card: RateCard, items: Sequence[PriceItem], source: Provenance, *, whole: bool = False
) -> PriceChange:
    """Append versions to a manual or contracted card, one per model, service tier and start.

    Each holds until the next one already planned. Meters that are not named keep the price in
    force on the card at that time, else that of the cards beneath it, unless `whole` says that
    all are named. What is in force already is left alone: nothing new at all is a change that
    counts 0. `details` of the change has `rate_card`, `prices` (what changed), `more` (how many
    of those are left out) and `warnings` (prices more than ten times off). Raises PriceError,
    storing nothing.
    """
    check_items(items)
    begin_price_change()
    names = {(item.provider, item.model) for item in items}
    # A contract must not change what a name means to everybody else.
    is_manual = card.kind == RateCard.Kind.MANUAL
    ensure_models(names, origin=MANUAL_NAME if is_manual else CONTRACT_NAME)
    plan = plan_prices(card, items, whole=whole)
    shared = replace(source, reason=source.reason or _only_reason(plan))
    change = record_change(
        PriceChange.Action.UPDATE, shared, plan.count, plan.holds_from, _details(card, plan)
    )
    end_versions(plan.ends, change)
    for reason, versions in _by_reason(plan, source.reason).items():
        append_versions(card, _periods(versions), replace(source, reason=reason), change)
    return change


def _only_reason(plan: PricePlan) -> str:
    reasons = {version.reason for version in plan.versions}
    return reasons.pop() if len(reasons) == 1 else ""


def _by_reason(plan: PricePlan, default: str) -> dict[str, list[PlannedVersion]]:
    found: dict[str, list[PlannedVersion]] = defaultdict(list)
    for version in plan.versions:
        found[version.reason or default].append(version)
    return found


def _periods(versions: Sequence[PlannedVersion]) -> list[Period]:
    return [
        Period(
            model_id=version.model_id,
            service_tier=version.service_tier,
            currency=version.currency,
            utc_from=None,
            utc_until=None,
            effective_from=version.effective_from,
            effective_to=version.effective_to,
            prices=version.prices,
        )
        for version in versions
        if version.model_id is not None
    ]


def _details(card: RateCard, plan: PricePlan) -> dict[str, Any]:
    told = [
        {
            "model": f"{version.provider}/{version.model}",
            "service_tier": version.service_tier,
            "meter": change.meter,
            "old": _plain(change.old),
            "new": _plain(change.new),
            "currency": version.currency,
        }
        for version in plan.versions
        for change in version.differences
    ]
    return {
        "rate_card": card.name,
        "prices": told[:MAX_TOLD],
        "more": max(len(told) - MAX_TOLD, 0),
        "warnings": list(plan.warnings[:MAX_TOLD]),
    }


def _plain(price: MeterPrice | None) -> str | None:
    if price is None:
        return None
    per = "" if price.per == 1_000_000 else f" per {price.per:,}"
    return f"{price.unit_price.normalize():f}{per}"
