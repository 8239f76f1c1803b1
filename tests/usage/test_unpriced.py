from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from pricing.directory import ModelDirectory
from pricing.publishing import PriceItem, Provenance, contracted_card, set_prices
from tests.usage.conftest import NOON, body, event
from tests.usage.repricing import assert_sound, costs, price, unpriced_count
from usage.ingest.identities import tenant_of
from usage.ingest.pipeline import Caller, ingest
from usage.ingest.prepare import Tenancy
from usage.models import Membership, Organization, RatingRun
from usage.organizations import ensure_organization
from usage.rerating import continue_runs
from usage.rollups import roll_up
from usage.selectors.access import EVERYTHING, Viewer, viewer_of
from usage.selectors.unpriced import (
    Suggestion,
    plain_name,
    suggest,
    unpriced_groups,
)

UNKNOWN = "zyx-quux-9"
QUESTION = {"from": "2026-11-01", "to": "2026-12-01"}

pytestmark = pytest.mark.django_db


def unknown(event_id: str, **fields: object) -> object:
    return event(event_id, **{"provider": "", "model": UNKNOWN, **fields})


def usage(client: APIClient) -> tuple[int, str, int]:
    roll_up()
    totals = client.get("/api/v1/usage/", QUESTION).json()
    return totals["totals"]["events"], totals["totals"]["cost"], totals["unpriced_events"]


def test_what_only_a_contract_prices_is_suggested_to_nobody(caller: Caller) -> None:
    item = PriceItem("openai", "zyx-quux-8", "input_tokens", Decimal(1), "USD")
    set_prices(contracted_card("beta contract"), [item], Provenance("test"))
    ingest([event("x", provider="openai", model=UNKNOWN)], caller)
    (group,) = unpriced_groups(EVERYTHING)
    assert group.suggestion is None


def test_a_model_nobody_knows_is_rated_once_as_soon_as_it_has_a_price(client: APIClient) -> None:
    sent = [body("known"), body("x", model=UNKNOWN, provider="openai"), body("y", model=UNKNOWN)]
    assert client.post("/api/v1/events/", sent, format="json").json()["unpriced"] == 2
    assert usage(client) == (3, "0.0045000000", 2)
    assert unpriced_count(EVERYTHING) == 2
    assert continue_runs() == 1

    price("2", "10", model=UNKNOWN)
    continue_runs()

    assert usage(client) == (3, "0.0075000000", 1)
    assert costs() == {"known": Decimal("0.0045"), "x": None, "y": Decimal("0.003")}
    run = RatingRun.objects.get(status=RatingRun.Status.APPLIED)
    assert (run.cause, run.changed, run.before_unpriced) == ("waiting", 1, 1)
    assert continue_runs() == 0
    assert usage(client) == (3, "0.0075000000", 1)
    assert_sound()


def test_looking_costs_no_run_while_nothing_waits(caller: Caller) -> None:
    ingest([event("a")], caller)
    assert continue_runs() == 0
    assert not RatingRun.objects.exists()


def test_prices_are_looked_at_once_more_for_batches_that_were_under_way(caller: Caller) -> None:
    price("2", "10", model=UNKNOWN)
    ingest([event("a", model="still-unknown-9", provider="")], caller)
    assert continue_runs() == 1
    assert continue_runs() == 0
    ingest([unknown("late")], caller)  # type: ignore[list-item]
    RatingRun.objects.update(requested_at=NOON - timedelta(days=9))
    assert continue_runs() == 1
    assert continue_runs() == 0


def test_groups_say_what_waits_since_when_and_how_much(caller: Caller) -> None:
    other = Caller(Tenancy(tenant_of(ensure_organization("other")), {}))
    ingest([unknown("a"), unknown("b", occurred_at=NOON - timedelta(days=2))], caller)  # type: ignore[list-item]
    ingest([unknown("a", input_tokens=5), event("k", model="gpt-4-quux", provider="openai")], other)  # type: ignore[list-item]
    ingest([event("f", model="free-thing-9", free_tier=True)], other)

    first, second = unpriced_groups(EVERYTHING)

    assert (first.provider, first.model, first.events, first.organizations) == ("", UNKNOWN, 3, 2)
    assert (first.first_at, first.last_at) == (NOON - timedelta(days=2), NOON)
    assert (first.input_tokens, first.output_tokens) == (2005, 300)
    assert (second.model, second.events) == ("gpt-4-quux", 1)
    assert second.suggestion is not None
    assert second.suggestion.provider == "openai"
    assert unpriced_count(EVERYTHING) == 4


def test_nobody_sees_what_waits_in_other_organizations(caller: Caller) -> None:
    other = Caller(Tenancy(tenant_of(ensure_organization("other")), {}))
    ingest([unknown("a")], caller)  # type: ignore[list-item]
    ingest([unknown("b"), event("c", model="secret-model-9", provider="")], other)  # type: ignore[list-item]
    vera = User.objects.create(username="vera", is_staff=True)
    Membership.objects.create(user=vera, organization=Organization.objects.get(slug="acme"))

    (group,) = unpriced_groups(viewer_of(vera))

    assert (group.model, group.events, group.organizations) == (UNKNOWN, 1, 1)
    assert unpriced_count(viewer_of(vera)) == 1
    assert unpriced_groups(Viewer(frozenset())) == []


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("claude-sonnet-4-5-20250929", "claude-sonnet-4-5"),
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "claude-sonnet-4-5"),
        ("openrouter/openai/GPT-4o-2024-08-06", "gpt-4o"),
        ("claude-3-5-sonnet@20240620", "claude-3-5-sonnet"),
        ("gemini-1.5-pro-latest", "gemini-1.5-pro"),
        ("llama3:70b", "llama3"),
        (":x", ":x"),
    ],
)
def test_plain_names_lose_what_routers_regions_and_dates_add(name: str, plain: str) -> None:
    assert plain_name(name) == plain


@pytest.mark.parametrize(
    ("provider", "model", "suggestion"),
    [
        ("openai", "gpt-4o-2031-01-01", Suggestion("openai", "gpt-4o")),
        ("nobody", "eu.anthropic.claude-opus-4-1-20310101-v1:0", None),
        ("openai", "gpt-4-oo", Suggestion("openai", "gpt-4o")),
        ("", "completely-different-thing", None),
    ],
)
def test_the_nearest_known_model_is_suggested(
    db: None, provider: str, model: str, suggestion: Suggestion | None
) -> None:
    known = {"openai": ["gpt-4o", "o3"], "mistral": ["gpt-4o", "codestral"]}
    assert suggest(ModelDirectory(), known, provider, model) == suggestion


def test_asking_what_waits_takes_a_fixed_number_of_statements(
    caller: Caller, django_assert_max_num_queries: Callable[..., object]
) -> None:
    ingest([event(f"e{n}", model=f"gpt-4o-quux-{n}", provider="openai") for n in range(9)], caller)
    with django_assert_max_num_queries(4):  # type: ignore[attr-defined]
        unpriced_groups(EVERYTHING)
