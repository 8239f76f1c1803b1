"""The recorded side: sums of 15-minute buckets by UTC day, model and project."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Q, Sum
from django.db.models.functions import TruncDate

from usage.models import CallKind, UsageRollup
from usage.reconciling.classing import Side
from usage.reconciling.matching import Matching, Place

_SUMMED = (
    "events",
    "unpriced_events",
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "cache_write_1h_tokens",
    "cost",
    "input_cost",
    "output_cost",
    "cache_cost",
)
_KIND = ("kind__provider", "kind__model", "kind__response_model")


@dataclass(slots=True)
class Recorded:
    """What was recorded of one day, model and project, in the ledger currency.

    `models` are the names under which the calls told their model.
    """

    tokens: dict[str, int] = field(default_factory=dict)
    events: int = 0
    unpriced_events: int = 0
    cost: Decimal = Decimal(0)
    input_cost: Decimal = Decimal(0)
    output_cost: Decimal = Decimal(0)
    cache_cost: Decimal = Decimal(0)
    models: set[str] = field(default_factory=set)

    def add(self, row: Mapping[str, Any]) -> None:
        """Add the sums of a row."""
        for name in ("events", "unpriced_events", "cost", "input_cost", "output_cost"):
            setattr(self, name, getattr(self, name) + row[name])
        self.cache_cost += row["cache_cost"]
        for part, count in token_parts(row).items():
            self.tokens[part] = self.tokens.get(part, 0) + count
        self.models.add(row["kind__model"])

    def without_caching(self) -> None:
        """Count all input as one part, for a bill that does not tell caching."""
        output = self.tokens.get("output_tokens", 0)
        whole = sum(self.tokens.values()) - output
        self.tokens = {"uncached_tokens": whole, "output_tokens": output}
        self.cache_cost = Decimal(0)

    def side(self, *, extras_apart: bool) -> Side:
        """The side of a cell; `extras_apart`: the bill has lines of its own for these."""
        extras = self.cost - self.input_cost - self.output_cost
        return Side(self.tokens, self.cost, extras if extras_apart else Decimal(0))


def token_parts(meters: Mapping[str, Any]) -> dict[str, int]:
    """Counts of meters, of which a whole includes its parts, as counts of PARTS."""
    written = meters.get("cache_write_tokens", 0)
    kept = meters.get("cache_write_1h_tokens", 0)
    read = meters.get("cache_read_tokens", 0)
    return {
        "uncached_tokens": max(meters.get("input_tokens", 0) - read - written, 0),
        "cache_read_tokens": read,
        "cache_write_5m_tokens": max(written - kept, 0),
        "cache_write_1h_tokens": kept,
        "output_tokens": meters.get("output_tokens", 0),
    }


def recorded_side(
    organization_id: int, days: Collection[date], matching: Matching
) -> dict[tuple[date, Place], Recorded]:
    """What the organization paid for, of the providers of `matching`, on these UTC days."""
    found: dict[tuple[date, Place], Recorded] = {}
    if not days:
        return found
    rows = UsageRollup.objects.filter(
        organization_id=organization_id,
        bucket__gte=_midnight(min(days)),
        bucket__lt=_midnight(max(days) + timedelta(days=1)),
    ).filter(_paid_by_organization())
    sums = (
        rows.annotate(day=TruncDate("bucket", tzinfo=UTC))
        .order_by()
        .values("day", "project_id", *_KIND)
        .annotate(**{f"sum_{name}": Sum(name) for name in _SUMMED})
    )
    for row in sums:
        provider, model, response_model = (row[name] for name in _KIND)
        if row["day"] not in days or not matching.covers(provider, response_model or model):
            continue
        place = matching.recorded(provider, model, response_model, row["project_id"])
        named = {name: row[f"sum_{name}"] for name in _SUMMED} | {"kind__model": model}
        found.setdefault((row["day"], place), Recorded()).add(named)
    return found


def _paid_by_organization() -> Q:
    return Q(kind__billing_scope=CallKind.BillingScope.ORG)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
