from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from pricing.models import PriceReview, PriceSync
from tests.config.site_data import at, staff
from usage.models import Organization, RatingRun

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


def offer(organization: Organization | None, **fields: Any) -> RatingRun:
    values = {"cause": RatingRun.Cause.OFFERED, "status": RatingRun.Status.PLANNED, **fields}
    return RatingRun.objects.create(
        organization=organization, start=at(1), end=at(20), changed=1, **values
    )


def test_every_total_says_what_it_leaves_out_and_leads_to_the_inbox(
    admin_client: Client, usage: None
) -> None:
    text = overview(admin_client)

    # The card, the table under the chart and four panels, each with a total of its own.
    assert text.count(PLUS) == 6
    assert text.count('<a class="tm-plus" href="/admin/unpriced/"') == 6


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

    (state,) = [admin_client.get(f"/admin/?{DAYS}").context["system"]["prices"]]
    assert state.open_reviews == 1
    assert 'href="/admin/pricing/pricereview/">Prices to review</a>' in overview(admin_client)


def test_offered_re_ratings_are_announced_to_those_who_see_them(
    admin_client: Client, viewer: Client, usage: None
) -> None:
    assert "can be looked at and applied" not in overview(admin_client)

    offer(None)
    offer(Organization.objects.get(slug="globex"), status=RatingRun.Status.DISCARDED)
    assert "1 re-rating</a>" in overview(admin_client)
    assert "can be looked at and applied" not in overview(viewer)

    run = offer(Organization.objects.get(slug="acme"))
    assert "2 re-ratings</a>" in overview(admin_client)
    assert "1 re-rating</a>" in overview(viewer)
    query = "?cause__exact=offered&status__exact=planned"
    listed = viewer.get(f"/admin/usage/ratingrun/{query}").context["cl"].result_list
    assert [row.pk for row in listed] == [run.pk]


def test_who_may_not_open_syncs_gets_no_link_to_them(client: Client, usage: None) -> None:
    auditor = staff("olga")
    auditor.user_permissions.add(Permission.objects.get(codename="view_all_organizations"))
    client.force_login(auditor)

    text = overview(client)

    assert "as shipped" in text
    assert "/admin/pricing/pricesync/" not in text
