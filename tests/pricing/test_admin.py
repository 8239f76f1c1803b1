import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from pricing.models import AIModel, PriceVersion, Provider, RateCard


@pytest.fixture
def staff(catalogue: None, client: Client) -> Client:
    client.force_login(get_user_model().objects.create_superuser("root"))
    return client


@pytest.mark.parametrize("model", [Provider, AIModel, RateCard, PriceVersion])
def test_lists_and_pages_open_but_change_nothing(
    staff: Client, model: type[Provider | AIModel | RateCard | PriceVersion]
) -> None:
    name = f"admin:pricing_{model._meta.model_name}"
    row = model._default_manager.order_by("pk").first()
    assert row is not None
    assert staff.get(reverse(f"{name}_changelist"), {"q": "a"}).status_code == 200
    page = reverse(f"{name}_change", args=[row.pk])
    assert staff.get(page).status_code == 200
    assert staff.post(page, {"name": "changed"}).status_code == 403
    assert staff.get(reverse(f"{name}_add")).status_code == 403
    assert staff.post(reverse(f"{name}_delete", args=[row.pk])).status_code == 403


def test_a_version_page_shows_prices_with_their_steps(staff: Client) -> None:
    version = PriceVersion.objects.get(
        model__name="claude-sonnet-4-5", service_tier="standard", model__provider__slug="anthropic"
    )
    page = staff.get(reverse("admin:pricing_priceversion_change", args=[version.pk]))
    assert "22.5 above 200,000 input tokens" in page.content.decode()


def test_the_version_list_takes_few_queries(
    staff: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_max_num_queries(8):
        staff.get(reverse("admin:pricing_priceversion_changelist"))
