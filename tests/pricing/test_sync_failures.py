import logging
import socket
from decimal import Decimal
from typing import Any

import genai_prices
import httpx2
import pytest
from django.db.models import Model
from pytest_django import Settings

from pricing.catalogue import fetching, load_catalogue, sync_prices
from pricing.models import (
    AIModel,
    CatalogueSource,
    PriceChange,
    PriceReview,
    PriceSync,
    PriceVersion,
    Provider,
)
from pricing.tasks import sync_prices as sync_task
from tests.pricing.price_server import PriceServer, model, shop

pytestmark = pytest.mark.usefixtures("no_prices", "small_catalogue")

GOOD = shop(*(model(name, input_mtok=1) for name in "abcd"))
TABLES: tuple[type[Model], ...] = (
    Provider,
    AIModel,
    PriceVersion,
    PriceChange,
    PriceReview,
    CatalogueSource,
)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def state() -> list[list[dict[str, Any]]]:
    return [list(table._default_manager.order_by("pk").values()) for table in TABLES]


def broken(**changes: object) -> list[dict[str, Any]]:
    return shop(*(model(name, input_mtok=1) for name in "abc"), model("d") | changes)


BAD_LISTS = {
    "no JSON": (b"{", "127.0.0.1 sent no price list: "),
    "an object": ({}, "127.0.0.1 sent no price list: "),
    "another shape": ([{"id": "shop"}], "127.0.0.1 sent no price list: "),
    "nothing": ([], "127.0.0.1 lists no prices"),
    "too few": (shop(model("a", input_mtok=1)), "lists 1 models, 4 before: too few to be true"),
    "a negative price": (
        broken(prices={"input_mtok": -1}),
        "shop/d: the price of input_tokens is negative",
    ),
    "a wrong pattern": (broken(match={"regex": "("}), "shop/d: the pattern '(' is wrong: "),
    "a model twice": (broken(id="a"), "shop: a is listed twice"),
    "a name too long": (broken(id="d" * 201), "the data cannot be stored: "),
}


@pytest.mark.parametrize("name", BAD_LISTS)
def test_broken_data_changes_nothing(price_server: PriceServer, name: str) -> None:
    price_server.say(GOOD)
    assert sync_prices().added == 4
    before = state()
    body, error = BAD_LISTS[name]
    price_server.say(body)
    row = sync_prices()
    assert row.status == PriceSync.Status.FAILED
    assert row.error.startswith(error)
    assert "\n" not in row.error
    assert (row.added, row.closed, row.refused) == (0, 0, 0)
    assert state() == before
    assert PriceSync.objects.count() == 2


def test_an_answer_that_tells_of_a_fault_changes_nothing(price_server: PriceServer) -> None:
    price_server.say(GOOD)
    sync_prices()
    before = state()
    for status in (500, 404, 301):
        price_server.say(GOOD, status=status)
        row = sync_prices()
        assert (row.status, row.error) == ("failed", f"127.0.0.1 answered {status}")
    assert state() == before


def test_a_server_that_is_too_slow_changes_nothing(
    price_server: PriceServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "TIMEOUT", httpx2.Timeout(0.05))
    price_server.say(GOOD, wait=0.3)
    load_catalogue()
    before = state()
    for source in ("genai-prices", "openrouter"):
        row = sync_prices(source)
        assert (row.status, row.error) == ("failed", "127.0.0.1 did not answer in time")
    assert state() == before


def test_without_a_network_the_try_is_visible_and_quiet(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.TALLYMAN_PRICES_URL = f"http://somebody:secret@127.0.0.1:{free_port()}/"
    load_catalogue()
    with caplog.at_level(logging.WARNING):
        sync_task()
    row = PriceSync.objects.get()
    assert row.status == PriceSync.Status.FAILED
    assert row.error.startswith("127.0.0.1 cannot be reached: ")
    assert "secret" not in caplog.text
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert row.error in caplog.text


def test_without_a_network_shipped_prices_are_loaded_where_none_were_fetched(
    settings: Settings,
) -> None:
    settings.TALLYMAN_PRICES_URL = f"http://127.0.0.1:{free_port()}/"
    row = sync_prices()
    assert (row.status, row.source_version) == ("changed", genai_prices.__version__)
    assert row.added == 1
    assert "cannot be reached" in row.error
    assert row.error.endswith(
        f"loaded the prices shipped with genai-prices {genai_prices.__version__} instead"
    )
    assert sync_prices().status == PriceSync.Status.FAILED


def test_without_a_network_a_newer_package_brings_its_prices(
    price_server: PriceServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    price_server.say(GOOD)
    sync_prices()
    price_server.say([], status=503)
    assert sync_prices().status == PriceSync.Status.FAILED
    monkeypatch.setattr(genai_prices, "__version__", "99.0.0")
    row = sync_prices()
    assert (row.status, row.source_version) == ("changed", "99.0.0")
    assert "127.0.0.1 answered 503; loaded" in row.error


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"{", "127.0.0.1 sent no price list: "),
        ([], "the answer holds no list of models"),
        ({"data": []}, "the answer holds no list of models"),
        (
            {"data": [{"id": "a/b", "pricing": {"prompt": "-2", "completion": "1"}}]},
            "a price is negative: prompt -2",
        ),
        (
            {"data": [{"id": "a/0", "pricing": {"prompt": "0", "completion": "0"}}]},
            "lists 1 models, 4 before: too few to be true",
        ),
    ],
)
def test_broken_data_of_openrouter_changes_nothing(
    price_server: PriceServer, body: object, error: str
) -> None:
    pricing = {"prompt": "0.000001", "completion": "0.000002"}
    price_server.say({"data": [{"id": f"a/{n}", "pricing": pricing} for n in range(4)]})
    assert sync_prices("openrouter").added == 4
    before = state()
    price_server.say(body)
    row = sync_prices("openrouter")
    assert (row.status, row.source) == ("failed", "openrouter")
    assert row.error.startswith(error)
    assert state() == before


def test_an_endless_answer_is_cut_off(
    price_server: PriceServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "MAX_BYTES", 1000)
    price_server.say({"data": ["x" * 2000]})
    assert sync_prices("openrouter").error == "127.0.0.1 sent more than 1,000 bytes"


def test_money_of_a_fetched_list_is_exact(price_server: PriceServer) -> None:
    price_server.say(shop(model("m", input_mtok=8.03, output_mtok=0.1)))
    sync_prices()
    prices = PriceVersion.objects.get().prices.values_list("unit_price", flat=True)
    assert sorted(prices) == [Decimal("0.1"), Decimal("8.03")]
