import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from config.dashboards.economics import cache_saving
from pricing.models import AIModel
from pricing.publishing import Provenance, contracted_card
from pricing.rating import MeterPrice
from tests.config.site_data import OPUS, SONNET, UNKNOWN, at, event, send, staff
from tests.published import publish_price
from usage.models import Organization
from usage.organizations import ensure_organization
from usage.selectors.access import EVERYTHING
from usage.selectors.questions import UsageQuery
from usage.selectors.sums import total_of
from usage.selectors.usage import query_usage

pytestmark = pytest.mark.django_db
DAYS = "range=custom&from=2026-11-09&through=2026-11-13"


def page(client: Client, model: str, query: str = DAYS, provider: str = "anthropic") -> Any:
    answer = client.get(f"/admin/models/{provider}/{model}/?{query}")
    assert answer.status_code == 200
    return answer


def ratios(answer: Any) -> dict[str, tuple[str, str, str]]:
    return {r.label: (r.value, r.before, r.change) for r in answer.context["ratios"]}


def contract(organization: str, model: str, price: str, provider: str = "anthropic") -> None:
    card = contracted_card(f"{organization} contract")
    Organization.objects.filter(slug=organization).update(rate_card=card)
    publish_price(
        rate_card=card,
        provider=provider,
        model=model,
        prices=[MeterPrice("input_tokens", Decimal(price), 1_000_000)],
        effective_from=datetime(2026, 1, 1, tzinfo=UTC),
        source=Provenance("manual"),
    )


def test_the_page_shows_what_the_model_cost_and_who_used_it(
    admin_client: Client, usage: None
) -> None:
    answer = page(admin_client, SONNET)
    cards = {card.label: card.value for card in answer.context["cards"]}
    assert cards["Spend (estimated)"] == "$2.43"
    assert cards["Requests"] == "3"
    projects, people, organizations = answer.context["panels"]
    assert [row.name for row in projects.rows] == ["acme / web", "acme / not given"]
    assert {row.name for row in people.rows} == {"acme / ann", "acme / bob", "acme / not given"}
    assert [row.name for row in organizations.rows] == ["acme"]
    assert answer.context["spend"].plot.title == "Spend per day by project"
    assert '<a href="/admin/models/">Models</a>' in answer.text


def test_unit_economics_stand_beside_the_period_before(admin_client: Client, usage: None) -> None:
    # On the 12th one request of 200,000 tokens, half of them from the cache, cost $0.33 and
    # failed; on the 10th two requests of 300,000 tokens cost $2.10.
    found = ratios(page(admin_client, SONNET, "range=custom&from=2026-11-12&through=2026-11-13"))
    assert found["Cost of 1,000 requests"] == ("$330.00", "$1,050.00", "▼ 69 %")
    assert found["Cost of 1 M tokens, blended"] == ("$1.65", "$7.00", "▼ 76 %")
    assert found["Input from cache"] == ("50 %", "0 %", "")
    assert found["Output per input token"] == ("0.00", "0.50", "▼ 100 %")
    assert found["Tokens of a request"] == ("200.0 k", "150.0 k", "▲ 33 %")
    assert found["Failed requests"] == ("100.0 %", "0.0 %", "")
    assert found["Mean duration"] == ("—", "—", "")


def test_what_caching_saved_is_told_by_the_prices_in_force(
    admin_client: Client, usage: None
) -> None:
    # 100,000 tokens read at $0.30 instead of $3 a million.
    assert page(admin_client, SONNET).context["saved"] == "$0.27"
    assert page(admin_client, OPUS).context["saved"] == ""
    plain = MeterPrice("input_tokens", Decimal(3), 1)
    assert cache_saving(total_of(()), [plain]) is None
    assert cache_saving(total_of(()), [plain, MeterPrice("cache_read_tokens", Decimal(1), 1)]) == 0


def test_writing_to_the_cache_counts_against_what_it_saved(catalogue: None) -> None:
    prices = [
        MeterPrice("input_tokens", Decimal(4), 1),
        MeterPrice("cache_read_tokens", Decimal(1), 1),
        MeterPrice("cache_write_tokens", Decimal(5), 1),
        MeterPrice("cache_write_1h_tokens", Decimal(8), 1),
    ]
    send([event(1, at(10), input_tokens=100, cache_read_tokens=50, cache_write_tokens=30,
                cache_write_1h_tokens=10)])  # fmt: skip
    day = datetime(2026, 11, 10, tzinfo=UTC)
    query = UsageQuery(viewer=EVERYTHING, start=day, end=day + timedelta(days=1))
    sums = query_usage(query).totals
    # 50 read for 3 less each; 20 written for 1 more, 10 for an hour for 4 more.
    assert cache_saving(sums, prices) == 50 * 3 - 20 * 1 - 10 * 4


def test_prices_and_their_history_are_shown(admin_client: Client, usage: None) -> None:
    answer = page(admin_client, SONNET)
    prices = answer.context["prices"]
    assert prices.current.version.rate_card.name == "catalogue"
    assert "3 USD, 6 above 200,000" in answer.text
    assert "Price history" in answer.text
    model = AIModel.objects.get(provider__slug="anthropic", name=prices.model.name)
    assert f'href="/admin/pricing/aimodel/{model.pk}/change/"' in answer.text
    assert "set a price" in answer.text


def test_contracted_prices_are_shown_to_those_they_hold_for(
    admin_client: Client, viewer: Client, usage: None
) -> None:
    contract("acme", SONNET, "1.25")
    contract("globex", SONNET, "0.75")
    own = page(viewer, SONNET)
    assert own.context["prices"].current.version.rate_card.name == "acme contract"
    assert "1.25 USD" in own.text
    assert "0.75 USD" not in own.text
    assert "globex" not in own.text
    assert "set a price" not in own.text
    every = page(admin_client, SONNET)
    assert every.context["prices"].current.version.rate_card.name == "catalogue"
    assert "1.25 USD" in every.text
    assert "0.75 USD" in every.text
    theirs = page(admin_client, SONNET, f"{DAYS}&organization=globex")
    assert theirs.context["prices"].current.version.rate_card.name == "globex contract"


def test_an_unpriced_model_says_so_and_leads_to_the_inbox(
    admin_client: Client, usage: None
) -> None:
    answer = page(admin_client, UNKNOWN, provider="local")
    assert "No price is known for this model" in answer.text
    assert 'href="/admin/unpriced/"' in answer.text
    assert ratios(answer)["Cost of 1,000 requests"][0] == "—"
    assert ratios(answer)["Cost of 1 M tokens, blended"][0] == "—"
    assert answer.context["history"] == []


def test_names_tell_what_answered(admin_client: Client, catalogue: None) -> None:
    send(
        event(n, at(10), input_tokens=1, response_model=name)
        for n, name in enumerate(("sonnet-one", "sonnet-two", ""))
    )
    answer = page(admin_client, SONNET)
    assert answer.context["answered"] == ["sonnet-one", "sonnet-two"]
    assert "sonnet-one, sonnet-two" in answer.text


def test_a_model_of_the_catalogue_without_usage_shows_its_prices(
    admin_client: Client, usage: None
) -> None:
    answer = page(admin_client, "claude-haiku-4-5")
    assert "Nobody in your organizations has used this model yet" in answer.text
    assert "Price in force now" in answer.text
    assert "tm-kpi" not in answer.text


def test_what_is_neither_used_nor_known_is_not_found(
    admin_client: Client, viewer: Client, usage: None
) -> None:
    send([event("z", at(12), organization="globex", provider="local", model="globex-own")])
    contract("globex", "globex-deal", "1", provider="globex-vendor")
    for path in ("anthropic/no-such-model", "local/claude-sonnet-4-5", "anthropic/%00"):
        assert admin_client.get(f"/admin/models/{path}/").status_code == 404
    for path in ("local/globex-own", "globex-vendor/globex-deal"):
        assert admin_client.get(f"/admin/models/{path}/").status_code == 200
        assert viewer.get(f"/admin/models/{path}/").status_code == 404


def test_usage_without_a_provider_has_its_page(admin_client: Client, usage: None) -> None:
    send([event("n", at(12), provider="", model="mystery", input_tokens=7)])
    url = f"/admin/models/_/mystery/?{DAYS}"
    assert admin_client.get(url).context["totals"].input_tokens == 7


def test_members_see_the_usage_of_their_organizations_alone(viewer: Client, usage: None) -> None:
    answer = page(viewer, OPUS)
    assert answer.context["totals"].cost == 2
    assert "zoe" not in answer.text
    assert "globex" not in answer.text
    assert page(viewer, OPUS, f"{DAYS}&organization=globex").context["totals"].events == 0


def test_questions_do_not_grow_with_usage(admin_client: Client, catalogue: None) -> None:
    def counted() -> int:
        page(admin_client, SONNET)
        with CaptureQueriesContext(connection) as queries:
            page(admin_client, SONNET)
        return len(queries)

    def use(numbers: range) -> None:
        send(
            event(n, at(10) + timedelta(minutes=n), subject=f"p{n}", project=f"r{n}",
                  input_tokens=n, response_model=f"m{n}")
            for n in numbers
        )  # fmt: skip

    use(range(5))
    few = counted()
    use(range(5, 50))
    assert counted() == few


def test_strangers_are_sent_to_the_login(client: Client, catalogue: None) -> None:
    ensure_organization("acme")
    assert "/login/" in client.get(f"/admin/models/anthropic/{SONNET}/").headers["Location"]


def test_who_sees_no_organization_gets_no_links_to_closed_pages(
    usage: None, client: Client
) -> None:
    client.force_login(staff("olga"))
    for path in ("/admin/models/anthropic/claude-sonnet-4-5/", "/admin/", "/admin/my-usage/"):
        for url in set(re.findall(r'href="(/admin/[^"#]*)"', client.get(path).text)):
            assert client.get(url.replace("&amp;", "&"), follow=True).status_code == 200, url
