from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries

from budgets.models import Budget
from budgets.setting import save_budget
from config.models import Heartbeat
from pricing.models import PriceReview, PriceSync
from tests.budgets.budget_values import ACTOR, budget
from tests.config.site_data import at, event, send, staff
from usage.models import DirtyMark, Organization, RatingRun

pytestmark = pytest.mark.django_db
DAYS = "range=custom&from=2026-11-09&through=2026-11-13"


def limit(slug: str, amount: str, **fields: Any) -> Budget:
    return budget(slug, amount, **{"period": Budget.Period.YEAR, **fields})


def beat(seconds_ago: int) -> None:
    Heartbeat.objects.update_or_create(
        name="beat", defaults={"at": datetime.now(UTC) - timedelta(seconds=seconds_ago)}
    )


def concerns(client: Client, query: str = DAYS) -> list[tuple[str, str, str]]:
    answer = client.get(f"/admin/?{query}")
    assert answer.status_code == 200
    for concern in answer.context["concerns"]:
        assert concern.text in answer.text
        if concern.url:
            assert client.get(concern.url).status_code == 200
    return [(c.level.value, c.badge, c.text) for c in answer.context["concerns"]]


@pytest.fixture
def quiet(usage: None) -> None:
    """A site with nothing wrong but its one unpriced request."""
    beat(1)


UNPRICED = ("warn", "unpriced", "1 request without a price")


def test_a_site_where_all_is_well_says_so(client: Client, quiet: None) -> None:
    client.force_login(staff("greta", "globex"))

    assert concerns(client) == []
    assert "Nothing now." in client.get(f"/admin/?{DAYS}").text


def test_budgets_over_and_near_are_named_the_worst_first(
    admin_client: Client, viewer: Client, quiet: None
) -> None:
    limit("acme", "5")
    over = limit("globex", "1")
    limit("acme", "100", name="roomy")

    found = concerns(admin_client)

    assert found == [
        ("over", "over", "globex · yearly"), ("warn", "near", "acme · yearly"), UNPRICED,
    ]  # fmt: skip
    assert concerns(viewer) == [("warn", "near", "acme · yearly"), UNPRICED]
    assert viewer.get(f"/admin/budgets/budget/{over.pk}/change/").status_code in (302, 404)


def test_only_budgets_of_what_is_filtered_for_are_looked_at(
    admin_client: Client, quiet: None
) -> None:
    limit("acme", "5")
    limit("globex", "1")

    assert concerns(admin_client, f"{DAYS}&organization=globex") == [
        ("over", "over", "globex · yearly")
    ]


def test_a_budget_that_will_not_last_is_announced(admin_client: Client, quiet: None) -> None:
    now = datetime.now(UTC)
    # Sixty cents a day, so that today is expected to cost as much.
    send(
        event(f"d{n}", now - timedelta(days=n), organization="globex", input_tokens=200_000)
        for n in range(1, 60)
    )
    tight = limit("globex", "0.70", period=Budget.Period.DAY)
    assert concerns(admin_client) == [UNPRICED]

    tight.limit = Decimal("0.50")
    save_budget(tight, None, ACTOR)
    assert concerns(admin_client) == [
        ("warn", "forecast", f"globex · daily: $0.60 of $0.50 by {now.day} {now:%b}"),
        UNPRICED,
    ]


def test_many_budgets_cost_no_more_statements_than_a_few(
    admin_client: Client, quiet: None, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for n in range(4):
        limit("acme", "1000", name=f"roomy {n}")
    with CaptureQueriesContext(connection) as few:
        concerns(admin_client)

    for n in range(4, 20):
        limit("acme", "1000", name=f"roomy {n}")
    with django_assert_num_queries(len(few)):
        concerns(admin_client)


def test_the_installation_concerns_site_staff_alone(
    admin_client: Client, viewer: Client, quiet: None
) -> None:
    beat(600)
    mark = DirtyMark.objects.create(
        organization=Organization.objects.get(slug="globex"), bucket=at(10)
    )
    DirtyMark.objects.filter(pk=mark.pk).update(created_at=datetime.now(UTC) - timedelta(hours=1))
    when = datetime.now(UTC)
    PriceSync.objects.create(
        source="openrouter", status=PriceSync.Status.FAILED, started_at=when, finished_at=when
    )
    PriceReview.objects.create(
        source="genai-prices", provider="p", model="m", service_tier="standard", digest="1",
        fault=PriceReview.Fault.TOO_FAR, meter="input_tokens", listed_price=Decimal(5),
        per=1_000_000, currency="USD", status=PriceReview.Status.OPEN,
    )  # fmt: skip

    found = [(level, badge) for level, badge, _ in concerns(admin_client)]

    assert found == [
        ("over", "silent"), ("over", "failed"), ("warn", "unpriced"), ("warn", "late"),
        ("warn", "review"),
    ]  # fmt: skip
    assert [badge for _, badge, _ in concerns(viewer)] == ["unpriced"]


def test_who_may_not_open_syncs_gets_words_without_a_link(client: Client, quiet: None) -> None:
    auditor: User = staff("olga")
    auditor.user_permissions.add(Permission.objects.get(codename="view_all_organizations"))
    client.force_login(auditor)
    when = datetime.now(UTC)
    PriceSync.objects.create(
        source="openrouter", status=PriceSync.Status.FAILED, started_at=when, finished_at=when
    )

    assert ("over", "failed", "Prices of openrouter could not be synced") in concerns(client)
    assert "/admin/pricing/pricesync/" not in client.get(f"/admin/?{DAYS}").text


def test_offered_re_ratings_are_announced_to_those_who_see_them(
    admin_client: Client, viewer: Client, quiet: None
) -> None:
    def offer(organization: Organization | None, **fields: Any) -> RatingRun:
        values = {"cause": RatingRun.Cause.OFFERED, "status": RatingRun.Status.PLANNED, **fields}
        return RatingRun.objects.create(
            organization=organization, start=at(1), end=at(20), changed=1, **values
        )

    offer(None)
    offer(Organization.objects.get(slug="globex"), status=RatingRun.Status.DISCARDED)
    told = "re-rating to look at, as prices have changed"
    assert ("warn", "prices", f"1 {told}") in concerns(admin_client)
    assert concerns(viewer) == [UNPRICED]

    run = offer(Organization.objects.get(slug="acme"))
    assert ("warn", "prices", f"2 {told.replace('rating', 'ratings', 1)}") in concerns(admin_client)
    assert ("warn", "prices", f"1 {told}") in concerns(viewer)
    query = "?cause__exact=offered&status__exact=planned"
    listed = viewer.get(f"/admin/usage/ratingrun/{query}").context["cl"].result_list
    assert [row.pk for row in listed] == [run.pk]
