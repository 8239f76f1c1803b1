from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.test import Client
from rest_framework.test import APIClient

from tests.usage.conftest import body
from usage.keys import create_key
from usage.models import APIKey, UsageEvent

pytestmark = pytest.mark.django_db


def provider_stored(client: APIClient, **fields: Any) -> str:
    answer = client.post("/api/v1/events/", body(**fields), format="json")
    assert answer.json()["accepted"] == 1, answer.json()
    return UsageEvent.objects.select_related("kind").get().kind.provider


@pytest.fixture
def keyed(client_for: Callable[..., APIClient]) -> APIClient:
    client = client_for()
    APIKey.objects.update(provider="openrouter")
    return client


def test_an_event_that_names_no_provider_gets_that_of_its_key(keyed: APIClient) -> None:
    assert provider_stored(keyed, provider="", model="anthropic/claude-sonnet-4.5") == "openrouter"


def test_a_provider_in_the_event_wins_over_that_of_the_key(keyed: APIClient) -> None:
    assert provider_stored(keyed, provider="anthropic") == "anthropic"


def test_a_usage_object_is_read_as_the_provider_of_the_key_means_it(keyed: APIClient) -> None:
    APIKey.objects.update(provider="x-ai")
    usage = {"prompt_tokens": 10, "completion_tokens": 4,
             "completion_tokens_details": {"reasoning_tokens": 6}}  # fmt: skip
    fields = {"provider": "", "model": "some-model", "input_tokens": 0, "output_tokens": 0}
    assert provider_stored(keyed, **fields, usage=usage) == "x-ai"
    assert UsageEvent.objects.get().output_tokens == 10


def test_the_command_makes_and_lists_keys_with_a_provider() -> None:
    call_command(
        "apikey", "create", "--site", "--scope", "ingest", "--provider", "groq", stdout=StringIO()
    )
    assert APIKey.objects.get().provider == "groq"
    out = StringIO()
    call_command("apikey", "list", stdout=out)
    assert "groq" in out.getvalue()


@pytest.mark.parametrize("name", ["x" * 129, "a\nb"])
def test_a_provider_no_event_could_name_is_refused(name: str) -> None:
    with pytest.raises(ValidationError):
        create_key("acme", ["ingest"], "k", provider=name)
    with pytest.raises(CommandError):
        call_command("apikey", "create", "--site", "--scope", "ingest", "--provider", name)
    assert not APIKey.objects.exists()


def test_the_admin_makes_keys_with_a_provider(admin_client: Client, admin_user: User) -> None:
    form = {"name": "k", "scopes": ["ingest"], "provider": "mistral", "expires": ""}
    page = admin_client.post("/admin/usage/apikey/add/", form)
    assert page.status_code == 200
    key = APIKey.objects.get()
    assert key.provider == "mistral"
    assert "mistral" in admin_client.get(f"/admin/usage/apikey/{key.pk}/change/").content.decode()
