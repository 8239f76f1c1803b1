import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import genai_prices
import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django import Settings

from pricing.catalogue import load_catalogue, loading, sync_prices
from pricing.models import CatalogueSource, PriceChange, PriceReview, PriceSync, PriceVersion
from pricing.price_book import current_book
from pricing.publishing import Provenance
from pricing.rating import MeterPrice, rate
from pricing.revision import current_revision
from pricing.selectors import MANUAL, named_card
from pricing.tasks import sync_openrouter
from pricing.tasks import sync_prices as sync_task
from tests.pricing.price_server import PriceServer, model, shop
from tests.published import publish_price

pytestmark = pytest.mark.usefixtures("no_prices")

MAY = datetime(2026, 5, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def cost(at: datetime | None = None, name: str = "m") -> Decimal | None:
    found = current_book().find("shop", name, at or timezone.now())
    return None if found is None else rate({"input_tokens": 1_000_000}, found).cost


def test_a_fetched_change_holds_from_when_it_was_seen(price_server: PriceServer) -> None:
    price_server.say(shop(model("m", input_mtok=1)))
    first = sync_prices()
    before = timezone.now()
    price_server.say(shop(model("m", input_mtok=2.5)))
    second = sync_prices()
    assert [(row.status, row.added, row.closed) for row in (first, second)] == [
        (PriceSync.Status.CHANGED, 1, 0),
        (PriceSync.Status.CHANGED, 1, 1),
    ]
    assert [cost(MAY), cost(before), cost()] == [1, 1, Decimal("2.5")]
    version = f"{genai_prices.__version__} fetched {second.started_at:%Y-%m-%d}"
    assert second.source_version == version
    source = CatalogueSource.objects.get()
    assert (source.version, source.fetched_at) == (version, second.started_at)
    assert current_book().find("shop", "m", timezone.now()) is not None
    assert PriceVersion.objects.order_by("-id")[0].source_version == version


def test_the_second_sync_of_the_same_prices_changes_nothing(price_server: PriceServer) -> None:
    price_server.say(shop(model("m", input_mtok=1)))
    sync_prices()
    changes, revision = PriceChange.objects.count(), current_revision()
    row = sync_prices()
    assert (row.status, row.added, row.closed, row.unchanged) == ("unchanged", 0, 0, 1)
    assert (PriceChange.objects.count(), current_revision()) == (changes, revision)
    assert price_server.requests == 2


def test_a_list_in_another_order_is_no_change_of_prices(price_server: PriceServer) -> None:
    price_server.say(shop(model("m", input_mtok=1), model("n", input_mtok=1)))
    sync_prices()
    changes = PriceChange.objects.count()
    price_server.say(shop(model("n", input_mtok=1), model("m", input_mtok=1)))
    assert sync_prices().status == PriceSync.Status.UNCHANGED
    assert PriceChange.objects.count() == changes


def test_the_record_tells_what_a_sync_changed_and_from_when(price_server: PriceServer) -> None:
    price_server.say(shop(model("m", input_mtok=1)))
    sync_prices()
    dated = {"constraint": {"start_date": "2026-05-01"}, "prices": {"input_mtok": 2}}
    price_server.say(shop(model("m") | {"prices": [{"prices": {"input_mtok": 1}}, dated]}))
    sync_prices()
    change = PriceChange.objects.latest("id")
    assert (change.action, change.count, change.holds_from) == ("sync_ai_pricing", 1, MAY)
    assert change.details == {"added": 1, "closed": 1, "names": 0, "refused": 0, "listed": 1}
    assert [change.versions.count(), change.ended_versions.count()] == [1, 1]
    assert [cost(MAY - SECOND), cost(MAY), cost()] == [1, 2, 2]


def test_an_undated_change_is_not_recorded_as_one_of_the_past(price_server: PriceServer) -> None:
    price_server.say(shop(model("m", input_mtok=1)))
    sync_prices()
    price_server.say(shop(model("m", input_mtok=2)))
    sync_prices()
    change = PriceChange.objects.latest("id")
    assert change.holds_from is not None
    assert change.holds_from >= change.made_at


def test_a_price_set_by_hand_wins_over_every_source(price_server: PriceServer) -> None:
    price = MeterPrice("input_tokens", Decimal(7), 1_000_000)
    publish_price(
        rate_card=named_card(MANUAL),
        provider="shop",
        model="m",
        prices=[price],
        effective_from=MAY,
        source=Provenance("manual"),
    )
    price_server.say(shop(model("m", input_mtok=1)))
    assert sync_prices().added == 1
    assert [cost(MAY - SECOND), cost()] == [1, 7]
    assert PriceVersion.objects.filter(rate_card__name=MANUAL, effective_to=None).count() == 1


def test_a_model_that_vanishes_keeps_its_price(price_server: PriceServer) -> None:
    price_server.say(shop(model("m", input_mtok=1), model("n", input_mtok=1)))
    sync_prices()
    price_server.say(shop(model("n", input_mtok=1)))
    assert sync_prices().closed == 0
    assert cost() == 1
    price_server.say(shop(model("n", input_mtok=1), model("m")))
    assert sync_prices().closed == 0
    assert cost() == 1


@pytest.mark.usefixtures("small_catalogue")
def test_shipped_prices_never_replace_fetched_ones(
    price_server: PriceServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    price_server.say(shop(model("m", input_mtok=1)))
    sync_prices()
    assert load_catalogue().changed is False
    assert PriceVersion.objects.count() == 1
    monkeypatch.setattr(genai_prices, "__version__", "99.0.0")
    result = load_catalogue()
    assert result.added == 1
    assert loading.shipped_version() == CatalogueSource.objects.get().version == "99.0.0"
    assert CatalogueSource.objects.get().fetched_at is None


def test_without_an_address_the_shipped_prices_are_loaded(settings: Settings) -> None:
    assert settings.TALLYMAN_PRICES_URL == ""
    row = sync_prices()
    assert (row.status, row.source_version) == ("changed", genai_prices.__version__)
    assert row.refused == PriceReview.objects.count() == 0
    assert row.added > 2500
    assert sync_prices().status == PriceSync.Status.UNCHANGED


@pytest.mark.usefixtures("small_catalogue")
def test_the_tasks_leave_a_row_each_unless_the_source_is_off(
    price_server: PriceServer, settings: Settings
) -> None:
    price_server.say(b"no JSON")
    load_catalogue()
    sync_task()
    sync_openrouter()
    settings.TALLYMAN_OPENROUTER_URL = ""
    sync_openrouter()
    rows = PriceSync.objects.order_by("id").values_list("source", "status")
    assert list(rows) == [("genai-prices", "failed"), ("openrouter", "failed")]


def test_an_unknown_source_is_an_error_of_the_caller() -> None:
    with pytest.raises(ValueError, match="nowhere"):
        sync_prices("nowhere")
    assert not PriceSync.objects.exists()


def test_the_command_tells_what_was_refused(
    price_server: PriceServer, capsys: pytest.CaptureFixture[str]
) -> None:
    price_server.say(shop(model("m", input_mtok=1), model("n", input_mtok=1)))
    call_command("prices", "sync")
    assert capsys.readouterr().out == "prices: 2 added, 0 closed, 0 unchanged\n"
    price_server.say(shop(model("m", input_mtok=11), model("n", input_mtok=2)))
    call_command("prices", "sync")
    assert capsys.readouterr().out == (
        "prices: 1 added, 1 closed, 2 unchanged, 1 refused\n"
        "refused: shop/m standard input_tokens 1 -> 11 USD per 1,000,000:"
        " more than ten times off the last price\n"
    )


@pytest.mark.usefixtures("small_catalogue")
def test_the_command_fails_in_one_line(price_server: PriceServer) -> None:
    price_server.say([], status=500)
    load_catalogue()
    with pytest.raises(CommandError) as failure:
        call_command("prices", "sync")
    assert re.fullmatch(r"genai-prices: 127\.0\.0\.1 answered 500", str(failure.value))
    with pytest.raises(CommandError, match=r"^openrouter: 127.0.0.1 answered 500$"):
        call_command("prices", "sync", "--source", "openrouter")
