from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from pricing.catalogue import CatalogueResult, load_catalogue, loading
from pricing.catalogue.listing import (
    ListedModel,
    ListedPeriod,
    ListedProvider,
    SourceFault,
)
from pricing.models import (
    AIModel,
    CatalogueSource,
    ModelAlias,
    Price,
    PriceTier,
    PriceVersion,
    Provider,
)
from pricing.models.rates import BEGINNING
from pricing.price_book import current_book
from pricing.rating import MeterPrice, rate
from pricing.revision import current_revision

NOW = datetime(2026, 11, 22, tzinfo=UTC)
YESTERDAY = NOW - timedelta(days=1)
MAY = datetime(2026, 5, 1, tzinfo=UTC)
DECEMBER = datetime(2026, 12, 1, tzinfo=UTC)


def period(
    unit_price: str, since: datetime = BEGINNING, until: datetime | None = None
) -> ListedPeriod:
    price = MeterPrice("input_tokens", Decimal(unit_price), 1_000_000)
    return ListedPeriod("standard", None, None, since, until, (price,))


def shop(*periods: ListedPeriod, model: str = "m") -> list[ListedProvider]:
    listed = ListedModel(model, (("prefix", model),), periods)
    return [ListedProvider("shop", "Shop", (), (), (), (listed,))]


Load = Callable[[list[ListedProvider]], CatalogueResult]


@pytest.fixture
def load(no_prices: None, monkeypatch: pytest.MonkeyPatch) -> Load:
    def run(providers: list[ListedProvider]) -> CatalogueResult:
        monkeypatch.setattr(loading, "listed_providers", lambda: providers)
        return load_catalogue(NOW)

    return run


def price_at(at: datetime, model: str = "m") -> Decimal | None:
    found = current_book().find("shop", model, at)
    return None if found is None else rate({"input_tokens": 1_000_000}, found).cost


def test_loading_again_changes_nothing(catalogue: None) -> None:
    tables = (Provider, AIModel, ModelAlias, PriceVersion, Price, PriceTier)
    before = [table.objects.count() for table in tables]
    revision = current_revision()
    result = load_catalogue()
    assert (result.added, result.closed) == (0, 0)
    assert result.unchanged == PriceVersion.objects.count() > 2500
    assert [table.objects.count() for table in tables] == before
    assert current_revision() == revision


def test_loading_without_the_remembered_digest_finds_nothing_to_change(catalogue: None) -> None:
    before = PriceVersion.objects.count()
    CatalogueSource.objects.update(digest="")
    result = load_catalogue()
    assert (result.added, result.closed, result.unchanged) == (0, 0, before)


def test_a_changed_undated_price_holds_from_the_sync_on(load: Load) -> None:
    load(shop(period("1")))
    result = load(shop(period("2")))
    assert (result.added, result.closed) == (1, 1)
    assert [price_at(YESTERDAY), price_at(NOW)] == [Decimal(1), Decimal(2)]


def test_a_newly_dated_price_holds_from_its_date_on(load: Load) -> None:
    load(shop(period("1")))
    load(shop(period("1", until=MAY), period("2", MAY)))
    assert [price_at(MAY - timedelta(seconds=1)), price_at(MAY)] == [Decimal(1), Decimal(2)]


def test_a_planned_price_can_be_brought_forward(load: Load) -> None:
    load(shop(period("1", until=DECEMBER), period("2", DECEMBER)))
    result = load(shop(period("1", until=MAY), period("3", MAY)))
    assert (result.added, result.closed) == (1, 2)
    assert [price_at(MAY), price_at(DECEMBER)] == [Decimal(3), Decimal(3)]
    withdrawn = PriceVersion.objects.get(model__name="m", effective_from=DECEMBER)
    assert withdrawn.effective_to == DECEMBER


def test_a_model_that_vanishes_keeps_its_prices_behind_those_still_listed(load: Load) -> None:
    load(shop(period("1"), model="mini"))
    load(shop(period("2"), model="min"))
    assert price_at(NOW, "mini") == 2
    load(shop(period("2"), model="other"))
    assert price_at(NOW, "mini") == 1


def test_a_free_price_is_zero_and_not_missing(load: Load) -> None:
    load(shop(period("0")))
    assert price_at(NOW) == 0


def test_prices_for_a_new_service_tier_leave_the_standard_ones_alone(load: Load) -> None:
    load(shop(period("2")))
    result = load(shop(period("2"), replace(period("1"), service_tier="batch")))
    assert (result.added, result.closed) == (1, 0)


def test_a_provider_that_vanishes_keeps_its_names_behind_those_still_listed(load: Load) -> None:
    gone = replace(shop(period("1"))[0], provider_rules=(("exact", "the shop"),))
    load([gone])
    load([replace(shop(period("2"), model="n")[0], slug="store")])
    assert current_book().find("the shop", "m", NOW) is not None
    positions = Provider.objects.order_by("position").values_list("slug", flat=True)
    assert list(positions) == ["store", "shop"]


def test_a_model_listed_twice_is_a_fault_of_the_data(load: Load) -> None:
    with pytest.raises(SourceFault, match="listed twice"):
        load(shop(period("1")) * 2)
