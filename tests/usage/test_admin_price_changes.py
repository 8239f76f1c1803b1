from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from pricing.models import PriceChange
from pricing.publishing import PriceItem, Provenance, contracted_card, set_prices
from tests.config.site_data import staff, two_organizations
from usage.models import Organization

pytestmark = pytest.mark.django_db


@pytest.fixture
def contracts(catalogue: None) -> dict[str, PriceChange]:
    two_organizations()
    made = {}
    for slug in ("acme", "globex"):
        card = contracted_card(f"{slug} contract")
        Organization.objects.filter(slug=slug).update(rate_card=card)
        item = PriceItem(
            "openai", "gpt-5", "input_tokens", Decimal(1), "USD",
            effective_from=datetime(2026, 11, 1, tzinfo=UTC),
        )  # fmt: skip
        made[slug] = set_prices(card, [item], Provenance("manual", reason=f"secret of {slug}"))
    return made


def reader(user: User) -> Client:
    user.user_permissions.add(Permission.objects.get(codename="view_pricechange"))
    client = Client()
    client.force_login(user)
    return client


def page(change: PriceChange) -> str:
    return reverse("admin:pricing_pricechange_change", args=[change.pk])


def test_the_record_hides_contracts_of_other_organizations(
    contracts: dict[str, PriceChange], admin_client: Client
) -> None:
    vera = reader(staff("vera", "acme"))

    listed = vera.get(reverse("admin:pricing_pricechange_changelist")).text
    assert "secret of acme" in listed
    assert "secret of globex" not in listed
    assert "Synced from a catalogue" in listed.split("result_list")[1]
    assert vera.get(page(contracts["acme"])).status_code == 200
    assert vera.get(page(contracts["globex"])).status_code == 302
    assert "secret of globex" in admin_client.get(page(contracts["globex"])).text


def test_what_ends_a_hidden_contract_price_is_hidden_too(
    contracts: dict[str, PriceChange],
) -> None:
    card = contracted_card("globex contract")
    item = PriceItem(
        "openai", "gpt-5", "input_tokens", Decimal(2), "USD",
        effective_from=datetime(2026, 11, 2, tzinfo=UTC),
    )  # fmt: skip
    change = set_prices(card, [item], Provenance("manual", reason="more"))

    assert reader(staff("vera", "acme")).get(page(change)).status_code == 302
    assert reader(staff("gina", "globex")).get(page(change)).status_code == 200
