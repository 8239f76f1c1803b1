"""Usage of every sort that charges are made of: acme in UTC with a contract, himal in Kathmandu."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from pricing.exchange import DatedRate, set_rates
from pricing.models import Provider, RateCard
from pricing.publishing import Provenance, contracted_card
from pricing.rating import MeterPrice
from pricing.revision import begin_price_change
from pricing.selectors import MANUAL, named_card
from tests.published import publish_price
from tests.usage.conftest import event
from tests.usage.repricing import LONG_AGO, applied, price
from usage.cost_centres import assign_project, assign_team, ensure_cost_centre
from usage.focus import freeze_closed_months
from usage.ingest import identities
from usage.ingest.identities import tenant_of
from usage.ingest.pipeline import Caller, ingest
from usage.ingest.prepare import Tenancy
from usage.models import Organization, Project, Team
from usage.organizations import change_time_zone, ensure_organization
from usage.rerating import close_month
from usage.rollups import roll_up

SEPTEMBER, OCTOBER, NOVEMBER = date(2026, 9, 1), date(2026, 10, 1), date(2026, 11, 1)
IN_SEPTEMBER = datetime(2026, 9, 10, 8, tzinfo=UTC)
IN_OCTOBER = datetime(2026, 10, 10, 8, tzinfo=UTC)
IN_NOVEMBER = datetime(2026, 11, 20, 12, tzinfo=UTC)
SONNET = {"provider": "anthropic", "model": "claude-sonnet-4-5"}
MILLION = 1_000_000


def everyone() -> Caller:
    for slug in ("acme", "himal"):
        ensure_organization(slug)
    if Organization.objects.get(slug="himal").time_zone == "UTC":
        change_time_zone(Organization.objects.get(slug="himal"), "Asia/Kathmandu")
    identities.forget()
    tenants = {slug: tenant_of(ensure_organization(slug)) for slug in ("acme", "himal")}
    return Caller(Tenancy(None, tenants))


def use(caller: Caller, event_id: str, **fields: Any) -> None:
    values = {"organization": "acme", "occurred_at": IN_NOVEMBER, **fields}
    report = ingest([event(event_id, **values)], caller)
    assert report.accepted == 1, report


def sell(model: str, *prices: MeterPrice, card: RateCard | None = None, **fields: Any) -> None:
    publish_price(
        rate_card=card or named_card(MANUAL),
        prices=prices,
        effective_from=LONG_AGO,
        source=Provenance("test"),
        model=model,
        **{"provider": "shop", **fields},
    )


def set_up_prices() -> None:
    set_rates(
        [
            DatedRate("EUR", "USD", date(2026, 1, 1), Decimal("1.1")),
            DatedRate("EUR", "USD", date(2026, 11, 20), Decimal("1.0860")),
        ],
        Provenance("test"),
    )
    sell("euro-1", MeterPrice("input_tokens", Decimal("2.5"), MILLION), currency="EUR")
    steps = ((1000, Decimal(4)), (5000, Decimal(2)))
    sell("steps-1", MeterPrice("input_tokens", Decimal(8), MILLION, steps, graduated=True))
    sell("talk-1", MeterPrice("audio_seconds", Decimal("0.36"), 3600))
    card = contracted_card("acme contract")
    Organization.objects.filter(slug="acme").update(rate_card=card)
    sell(
        "claude-opus-4-8",
        MeterPrice("input_tokens", Decimal(4), MILLION),
        MeterPrice("output_tokens", Decimal(20), MILLION),
        card=card,
        provider="anthropic",
    )
    begin_price_change()
    Provider.objects.filter(slug="openrouter").update(reported_cost_counts=True)


def set_up_usage() -> Caller:
    """Everything, with September and October of acme closed and something learnt since."""
    caller = everyone()
    set_up_prices()
    caller = everyone()
    use(caller, "september", occurred_at=IN_SEPTEMBER)
    use(caller, "october", occurred_at=IN_OCTOBER)
    use(caller, "plain", team="search", tags={"environment": "prod", "=danger": "+1"})
    use(caller, "same-day", team="search", tags={"environment": "prod", "=danger": "+1"})
    use(caller, "contract", model="claude-opus-4-8", cache_read_tokens=400)
    use(caller, "euro", provider="shop", model="euro-1", project="api")
    use(caller, "steps", provider="shop", model="steps-1", input_tokens=12_345, output_tokens=0)
    use(caller, "cliff", input_tokens=250_000)
    use(caller, "free", free_tier=True, cache_read_tokens=300, meters={"web_searches": Decimal(2)})
    reported = {"provider": "openrouter", "model": "anthropic/claude-sonnet-4.5"}
    use(caller, "reported", **reported, reported_cost=Decimal("0.0123"), currency="USD")
    use(caller, "reported-eur", **reported, reported_cost=Decimal("0.01"), currency="EUR")
    use(caller, "batch", service_tier="batch", model="claude-sonnet-4-6")
    use(caller, "own-key", billing_scope="user", project=None, subject=None)
    use(caller, "talk", provider="shop", model="talk-1", input_tokens=0, output_tokens=0,
        meters={"audio_seconds": Decimal("12.5")})  # fmt: skip
    use(caller, "unknown", model="nobody-knows-9")
    use(
        caller,
        "himal",
        organization="himal",
        occurred_at=datetime(2026, 11, 20, 18, 20, tzinfo=UTC),
    )
    acme = Organization.objects.get(slug="acme")
    books = ensure_cost_centre(acme, "4711", "Books")
    assign_project(Project.objects.get(organization=acme, slug="api"), books, NOVEMBER)
    team = Team.objects.get(organization=acme, slug="search")
    assign_team(team, ensure_cost_centre(acme, "0815"), NOVEMBER)
    learn_later(caller, acme)
    return caller


def learn_later(caller: Caller, acme: Organization) -> None:
    """Close two months, then correct, add to and re-rate them."""
    roll_up(wait=True)
    for month in (SEPTEMBER, OCTOBER):
        close_month(acme, month)
    assert freeze_closed_months() == 2
    use(caller, "late", occurred_at=IN_SEPTEMBER, project="api")
    use(caller, "october-again", occurred_at=IN_OCTOBER, corrects="october", output_tokens=1)
    price("6", "30")
    applied(start=datetime(2026, 9, 1, tzinfo=UTC), end=datetime(2026, 10, 1, tzinfo=UTC))
    roll_up(wait=True)
