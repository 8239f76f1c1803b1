import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from pricing.models import AIModel, PriceChange, PriceVersion, Provider, RateCard


@pytest.fixture
def staff(catalogue: None, client: Client) -> Client:
    client.force_login(get_user_model().objects.create_superuser("root"))
    return client


@pytest.mark.parametrize("model", [AIModel, RateCard, PriceVersion])
def test_lists_and_pages_open_but_change_nothing(
    staff: Client, model: type[AIModel | RateCard | PriceVersion]
) -> None:
    name = f"admin:pricing_{model._meta.model_name}"
    row = model._default_manager.order_by("pk").first()
    assert row is not None
    assert staff.get(reverse(f"{name}_changelist"), {"q": "a"}).status_code == 200
    page = reverse(f"{name}_change", args=[row.pk])
    assert staff.get(page).status_code == 200
    assert staff.post(page, {"name": "changed"}).status_code == 403
    assert staff.post(reverse(f"{name}_delete", args=[row.pk])).status_code == 403


def test_models_and_providers_are_made_by_pricing_them(staff: Client) -> None:
    for name in ("aimodel", "provider"):
        assert staff.get(reverse(f"admin:pricing_{name}_add")).status_code == 403


def test_a_version_page_shows_prices_with_their_steps(staff: Client) -> None:
    version = PriceVersion.objects.get(
        model__name="claude-sonnet-4-5", service_tier="standard", model__provider__slug="anthropic"
    )
    page = staff.get(reverse("admin:pricing_priceversion_change", args=[version.pk])).text
    assert "22.5 above 200,000" in page
    assert f"?change={version.pk}" in page


def test_the_version_list_takes_few_queries(
    staff: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_max_num_queries(8):
        staff.get(reverse("admin:pricing_priceversion_changelist"))


def test_the_page_of_a_provider_says_whose_figure_counts(staff: Client) -> None:
    vendor = Provider.objects.get(slug="openrouter")
    page = reverse("admin:pricing_provider_change", args=[vendor.pk])

    answer = staff.post(page, {"reported_cost_counts": "on", "name": "Mine", "position": 9})

    assert answer.status_code == 302
    changed = Provider.objects.get(slug="openrouter")
    assert changed.reported_cost_counts
    assert (changed.name, changed.position) == (vendor.name, vendor.position)
    change = PriceChange.objects.filter(action="update_ai_provider").get()
    assert (change.count, change.origin, str(change.made_by)) == (1, "admin", "root")


def test_a_name_that_is_refused_stays_typed(staff: Client) -> None:
    model = AIModel.objects.get(name="claude-sonnet-4-5", provider__slug="anthropic")
    add = reverse("admin:pricing_add_name", args=[model.pk])
    answer = staff.post(add, {"text": "son(net", "kind": "pattern"}, follow=True)
    assert "no regular expression" in answer.text
    assert 'value="son(net"' in answer.text
    assert '<option value="pattern" selected>' in answer.text


def test_contracted_cards_are_made_by_name(staff: Client) -> None:
    add = reverse("admin:pricing_ratecard_add")
    assert staff.post(add, {"name": " acme 2027 ", "kind": "list"}).status_code == 302
    assert RateCard.objects.get(name="acme 2027").kind == "contracted"
    for taken in ("catalogue", "a\nb", ""):
        refused = staff.post(add, {"name": taken})
        assert refused.context["adminform"].form.errors["name"]
