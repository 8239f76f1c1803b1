from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from config.dashboards.question import FILTERS
from tests.config.dashboard_routes import OWN, data, own_pages, shared_pages
from tests.config.tenants import Tenant

NAMES = (
    *FILTERS, "range", "from", "through", "group", "step", "tz", "currency", "order", "cursor",
    "after", "q", "tab", "limit", "offset", "sessions", "models", "who", "month",
)  # fmt: skip
CUSTOM = {"range": "custom"}
ODD: tuple[Mapping[str, str | list[str]], ...] = (
    *(dict.fromkeys(NAMES, odd) for odd in ("a\0'\"<é😀", "9" * 200, "-1")),
    {name: ["x", "acme", "\0"] for name in NAMES},
    CUSTOM | {"from": "2199-12-31", "through": "2199-12-31"},
    CUSTOM | {"from": "2198-12-31", "through": "2198-12-31"},
    dict.fromkeys(FILTERS, "(none)"),
)


@pytest.fixture
def quokka(catalogue: None) -> None:
    Tenant("quokka")


def everything() -> Iterator[str]:
    yield from [*shared_pages(), *own_pages("quokka").values(), *data()]


def status(client: Client, path: str, asked: Mapping[str, Any] | None = None) -> int:
    answer: Any = client.get(path, asked, follow=True)
    if answer.streaming:
        answer.getvalue()
    return int(answer.status_code)


@pytest.mark.parametrize("asked", ODD)
def test_what_makes_no_sense_is_left_out(
    quokka: None, admin_client: Client, asked: Mapping[str, str | list[str]]
) -> None:
    told = {path: status(admin_client, path, asked) for path in everything()}

    assert {path: code for path, code in told.items() if code != 200} == {}


def test_advice_leaves_out_the_filters_that_it_does_not_know(
    usage: None, admin_client: Client
) -> None:
    told = {
        name
        for name in FILTERS
        if "Advice is not told apart by" in admin_client.get("/admin/advice/", {name: "x"}).text
    }

    assert told == {"team", "api_key", "session", "run"}


def test_pages_about_what_no_name_can_be_are_not_found(quokka: None, admin_client: Client) -> None:
    odd = ("\0", "..", "(none)", "'\"<script>", "é😀", "x" * 2000)
    for page, parts in OWN.items():
        for place, name in product(range(len(parts)), odd):
            for put in (name, parts[place].format("quokka") + name):
                names = [part.format("quokka") for part in parts]
                names[place] = put
                assert status(admin_client, reverse(f"admin:{page}", args=names)) == 404, names


LISTS = {
    "/admin/usage/usageevent/": (
        "from=9999-12-31", "through=9999-12-31", "from=0001-01-01", "through=0001-01-01",
        "hour=9999-12-31T23:30:00Z", "hour=0001-01-01T00:00:00%2B14:00", "hour=x", "tz=x",
        "session=%00", "q=%00", "p=x", "status=x",
    ),
    "/admin/usage/dailyrollup/": ("through=0001-01-01", "from=9999-12-31"),
    "/admin/budgets/budget/": ("period__exact=%00", "organization__id__exact=%00", "q=%00"),
    "/admin/budgets/budget/add/": ("organization=%00", "organization=quokka&project=%00"),
    "/admin/autocomplete/": (
        "app_label=budgets&model_name=budget&field_name=project&term=%00",
    ),
}  # fmt: skip


def test_lists_and_forms_pass_over_what_makes_no_sense(quokka: None, admin_client: Client) -> None:
    for path, queries in LISTS.items():
        for asked in queries:
            assert status(admin_client, f"{path}?{asked}") == 200, (path, asked)
