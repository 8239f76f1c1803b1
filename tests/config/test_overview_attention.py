from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries

from budgets.alerts.handling import acknowledge, resolve_by_hand
from budgets.alerts.keeping import Finding, keep
from budgets.models import Alert, Budget
from config.models import Heartbeat
from pricing.models import PriceReview
from tests.budgets.budget_values import ACTOR, budget
from tests.config.site_data import at, staff
from usage.models import Organization, RatingRun

pytestmark = pytest.mark.django_db
DAYS = "range=custom&from=2026-11-09&through=2026-11-13"


def limit(slug: str, amount: str, **fields: Any) -> Budget:
    return budget(slug, amount, **{"period": Budget.Period.YEAR, **fields})


def beat(seconds_ago: int) -> None:
    Heartbeat.objects.update_or_create(
        name="beat", defaults={"at": datetime.now(UTC) - timedelta(seconds=seconds_ago)}
    )


def review() -> None:
    PriceReview.objects.create(
        source="genai-prices", provider="p", model="m", service_tier="standard", digest="1",
        fault=PriceReview.Fault.TOO_FAR, meter="input_tokens", listed_price=Decimal(5),
        per=1_000_000, currency="USD", status=PriceReview.Status.OPEN,
    )  # fmt: skip


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
        ("over", "over", "globex · yearly: 100 % of $1 used"),
        ("warn", "near", "acme · yearly: 88 % of $5 used"), UNPRICED,
    ]  # fmt: skip
    assert concerns(viewer) == [("warn", "near", "acme · yearly: 88 % of $5 used"), UNPRICED]
    assert viewer.get(f"/admin/budgets/budget/{over.pk}/change/").status_code in (302, 404)


def test_only_budgets_of_what_is_filtered_for_are_looked_at(
    admin_client: Client, quiet: None
) -> None:
    limit("acme", "5")
    limit("globex", "1")

    assert concerns(admin_client, f"{DAYS}&organization=globex") == [
        ("over", "over", "globex · yearly: 100 % of $1 used")
    ]


def test_alerts_of_every_kind_are_named_with_their_age_until_they_are_resolved(
    admin_client: Client, viewer: Client, quiet: None
) -> None:
    now = datetime.now(UTC)
    owner = Organization.objects.get(slug="globex")
    for kind, severity in (("anomaly", "warning"), ("blocked", "critical"), ("unpriced", "info")):
        keep(kind, [Finding("k", severity, {"model": "m"}, owner.pk)], now - timedelta(hours=5))

    assert [row[:2] for row in concerns(admin_client)] == [
        ("over", "blocked"), ("warn", "unusual"), UNPRICED[:2],
    ]  # fmt: skip
    assert concerns(viewer) == [UNPRICED]
    assert "5 h" in admin_client.get(f"/admin/?{DAYS}").text
    acknowledge(Alert.objects.filter(kind="blocked"), ACTOR, now)
    resolve_by_hand(Alert.objects.filter(kind="anomaly"), ACTOR, now)
    assert [row[1] for row in concerns(admin_client)] == ["blocked", "unpriced"]
    assert ">acknowledged</span>" in admin_client.get(f"/admin/?{DAYS}").text


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
    keep("system", [Finding("sync:x", "critical", {"what": "x"})], datetime.now(UTC))
    review()

    found = [(level, badge) for level, badge, _ in concerns(admin_client)]

    assert found == [
        ("over", "system"), ("over", "silent"), ("warn", "unpriced"), ("warn", "review"),
    ]  # fmt: skip
    assert [badge for _, badge, _ in concerns(viewer)] == ["unpriced"]


def test_who_may_not_open_reviews_gets_words_without_a_link(client: Client, quiet: None) -> None:
    auditor: User = staff("olga")
    auditor.user_permissions.add(Permission.objects.get(codename="view_all_organizations"))
    client.force_login(auditor)
    review()

    assert ("warn", "review", "1 price to review") in concerns(client)
    assert "/admin/pricing/pricereview/" not in client.get(f"/admin/?{DAYS}").text


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
