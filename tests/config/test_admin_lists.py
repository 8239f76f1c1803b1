import re

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from tests.config.listings import DAYS, LISTS, listing, rows
from tests.config.site_data import at, event, send
from usage.admin.events import UsageEventAdmin
from usage.admin.filters import UsageFilter
from usage.links import event_url
from usage.models import (
    Organization,
    UsageEvent,
)

pytestmark = pytest.mark.django_db


def event_ids(client: Client, query: str = "") -> list[str]:
    return [row.event_id for row in rows(listing(client, "usageevent", f"{DAYS}&{query}"))]


def test_the_event_list_is_bounded_by_days_and_newest_first(
    admin_client: Client, usage: None
) -> None:
    assert event_ids(admin_client) == ["e6", "e5", "e4", "e3", "e2", "e1"]
    assert event_ids(admin_client, "through=2026-11-11") == ["e3", "e2", "e1"]
    recent = listing(admin_client, "usageevent").context["cl"].filter_specs[0]
    assert (recent.last - recent.first).days == 6


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("organization=globex", ["e6"]),
        ("project=web", ["e2", "e1"]),
        ("project=(none)", ["e5", "e4"]),
        ("provider=local", ["e4"]),
        ("model=claude-opus-4-5", ["e6", "e3"]),
        ("subject=ann", ["e4", "e3", "e1"]),
        ("subject=an", []),
        ("session=s1", ["e1"]),
        ("run=r1", ["e2"]),
        ("status=error", ["e5"]),
        ("unpriced=1", ["e4"]),
        ("organization=acme&subject=ann&model=claude-opus-4-5", ["e3"]),
        ("tz=Mars/Olympus", []),
        ("model=%00claude-opus-4-5", ["e6", "e3"]),
    ],
)
def test_events_are_found_by_exact_words(
    admin_client: Client, usage: None, query: str, found: list[str]
) -> None:
    assert event_ids(admin_client, query) == found


def test_days_are_those_of_the_zone_asked_for(admin_client: Client, catalogue: None) -> None:
    send([event("late", at(10, hour=20)), event("later", at(11, hour=20))])

    assert event_ids(admin_client, "from=2026-11-11&through=2026-11-11") == ["elater"]
    nepal = "from=2026-11-11&through=2026-11-11&tz=Asia/Kathmandu"
    assert event_ids(admin_client, nepal) == ["elate"]


def test_the_event_list_counts_no_further_than_its_bound(
    admin_client: Client, usage: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("usage.admin.paging.MAX_COUNTED", 4)
    monkeypatch.setattr(UsageEventAdmin, "list_per_page", 3)

    first = listing(admin_client, "usageevent", DAYS)
    assert "4 and more usage events; choose fewer days" in first.text
    assert len(rows(first)) == 3
    assert [row.event_id for row in rows(listing(admin_client, "usageevent", f"{DAYS}&p=2"))] == [
        "e3"
    ]
    beyond = admin_client.get(f"{reverse('admin:usage_usageevent_changelist')}?{DAYS}&p=9")
    assert beyond.status_code == 302


@pytest.mark.parametrize("name", LISTS)
def test_lists_of_usage_take_a_fixed_number_of_statements(
    admin_client: Client,
    usage: None,
    name: str,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    send(event(f"x{n}", at(10, 1, n), session_id=f"s{n}", run_id=f"r{n}") for n in range(40))

    with django_assert_max_num_queries(8):
        assert len(rows(listing(admin_client, name, DAYS))) > 0


@pytest.mark.parametrize("name", [name for name in LISTS if name != "usageevent"])
def test_pages_of_sums_follow_each_other_over_all_organizations(
    admin_client: Client, usage: None, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = [row.pk for row in rows(listing(admin_client, name, DAYS))]
    monkeypatch.setattr("usage.admin.rollups.SumsAdmin.list_per_page", 1)
    # Nothing offers another order, but an address may ask for it.
    for order in ("", "&o=1.4"):
        pages = [
            rows(listing(admin_client, name, f"{DAYS}{order}&p={n + 1}")) for n in range(len(whole))
        ]
        assert [row.pk for page in pages for row in page] == whole


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize(
    "query", ["", "&organization=acme", "&subject=ann&model=claude-sonnet-4-5"]
)
def test_lists_of_usage_read_through_an_index(
    admin_client: Client, viewer: Client, name: str, query: str
) -> None:
    for client in (admin_client, viewer):
        listed = listing(client, name, DAYS + query).context["cl"].queryset
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
        plan = listed[:50].explain()
        assert f"Seq Scan on usage_{name}" not in plan, plan
        assert "Index" in plan or "Result" in plan


def test_an_event_page_shows_everything_with_ten_decimals(
    admin_client: Client, usage: None
) -> None:
    stored = UsageEvent.objects.get(event_id="e5")

    page = admin_client.get(event_url(stored.organization_id, "e5"))

    assert "0.3300000000 USD" in page.text
    assert ">0.3000000000<" in page.text
    assert ">0.0300000000<" in page.text
    assert "200,000" in page.text
    version = reverse("admin:pricing_priceversion_change", args=(stored.price_version_id,))
    assert version in page.text


def test_an_unpriced_event_page_says_so(admin_client: Client, usage: None) -> None:
    acme = Organization.objects.get(slug="acme")

    page = admin_client.get(event_url(acme.pk, "e4"))

    assert page.text.count(">unpriced<") == 4
    assert "Charges" not in page.text


def test_events_with_odd_ids_have_a_page_and_corrections_link(
    admin_client: Client, catalogue: None
) -> None:
    odd = "a/b:c?d_3A#é &"
    when = at(10)
    send([event(1, when, input_tokens=10).__class__(
        event_id=odd, occurred_at=when, model="claude-sonnet-4-5", organization="acme",
        input_tokens=10)])  # fmt: skip
    send([event("fix", when, input_tokens=20, corrects=odd)])
    acme = Organization.objects.get(slug="acme")

    listed = listing(admin_client, "usageevent", DAYS)
    assert event_url(acme.pk, odd) in listed.text
    page = admin_client.get(event_url(acme.pk, odd))
    assert page.status_code == 200
    assert "success, superseded" in page.text
    assert event_url(acme.pk, "efix") in page.text
    assert event_url(acme.pk, odd) in admin_client.get(event_url(acme.pk, "efix")).text


@pytest.mark.parametrize("key", ["1", "x:e1", "1:", "1:none", "99999999999:e1", "1:%00", "-1:e1"])
def test_an_event_that_is_not_there_is_not_found(
    admin_client: Client, usage: None, key: str
) -> None:
    page = admin_client.get(f"/admin/usage/usageevent/{key}/change/")

    assert page.status_code == 302


def test_sessions_lead_to_their_events(admin_client: Client, usage: None) -> None:
    session = rows(listing(admin_client, "sessionrollup", f"{DAYS}&session=s1"))[0]

    page = admin_client.get(reverse("admin:usage_sessionrollup_change", args=(session.pk,)))

    link = re.search(r'href="([^"]*usageevent/\?[^"]*)"', page.text)
    assert link is not None
    found = admin_client.get(link[1].replace("&amp;", "&"))
    assert [row.event_id for row in rows(found)] == ["e1"]


def test_usage_cannot_be_changed_or_added(admin_client: Client, usage: None) -> None:
    for name in LISTS:
        assert admin_client.get(reverse(f"admin:usage_{name}_add")).status_code == 403
    stored = UsageEvent.objects.get(event_id="e1")
    assert admin_client.post(event_url(stored.organization_id, "e1"), {}).status_code == 403


def test_every_filter_form_offers_presets_of_days(admin_client: Client, usage: None) -> None:
    for name in LISTS:
        spec = listing(admin_client, name).context["cl"].filter_specs[0]
        assert isinstance(spec, UsageFilter)
        assert not spec.form.errors


def test_the_schedule_is_under_the_control_of_site_staff(
    admin_client: Client, viewer: Client
) -> None:
    url = reverse("admin:django_celery_beat_periodictask_changelist")

    assert "Sum up new usage" in admin_client.get(url).text
    assert viewer.get(url).status_code == 403
    assert User.objects.filter(is_superuser=True).count() == 1
