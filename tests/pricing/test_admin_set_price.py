from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from pricing.models import AIModel, ModelAlias, PriceChange, PriceVersion
from pricing.price_book import current_book
from pricing.publishing import PriceItem, Provenance, contracted_card, set_prices
from pricing.selectors import MANUAL, named_card

pytestmark = pytest.mark.django_db
ADD = "/admin/pricing/priceversion/add/"


@pytest.fixture
def staff(catalogue: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    return client


def form(*rows: dict[str, Any], **head: Any) -> dict[str, Any]:
    sent = {
        "provider": "shop", "model": "m-1", "rate_card": named_card(MANUAL).pk,
        "service_tier": "standard", "currency": "USD", "reason": "new list",
        "meters-TOTAL_FORMS": len(rows), "meters-INITIAL_FORMS": 0, **head,
    }  # fmt: skip
    for number, row in enumerate(rows):
        for name, value in {"per": 1_000_000, **row}.items():
            sent[f"meters-{number}-{name}"] = value
    return sent


def publish(client: Client, sent: dict[str, Any], **more: Any) -> Any:
    shown = client.post(ADD, sent)
    assert shown.status_code == 200, shown.content
    return client.post(ADD, {**sent, "publish": "", "mark": shown.context["mark"], **more})


def manual_prices(model: str = "m-1") -> dict[str, Decimal]:
    version = PriceVersion.objects.filter(model__name=model, effective_to=None).latest("id")
    return {price.meter: price.unit_price for price in version.prices.all()}


INPUT, OUTPUT = (
    {"meter": "input_tokens", "unit_price": "8.03"},
    {"meter": "output_tokens", "unit_price": "15"},
)


def test_a_price_is_shown_first_and_set_when_confirmed(staff: Client) -> None:
    shown = staff.post(ADD, form(INPUT, OUTPUT, {"meter": "cache_read_tokens"}))
    assert not AIModel.objects.filter(name="m-1").exists()
    assert "8.03 USD" in shown.text
    assert "Set 2 prices" in shown.text

    done = publish(staff, form(INPUT, OUTPUT, {"meter": "cache_read_tokens"}))

    model = AIModel.objects.get(name="m-1")
    assert done.url == reverse("admin:pricing_aimodel_change", args=[model.pk])
    assert manual_prices() == {"input_tokens": Decimal("8.03"), "output_tokens": 15}
    change = PriceChange.objects.filter(action="update_ai_pricing").get()
    assert (str(change.made_by), change.reason, change.origin) == ("root", "new list", "admin")
    assert PriceVersion.objects.get(model=model).created_by == change.made_by


def test_what_was_not_shown_is_not_set(staff: Client) -> None:
    mark = staff.post(ADD, form(INPUT)).context["mark"]
    other = {**INPUT, "unit_price": "80.3"}
    answer = staff.post(ADD, {**form(other), "publish": "", "mark": mark})
    assert answer.status_code == 200
    assert "80.3 USD" in answer.text
    assert not AIModel.objects.filter(name="m-1").exists()


def test_a_price_far_off_needs_a_second_word(staff: Client) -> None:
    publish(staff, form(INPUT))
    slip = form({**INPUT, "unit_price": "0.00000803"})

    shown = publish(staff, slip)
    assert shown.status_code == 200
    assert "÷ 1,000,000" in shown.text
    assert manual_prices() == {"input_tokens": Decimal("8.03")}
    assert publish(staff, slip, meant="on").status_code == 302
    assert manual_prices() == {"input_tokens": Decimal("0.00000803")}


def test_changing_a_version_begins_with_a_copy_and_appends(staff: Client) -> None:
    listed = PriceVersion.objects.get(
        model__name="claude-sonnet-4-5", service_tier="standard", model__provider__slug="anthropic"
    )
    page = staff.get(ADD, {"change": listed.pk})
    first = page.context["form"].initial
    assert (first["model"], first["whole"]) == ("claude-sonnet-4-5", True)
    assert first["rate_card"] == named_card(MANUAL).pk
    rows = [dict(row) for row in page.context["rows"].initial]
    (output,) = (row for row in rows if row["meter"] == "output_tokens")
    assert (output["unit_price"], output["tiers"]) == ("15", "200000: 22.5")
    kept = [row for row in rows if row["meter"] in ("input_tokens", "output_tokens")]
    kept[0]["unit_price"] = "2.5"

    sent = form(*kept, provider="anthropic", model="claude-sonnet-4-5", whole="on")
    assert publish(staff, sent).status_code == 302

    assert set(manual_prices("claude-sonnet-4-5")) == {"input_tokens", "output_tokens"}
    listed.refresh_from_db()
    assert listed.effective_to is None
    change = PriceChange.objects.filter(action="update_ai_pricing").get()
    assert "cache_read_tokens" in {row["meter"] for row in change.details["prices"]}


def test_nothing_new_is_said_to_be_nothing(staff: Client) -> None:
    publish(staff, form(INPUT))
    shown = staff.post(ADD, form(INPUT))
    assert "Nothing would change" in shown.text


@pytest.mark.parametrize(
    ("rows", "head", "where"),
    [
        ([{**INPUT, "unit_price": "cheap"}], {}, "no number"),
        ([{**INPUT, "unit_price": "-1"}], {}, "not negative"),
        ([{**INPUT, "unit_price": "NaN"}], {}, "finite"),
        ([{**INPUT, "meter": "Input tokens"}], {}, "A meter is named"),
        ([{**INPUT, "meter": ""}], {}, "Which meter"),
        ([{**INPUT, "tiers": "later: 5"}], {}, "Write tiers as"),
        ([{**INPUT, "tiers": "200: 1; 100: 2"}], {}, "ascend"),
        ([{"meter": "input_tokens", "unit_price": "", "tiers": "5: 5"}], {}, "above a first price"),
        ([INPUT, INPUT], {}, "has a price for this time already"),
        ([{"meter": "input_tokens"}], {}, "Name at least one price"),
        ([INPUT], {"reason": ""}, "required"),
        ([INPUT], {"currency": "E1R"}, "three letters of ISO 4217"),
        ([INPUT], {"provider": "litellm"}, "passes calls on"),
        ([INPUT], {"rate_card": "0"}, "Select a valid choice"),
        ([INPUT], {"effective_from": "yesterday"}, "Enter a valid date"),
    ],
)
def test_what_is_wrong_is_said_beside_it(
    staff: Client, rows: list[dict[str, Any]], head: dict[str, Any], where: str
) -> None:
    answer = staff.post(ADD, {**form(*rows, **head), "publish": "", "mark": "x"})
    assert answer.status_code == 200
    assert where in answer.text
    assert not AIModel.objects.filter(name="m-1").exists()


def test_setting_prices_needs_the_right_to(catalogue: None, client: Client) -> None:
    user = User.objects.create_user("vera", is_staff=True)
    client.force_login(user)
    assert client.get(ADD).status_code == 403
    assert client.post(ADD, form(INPUT)).status_code == 403
    user.user_permissions.add(Permission.objects.get(codename="add_priceversion"))
    assert publish(client, form(INPUT)).status_code == 302
    assert client.get(ADD).status_code == 200
    assert "claude-sonnet-4-5" in client.get(ADD).text


@pytest.fixture
def sonnet(catalogue: None) -> AIModel:
    return AIModel.objects.get(name="claude-sonnet-4-5", provider__slug="anthropic")


def test_a_model_page_shows_its_prices_along_time(staff: Client, sonnet: AIModel) -> None:
    item = PriceItem("anthropic", sonnet.name, "input_tokens", Decimal(4), "USD")
    by_hand = Provenance("command", reason="because of tax", actor="prices set")
    set_prices(named_card(MANUAL), [item], by_hand)
    contract = contracted_card("acme contract")
    set_prices(contract, [item], by_hand)
    set_prices(contract, [PriceItem("anthropic", sonnet.name, "input_tokens", Decimal(3), "USD")],
               by_hand)  # fmt: skip

    page = staff.get(reverse("admin:pricing_aimodel_change", args=[sonnet.pk])).text

    assert "because of tax" in page
    assert "acme contract" in page
    assert "-25.0 %" in page
    assert "always" in page


def test_names_are_given_and_taken(staff: Client, sonnet: AIModel) -> None:
    add = reverse("admin:pricing_add_name", args=[sonnet.pk])
    staff.post(add, {"kind": "exact", "text": "Our-Deployment"})

    alias = ModelAlias.objects.get(text="our-deployment")
    assert alias.model == sonnet
    found = current_book().find("anthropic", "our-deployment", PriceVersion.objects.latest(
        "created_at").created_at)  # fmt: skip
    assert found is not None
    assert found.model == sonnet.name
    for wrong in ({"kind": "pattern", "text": "("}, {"kind": "exact", "text": ""}, {}):
        staff.post(add, wrong)
    assert ModelAlias.objects.filter(model=sonnet, origin="manual").count() == 1

    listed = sonnet.aliases.exclude(origin="manual").first()
    assert listed is not None
    for row in (alias, listed):
        staff.post(reverse("admin:pricing_remove_name", args=[sonnet.pk, row.pk]))
    assert list(ModelAlias.objects.filter(pk__in=[alias.pk, listed.pk])) == [listed]
    actions = PriceChange.objects.filter(action="update_ai_names").order_by("id")
    assert [str(change.made_by) for change in actions] == ["root", "root"]


def test_names_need_the_right_to_change_models(sonnet: AIModel, client: Client) -> None:
    user = User.objects.create_user("vera", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_aimodel"))
    client.force_login(user)
    add = reverse("admin:pricing_add_name", args=[sonnet.pk])
    assert client.post(add, {"kind": "exact", "text": "x"}).status_code == 403
    assert client.get(add).status_code == 405
    page = client.get(reverse("admin:pricing_aimodel_change", args=[sonnet.pk])).text
    assert "Add the name" not in page
    assert "Price history" not in page
