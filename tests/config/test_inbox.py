from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from pricing.exchange import DatedRate, set_rates
from pricing.models import ModelAlias, PriceChange, PriceVersion
from pricing.publishing import PriceItem, Provenance, set_prices
from pricing.selectors import MANUAL, named_card
from tests.config.site_data import UNKNOWN, at, event, send, staff
from usage.models import UsageEvent
from usage.rerating import continue_runs

pytestmark = pytest.mark.django_db
INBOX = "/admin/unpriced/"


def inbox(client: Client) -> Any:
    answer = client.get(INBOX)
    assert answer.status_code == 200
    return answer


def groups(client: Client) -> dict[tuple[str, str], int]:
    rows = [item["row"].group for item in inbox(client).context["rows"]]
    return {(group.provider, group.model): group.events for group in rows}


def price(client: Client, provider: str, model: str, how: str, /, **form: str) -> Any:
    named = urlencode({"provider": provider, "model": model, "how": how})
    return client.post(f"{reverse('admin:unpriced_price')}?{named}", form, follow=True)


def cost_of(event_id: str) -> Decimal | None:
    return UsageEvent.objects.get(event_id=event_id).cost


def test_an_empty_inbox_says_what_it_is_for(admin_client: Client, catalogue: None) -> None:
    answer = inbox(admin_client)

    assert "Nothing is unpriced" in answer.text
    assert "never counted as free" in answer.text


def test_unpriced_usage_is_grouped_by_what_it_was_called(admin_client: Client, usage: None) -> None:
    send(
        [event(7, at(13), model=UNKNOWN, provider="local", output_tokens=40, organization="globex")]
    )

    answer = inbox(admin_client)

    (item,) = answer.context["rows"]
    group = item["row"].group
    assert (group.provider, group.model, group.events, group.organizations) == (
        "local", UNKNOWN, 2, 2,
    )  # fmt: skip
    assert item["row"].tokens == 540
    assert (group.first_at, group.last_at) == (at(12), at(13))
    assert ">12 Nov<" in answer.text
    events = admin_client.get(item["events_url"])
    assert {row.event_id for row in events.context["cl"].result_list} == {"e4", "e7"}


def test_the_price_of_the_nearest_model_is_shown(admin_client: Client, catalogue: None) -> None:
    send([event(1, at(10), model="claud-sonnet-4-5", input_tokens=5)])

    answer = inbox(admin_client)

    assert "anthropic / claude-sonnet-4-5" in answer.text
    assert "3 in · 15 out USD per 1 M" in answer.text
    assert "Use the price of claude-sonnet-4-5…" in answer.text


def test_a_price_of_its_own_rates_everything_that_waits(
    admin_client: Client, admin_user: User, usage: None
) -> None:
    answer = price(
        admin_client, "local", UNKNOWN, "price", input_tokens="2", output_tokens="4",
        currency="USD", since="2026-11-12", reason="our cluster",
    )  # fmt: skip

    assert f"1 event of {UNKNOWN} will be rated within seconds." in answer.text
    assert "New prices are being put on waiting events" in answer.text
    assert '<meta http-equiv="refresh"' in answer.text
    change = PriceChange.objects.order_by("-id")[0]
    assert (change.action, change.made_by, change.reason) == (
        PriceChange.Action.UPDATE, admin_user, "our cluster",
    )  # fmt: skip
    continue_runs()
    assert cost_of("e4") == Decimal("0.001")
    assert groups(admin_client) == {}


def test_calls_before_the_first_day_of_a_price_still_wait(
    admin_client: Client, usage: None
) -> None:
    price(
        admin_client, "local", UNKNOWN, "price", input_tokens="2", output_tokens="4",
        currency="USD", since="2026-11-13",
    )  # fmt: skip
    continue_runs()

    assert cost_of("e4") is None
    answer = inbox(admin_client)
    assert len(answer.context["rows"]) == 1
    assert "refresh" not in answer.text


def test_free_models_cost_nothing_and_count_as_priced(admin_client: Client, usage: None) -> None:
    price(admin_client, "local", UNKNOWN, "free")
    continue_runs()

    assert cost_of("e4") == 0
    assert groups(admin_client) == {}


def test_a_name_of_a_known_model_follows_its_prices(admin_client: Client, catalogue: None) -> None:
    send([event(1, at(10), model="our-sonnet", input_tokens=100_000)])

    price(admin_client, "anthropic", "our-sonnet", "like", known="anthropic / claude-sonnet-4-5")
    continue_runs()

    assert cost_of("e1") == Decimal("0.3")
    alias = ModelAlias.objects.get(text="our-sonnet")
    assert (alias.model.name, alias.kind, alias.origin) == ("claude-sonnet-4-5", "exact", "manual")


def test_under_another_provider_the_prices_are_copied(
    admin_client: Client, catalogue: None
) -> None:
    send([event(1, at(10), model="Our/Sonnet", provider="myhost", input_tokens=300_000)])

    price(admin_client, "myhost", "Our/Sonnet", "like", known="anthropic / claude-sonnet-4-5")
    continue_runs()

    # Its price above 200,000 input tokens came along.
    assert cost_of("e1") == Decimal("1.8")
    copy = PriceVersion.objects.get(model__provider__slug="myhost")
    assert (copy.model.name, copy.effective_from) == ("Our/Sonnet", at(10, 0))


@pytest.mark.parametrize("provider", ["", "litellm"])
def test_calls_that_name_no_provider_ask_for_one(
    admin_client: Client, catalogue: None, provider: str
) -> None:
    send([event(1, at(10), model="mystery", provider=provider, input_tokens=1_000_000)])
    form = {"input_tokens": "2", "output_tokens": "4", "currency": "USD", "since": "2026-11-01"}

    asked = price(admin_client, provider, "mystery", "price", **form)
    assert asked.context["form"].errors["provider"]
    price(admin_client, provider, "mystery", "price", provider="inhouse", **form)
    continue_runs()

    assert cost_of("e1") == 2


@pytest.mark.parametrize(
    ("how", "form"),
    [
        ("price", {"input_tokens": "-1"}),
        ("price", {"input_tokens": ""}),
        ("price", {"currency": "dollars"}),
        ("price", {"since": ""}),
        ("price", {"since": "1900-01-01"}),
        ("like", {"known": "anthropic / never-heard"}),
        ("like", {"known": "nonsense"}),
    ],
)
def test_a_wrong_form_prices_nothing(
    admin_client: Client, usage: None, how: str, form: dict[str, str]
) -> None:
    count = PriceChange.objects.count()
    right = {
        "input_tokens": "2", "output_tokens": "4", "currency": "USD", "since": "2026-11-12",
        "known": "anthropic / claude-sonnet-4-5",
    }  # fmt: skip

    answer = price(admin_client, "local", UNKNOWN, how, **{**right, **form})

    assert answer.context["form"].errors
    assert PriceChange.objects.count() == count


def test_what_was_priced_meanwhile_is_said(admin_client: Client, usage: None) -> None:
    for provider, model, how in (
        ("local", "priced-by-now", "free"), ("x", UNKNOWN, "free"), ("local", UNKNOWN, "never"),
    ):  # fmt: skip
        answer = price(admin_client, provider, model, how)
        assert "Nothing of that kind waits for a price any more." in answer.text


def test_a_price_without_an_exchange_rate_says_so(admin_client: Client, usage: None) -> None:
    item = PriceItem("local", UNKNOWN, "input_tokens", Decimal(2), "EUR", effective_from=at(1))
    set_prices(named_card(MANUAL), [item], Provenance("manual"))
    continue_runs()

    answer = inbox(admin_client)
    assert "Its price is in EUR, and no exchange rate from that is known" in answer.text
    assert "Free…" not in answer.text

    set_rates([DatedRate("EUR", "USD", date(2026, 11, 1), Decimal("1.5"))], Provenance("manual"))
    continue_runs()
    assert cost_of("e4") == Decimal("0.0015")


def test_a_currency_without_an_exchange_rate_is_refused_and_small_letters_are_not(
    admin_client: Client, usage: None
) -> None:
    asked = {"input_tokens": "2", "output_tokens": "4", "since": "2026-11-01"}
    answer = price(admin_client, "local", UNKNOWN, "price", **asked, currency="eur")
    assert "No exchange rate from EUR to USD is known" in answer.text
    assert 'value="eur"' in answer.text
    assert not PriceVersion.objects.filter(model__name=UNKNOWN).exists()

    price(admin_client, "local", UNKNOWN, "price", **asked, currency="usd")
    assert PriceVersion.objects.get(model__name=UNKNOWN).currency == "USD"


def test_viewers_see_their_own_rows_and_no_buttons(viewer: Client) -> None:
    send(
        [
            event(7, at(13), model="secret-model", provider="x", organization="globex"),
            event(8, datetime(2026, 11, 13, tzinfo=UTC), model=UNKNOWN, provider="local",
                  organization="globex"),
        ]
    )  # fmt: skip

    answer = inbox(viewer)

    assert groups(viewer) == {("local", UNKNOWN): 1}
    assert "secret-model" not in answer.text
    assert "Free…" not in answer.text
    assert "set by the administrators of this site" in answer.text
    for how in ("price", "free", "like"):
        assert price(viewer, "local", UNKNOWN, how).status_code == 403
    assert not PriceVersion.objects.filter(model__name=UNKNOWN).exists()


def test_the_right_to_price_reaches_only_what_one_sees(client: Client, usage: None) -> None:
    send([event(7, at(13), model="secret-model", provider="x", organization="globex")])
    user = staff("paul", "acme")
    user.user_permissions.add(Permission.objects.get(codename="add_priceversion"))
    client.force_login(user)

    assert "Free…" in inbox(client).text
    assert "waits for a price any more" in price(client, "x", "secret-model", "free").text
    assert "will be rated" in price(client, "local", UNKNOWN, "free").text


def test_staff_of_no_organization_and_strangers_see_no_inbox(client: Client, usage: None) -> None:
    assert client.get(INBOX).status_code == 302
    client.force_login(staff("nobody"))

    assert client.get(INBOX).status_code == 403
    assert client.get(reverse("admin:unpriced_price")).status_code == 403


def test_pricing_needs_the_form_of_this_site(admin_user: User, usage: None) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(admin_user)

    assert price(strict, "local", UNKNOWN, "free").status_code == 403


def test_names_are_escaped(admin_client: Client, catalogue: None) -> None:
    send([event(1, at(10), model="<i>m", provider="<b>p", input_tokens=1)])

    text = inbox(admin_client).text
    assert "<i>m" not in text
    assert "&lt;i&gt;m" in text
    named = urlencode({"provider": "<b>p", "model": "<i>m", "how": "price"})
    form = admin_client.get(f"{reverse('admin:unpriced_price')}?{named}").text
    assert "<b>p" not in form
