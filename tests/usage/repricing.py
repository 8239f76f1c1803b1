"""Setting prices, and looking at what stored events cost."""

from datetime import UTC, datetime
from decimal import Decimal

from pricing.models import PriceVersion
from pricing.publishing import Provenance
from pricing.rating import MeterPrice
from pricing.selectors import MANUAL, named_card
from tests.published import publish_price
from usage.models import MonthlyRollup, RatingRun, UsageEvent
from usage.rerating import apply_run, finish_run, plan_run, request_run
from usage.rollups import roll_up
from usage.selectors.access import EVERYTHING, Viewer
from usage.selectors.unpriced import unpriced_groups
from usage.verification import verify

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
START, END = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
SONNET = "claude-sonnet-4-5"


def price(
    input_price: str,
    output_price: str = "0",
    model: str = SONNET,
    provider: str = "anthropic",
    since: datetime = LONG_AGO,
) -> PriceVersion:
    return publish_price(
        rate_card=named_card(MANUAL),
        provider=provider,
        model=model,
        prices=[
            MeterPrice("input_tokens", Decimal(input_price), 1_000_000),
            MeterPrice("output_tokens", Decimal(output_price), 1_000_000),
        ],
        effective_from=since,
        source=Provenance("test", reason="because"),
    )


def planned(**fields: object) -> RatingRun:
    return plan_run(request_run(**{"start": START, "end": END, **fields}))  # type: ignore[arg-type]


def applied(**fields: object) -> RatingRun:
    run = finish_run(apply_run(planned(**fields)))
    assert run.status == RatingRun.Status.APPLIED, run.error
    return run


def costs() -> dict[str, Decimal | None]:
    rows = UsageEvent.objects.filter(state=UsageEvent.State.COUNTED)
    return dict(rows.values_list("event_id", "cost"))


def ratings() -> list[tuple[object, ...]]:
    return sorted(
        UsageEvent.objects.values_list(
            "event_id", "state", "price_version_id", "exchange_rate", "cost", "input_cost",
            "output_cost", "cache_cost",
        ).exclude(event_id__startswith="adjustment-"),
        key=str,
    )  # fmt: skip


def month_costs() -> dict[str, Decimal]:
    roll_up(wait=True)
    sums: dict[str, Decimal] = {}
    for row in MonthlyRollup.objects.all():
        name = f"{row.month:%Y-%m}"
        sums[name] = sums.get(name, Decimal(0)) + row.cost
    return {name: cost for name, cost in sums.items() if cost}


def assert_sound() -> None:
    found = verify()
    assert (found.drifts, found.pending_buckets) == ([], 0)


def unpriced_count(viewer: Viewer = EVERYTHING) -> int:
    return sum(group.events for group in unpriced_groups(viewer))
