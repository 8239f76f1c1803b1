from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.test import Client

from pricing.models import PriceReview, PriceSync
from tests.config.site_data import staff

pytestmark = pytest.mark.django_db
DAYS = "range=custom&from=2026-11-09&through=2026-11-13"
PLUS = "+ 1 unpriced</a>"


def overview(client: Client) -> str:
    answer = client.get(f"/admin/?{DAYS}")
    assert answer.status_code == 200
    return answer.text


def synced(source: str, status: PriceSync.Status, minutes_ago: int) -> None:
    when = datetime.now(UTC) - timedelta(minutes=minutes_ago)
    PriceSync.objects.create(source=source, status=status, started_at=when, finished_at=when)


def test_every_total_says_what_it_leaves_out_and_leads_to_the_inbox(
    admin_client: Client, usage: None
) -> None:
    text = overview(admin_client)

    # The card, the tables under three charts and five panels, each with a total of its own.
    assert text.count(PLUS) == 9
    assert text.count('<a class="tm-plus" href="/admin/unpriced/"') == 9


def test_complete_totals_say_nothing(client: Client, usage: None) -> None:
    client.force_login(staff("greta", "globex"))

    text = overview(client)

    assert "$1.00" in text
    assert "unpriced</a>" not in text


def test_the_system_line_tells_when_prices_were_synced(admin_client: Client, usage: None) -> None:
    assert "as shipped" in overview(admin_client)

    synced("genai-prices", PriceSync.Status.FAILED, 90)
    synced("genai-prices", PriceSync.Status.UNCHANGED, 30)
    synced("openrouter", PriceSync.Status.CHANGED, 60)
    text = overview(admin_client)

    assert "synced 30 m" in text
    assert "status__exact=failed" not in text


def test_a_failing_source_is_red_and_leads_to_its_tries(admin_client: Client, usage: None) -> None:
    synced("genai-prices", PriceSync.Status.UNCHANGED, 30)
    synced("openrouter", PriceSync.Status.FAILED, 60)

    text = overview(admin_client)

    badge = '<a class="tm-badge o" href="/admin/pricing/pricesync/?status__exact=failed"'
    assert f'{badge} title="openrouter">failed</a>' in text
    assert admin_client.get("/admin/pricing/pricesync/?status__exact=failed").status_code == 200


def test_prices_to_review_are_counted_while_open(admin_client: Client, usage: None) -> None:
    for n, status in enumerate(PriceReview.Status.values):
        PriceReview.objects.create(
            source="genai-prices", provider="p", model="m", service_tier="standard",
            digest=str(n), fault=PriceReview.Fault.TOO_FAR, meter="input_tokens",
            listed_price=Decimal(5), per=1_000_000, currency="USD", status=status,
        )  # fmt: skip

    (state,) = [admin_client.get(f"/admin/?{DAYS}").context["system"].prices]
    assert state.open_reviews == 1
    assert 'href="/admin/pricing/pricereview/">Prices to review</a>' in overview(admin_client)
