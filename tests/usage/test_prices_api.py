from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from rest_framework.test import APIClient

from pricing.models import PriceChange, PriceVersion, RateCard
from pricing.selectors import MANUAL, named_card
from tests.usage.conftest import body
from tests.usage.price_calls import SONNET, URL, listed, price, put
from usage.contracts import own_card
from usage.models import Membership, Organization
from usage.organizations import ensure_organization

pytestmark = pytest.mark.django_db
ClientFor = Callable[..., APIClient]


def faults(answer: Any) -> list[tuple[int | None, str, str]]:
    assert answer.headers["Content-Type"] == "application/problem+json"
    errors = answer.json()["errors"]
    return [(error.get("index"), error["field"], error["code"]) for error in errors]


@pytest.mark.parametrize("url", [URL, "/api/v1/prices"])
def test_a_site_key_sets_prices_by_hand_for_everybody(client_for: ClientFor, url: str) -> None:
    manager = client_for(None, "manage", "read", "ingest")

    answer = put(
        manager,
        price(effective_from="2026-11-01T00:00:00Z"),
        price("output_tokens", 15.5, effective_from="2026-11-01T00:00:00Z", reason="new list"),
        price("reasoning_tokens", "0.1234567891", effective_from="2026-11-01T00:00:00Z"),
        url=url,
    )

    assert answer.status_code == 200
    shown = {row["meter"]: row for row in answer.json()["results"] if row["provider"] == "shop"}
    assert {name: row["unit_price"] for name, row in shown.items()} == {
        "input_tokens": "8.03",
        "output_tokens": "15.5",
        "reasoning_tokens": "0.1234567891",
    }
    assert shown["input_tokens"]["rate_card"] == "manual"
    assert answer.json()["changed"] == 3
    assert len(answer.json()["results"]) > 5000
    change = PriceChange.objects.filter(action="update_ai_pricing").get()
    assert (change.count, change.origin) == (3, "api")
    assert change.actor.startswith("API key test (tm_")
    event = body(provider="shop", model="m-1", input_tokens=1_000_000, output_tokens=0)
    ensure_organization("acme")
    sent = manager.post("/api/v1/events/", {**event, "organization": "acme"}, format="json")
    assert sent.json()["results"][0]["cost"] == "8.0300000000"


def test_numbers_are_read_as_they_are_written(client_for: ClientFor) -> None:
    manager = client_for(None, "manage", "read")
    raw = (
        '{"prices": [{"provider": "shop", "model": "m-1", "meter": "input_tokens",'
        ' "unit_price": 1234567.1234567891, "currency": "EUR"}]}'
    )
    answer = manager.put(URL, raw, content_type="application/json")
    assert answer.status_code == 200
    (row,) = listed(manager, provider="shop")
    assert (row["unit_price"], row["currency"]) == ("1234567.1234567891", "EUR")


def test_putting_the_same_again_changes_nothing(client_for: ClientFor) -> None:
    manager = client_for(None, "manage", "read")
    put(manager, price())
    again = put(manager, price())
    assert (again.status_code, again.json()["changed"]) == (200, 0)
    assert PriceVersion.objects.filter(model__name="m-1").count() == 1


def test_an_organization_writes_its_own_contract_which_nobody_else_sees(
    client_for: ClientFor,
) -> None:
    acme = client_for("acme", "manage", "read", "ingest")
    globex = client_for("globex", "manage", "read", "ingest")

    answer = put(acme, price(unit_price="1.5", **SONNET))

    assert answer.status_code == 200
    card = Organization.objects.get(slug="acme").rate_card
    assert card is not None
    assert (card.kind, card.name) == ("contracted", "acme contract")
    names = {row["rate_card"] for row in listed(acme, **SONNET)}
    assert names == {"catalogue", "acme contract"}
    assert {row["rate_card"] for row in listed(globex, **SONNET)} == {"catalogue"}
    assert listed(globex, rate_card="acme contract") == []
    assert "acme contract" not in put(globex, price()).content.decode()
    site = client_for(None, "read")
    assert "acme contract" in {row["rate_card"] for row in listed(site, **SONNET)}
    event = body(input_tokens=1000, output_tokens=0)
    event["occurred_at"] = datetime.now(UTC).isoformat()
    costs = [
        key.post("/api/v1/events/", event, format="json").json()["results"][0]["cost"]
        for key in (acme, globex)
    ]
    assert costs == ["0.0015000000", "0.0030000000"]


def test_staff_see_the_contracts_of_their_organizations_and_set_nothing(
    client_for: ClientFor,
) -> None:
    put(client_for("acme", "manage"), price())
    put(client_for("globex", "manage"), price())
    user = User.objects.create_user("vera", is_staff=True)
    Membership.objects.create(user=user, organization=Organization.objects.get(slug="acme"))
    browser = Client()
    browser.force_login(user)

    assert {row["rate_card"] for row in listed(browser, provider="shop")} == {"acme contract"}
    refused = browser.put(URL, {"prices": [price()]}, content_type="application/json")
    assert refused.status_code == 403
    user.user_permissions.add(Permission.objects.get(codename="view_all_organizations"))
    assert len({row["rate_card"] for row in listed(browser, provider="shop")}) == 2


def test_a_shared_or_common_card_is_not_written_by_one_organization(client_for: ClientFor) -> None:
    acme = client_for("acme", "manage", "read")
    shared = own_card(ensure_organization("acme").pk)
    Organization.objects.filter(pk=ensure_organization("globex").pk).update(rate_card=shared)
    assert faults(put(acme, price())) == [(None, "rate_card", "not_yours")]

    Organization.objects.filter(slug="acme").update(rate_card=named_card(MANUAL))
    assert faults(put(acme, price())) == [(None, "rate_card", "not_yours")]
    assert not PriceVersion.objects.filter(model__name="m-1").exists()


@pytest.mark.parametrize("scopes", [("read",), ("ingest",), ("check",)])
def test_writing_needs_the_scope_manage(client_for: ClientFor, scopes: tuple[str, ...]) -> None:
    assert put(client_for("acme", *scopes), price()).status_code == 403
    assert not RateCard.objects.filter(kind="contracted").exists()


WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"unit_price": "-1"}, "unit_price", "negative"),
    ({"unit_price": "three"}, "unit_price", "invalid"),
    ({"unit_price": True}, "unit_price", "invalid"),
    ({"unit_price": "NaN"}, "unit_price", "invalid"),
    ({"unit_price": "0.00000000001"}, "unit_price", "too_precise"),
    ({"currency": "dollars"}, "currency", "invalid"),
    ({"meter": "Input Tokens"}, "meter", "invalid"),
    ({"colour": "red"}, "colour", "unknown_field"),
    ({"effective_from": "2026-11-01T00:00:00"}, "effective_from", "invalid"),
    ({"effective_from": "soon"}, "effective_from", "invalid"),
    ({"tiers": [{"above": 5}]}, "tiers[0].unit_price", "required"),
    ({"service_tier": "express"}, "service_tier", "unknown"),
    ({"reason": "a\0b"}, "reason", "invalid"),
    ({"reason": "x" * 2001}, "reason", "invalid"),
]


@pytest.mark.parametrize(("wrong", "field", "code"), WRONG)
def test_one_wrong_price_stops_all_and_is_named(
    client_for: ClientFor, wrong: dict[str, Any], field: str, code: str
) -> None:
    manager = client_for(None, "manage", "read")
    answer = put(manager, price("output_tokens"), {**price(), **wrong})
    assert answer.status_code == 422
    assert faults(answer) == [(1, field, code)]
    assert listed(manager, provider="shop") == []


@pytest.mark.parametrize(
    ("sent", "status", "found"),
    [
        (b"{", 400, []),
        (b"[]", 422, [(None, "prices", "invalid")]),
        (b"{}", 422, [(None, "prices", "required")]),
        (b'{"prices": []}', 422, [(None, "prices", "empty")]),
        (b'{"prices": [], "rates": []}', 422, [(None, "rates", "unknown_field")]),
        (b'{"prices": [1]}', 422, [(0, "prices", "invalid")]),
        (b'{"prices": [{"provider": "x"}]}', 422, [(0, "model", "required")]),
    ],
)
def test_a_body_of_another_shape_is_refused(
    client_for: ClientFor, sent: bytes, status: int, found: list[Any]
) -> None:
    answer = client_for(None, "manage").put(URL, sent, content_type="application/json")
    assert answer.status_code == status
    assert faults(answer) == found


def test_more_prices_than_a_request_may_set_are_refused(client_for: ClientFor) -> None:
    answer = put(client_for(None, "manage"), *([price()] * 10_001))
    assert faults(answer) == [(None, "prices", "too_many")]


def test_a_price_far_off_is_set_with_a_warning(client_for: ClientFor) -> None:
    manager = client_for(None, "manage", "read")
    put(manager, price(unit_price="3"))
    answer = put(manager, price(unit_price="0.000003"))
    assert answer.status_code == 200
    (warning,) = answer.json()["warnings"]
    assert "shop/m-1 input_tokens goes from 3" in warning
