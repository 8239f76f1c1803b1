from decimal import Decimal

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from pricing.models import AIModel, PriceVersion, RateCard
from pricing.publishing import PriceItem, Provenance, set_prices
from usage.contracts import own_card
from usage.models import Membership, Organization
from usage.organizations import ensure_organization

pytestmark = pytest.mark.django_db
RIGHTS = ("view_priceversion", "add_priceversion", "view_ratecard", "view_aimodel")
MODEL = "shared-model"


@pytest.fixture
def contracts(catalogue: None) -> dict[str, PriceVersion]:
    for slug in ("acme", "globex"):
        card = own_card(ensure_organization(slug).pk)
        item = PriceItem("shop", MODEL, "input_tokens", Decimal(3), "USD")
        set_prices(card, [item], Provenance("test", reason=f"{slug} deal"))
    versions = PriceVersion.objects.select_related("rate_card")
    return {row.rate_card.name.split()[0]: row for row in versions.filter(model__name=MODEL)}


@pytest.fixture
def vera(contracts: dict[str, PriceVersion], client: Client) -> Client:
    user = User.objects.create_user("vera", is_staff=True)
    Membership.objects.create(user=user, organization=Organization.objects.get(slug="acme"))
    user.user_permissions.set(Permission.objects.filter(codename__in=RIGHTS))
    client.force_login(user)
    return client


def test_contracts_of_other_organizations_are_nowhere(
    vera: Client, contracts: dict[str, PriceVersion]
) -> None:
    model = AIModel.objects.get(name=MODEL)
    pages = [
        reverse("admin:pricing_ratecard_changelist"),
        reverse("admin:pricing_priceversion_changelist"),
        reverse("admin:pricing_priceversion_add"),
        reverse("admin:pricing_aimodel_change", args=[model.pk]),
    ]
    for page in pages:
        shown = vera.get(page).text
        assert "acme" in shown, page
        assert "globex" not in shown, page


def test_a_foreign_contract_cannot_be_opened_copied_or_written_by_url(
    vera: Client, contracts: dict[str, PriceVersion]
) -> None:
    theirs = contracts["globex"]
    assert (
        vera.get(reverse("admin:pricing_priceversion_change", args=[theirs.pk])).status_code == 302
    )
    assert vera.get(
        reverse("admin:pricing_ratecard_change", args=[theirs.rate_card_id])
    ).status_code == 302  # fmt: skip
    add = reverse("admin:pricing_priceversion_add")
    copied = vera.get(add, {"change": theirs.pk})
    assert copied.context["form"].initial["model"] == ""
    sent = {
        "provider": "shop", "model": MODEL, "rate_card": theirs.rate_card_id,
        "service_tier": "standard", "currency": "USD", "reason": "x", "meters-TOTAL_FORMS": 1,
        "meters-INITIAL_FORMS": 0, "meters-0-meter": "input_tokens", "meters-0-unit_price": "1",
    }  # fmt: skip
    answer = vera.post(add, sent)
    assert answer.context["form"].errors["rate_card"]
    ours = vera.get(add, {"change": contracts["acme"].pk}).context["form"].initial
    assert (ours["model"], ours["rate_card"]) == (MODEL, contracts["acme"].rate_card_id)


def test_a_filter_by_a_foreign_card_finds_nothing(
    vera: Client, contracts: dict[str, PriceVersion]
) -> None:
    found = vera.get(
        reverse("admin:pricing_priceversion_changelist"),
        {"rate_card__id__exact": contracts["globex"].rate_card_id},
    )
    assert list(found.context["cl"].result_list) == []


def test_site_staff_sees_every_contract_and_whom_it_holds_for(
    contracts: dict[str, PriceVersion], admin_client: Client
) -> None:
    shown = admin_client.get(reverse("admin:pricing_ratecard_changelist")).text
    assert "acme contract" in shown
    assert "globex contract" in shown
    assert "everybody" in shown


def test_an_organizations_card_is_made_once_under_a_free_name(catalogue: None) -> None:
    RateCard.objects.create(name="acme contract", kind="manual")
    organization = ensure_organization("acme")
    card = own_card(organization.pk)
    assert (card.name, card.kind) == (f"acme contract {organization.pk}", "contracted")
    assert own_card(organization.pk) == card


def test_members_see_prices_without_any_right_but_cannot_change_them(
    contracts: dict[str, PriceVersion], client: Client
) -> None:
    user = User.objects.create_user("mia", is_staff=True)
    Membership.objects.create(user=user, organization=Organization.objects.get(slug="acme"))
    client.force_login(user)

    shown = client.get(reverse("admin:pricing_priceversion_changelist") + "?q=" + MODEL).text
    own = client.get(reverse("admin:pricing_priceversion_change", args=[contracts["acme"].pk]))

    assert "acme contract" in shown
    assert "globex" not in shown
    assert own.status_code == 200
    assert client.get(reverse("admin:pricing_priceversion_add")).status_code == 403
    assert client.get(reverse("admin:pricing_ratecard_changelist")).status_code == 200


def test_a_model_that_only_a_foreign_contract_knows_is_not_listed(
    vera: Client, contracts: dict[str, PriceVersion]
) -> None:
    card = RateCard.objects.get(name="globex contract")
    item = PriceItem("shop", "globex-secret", "input_tokens", Decimal(3), "USD")
    set_prices(card, [item], Provenance("test"))
    url = reverse("admin:pricing_aimodel_changelist")

    assert "globex-secret" not in vera.get(url + "?q=secret").text
    assert MODEL in vera.get(url + "?q=" + MODEL).text


def test_staff_of_no_organization_see_no_prices(catalogue: None, client: Client) -> None:
    client.force_login(User.objects.create_user("nobody", is_staff=True))
    for page in ("priceversion", "ratecard", "aimodel", "pricechange"):
        assert client.get(reverse(f"admin:pricing_{page}_changelist")).status_code == 403
