import re
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from tests.budgets.budget_values import budget
from tests.config.site_data import SONNET, at, event, send
from usage.models import Organization

pytestmark = pytest.mark.django_db
DAYS = "range=custom&from=2026-11-09&through=2026-11-13"
VALUES = f"/admin/filter-values/?{DAYS}"


def page(client: Client, query: str) -> str:
    answer = client.get(f"/admin/?{query}")
    assert answer.status_code == 200
    return str(answer.text)


def form(text: str, label: str) -> dict[str, str]:
    (body,) = re.findall(rf'<form[^>]*aria-label="{label}"[^>]*>(.*?)</form>', text, re.DOTALL)
    fields = re.findall(r'<input[^>]*name="([^"]+)"[^>]*value="([^"]*)"', body)
    return {name: value for name, value in fields if value}


def options(text: str, name: str) -> list[str]:
    (body,) = re.findall(rf'<select name="{name}"[^>]*>(.*?)</select>', text, re.DOTALL)
    return re.findall(r"<option[^>]*>([^<]*)<", body)


def test_every_form_carries_along_what_the_others_ask_for(
    admin_client: Client, usage: None
) -> None:
    asked = f"{DAYS}&organization=acme&model=m&group=team&step=week&tz=Europe/Berlin&session=s1"
    text = page(admin_client, asked)

    days = {"range": "custom", "from": "2026-11-09", "through": "2026-11-13"}
    other = {"organization": "acme", "session": "s1"}
    assert form(text, "Own range") == {
        **days, **other, "model": "m", "group": "team", "tz": "Europe/Berlin",
    }  # fmt: skip
    assert form(text, "Pickers") == {**days, "model": "m", "session": "s1", "step": "week"}
    assert form(text, "More filters") == {
        **days, **other, "model": "m", "group": "team", "step": "week", "tz": "Europe/Berlin",
    }  # fmt: skip
    assert ">Apply</button>" in text
    assert re.findall(r'class="tm-pick tm-chip"[^>]*>(\w+) <b>([^<]*)', text) == [
        ("Model", "m"), ("Session", "s1"),
    ]  # fmt: skip


def test_what_a_page_is_about_is_not_asked_for(admin_client: Client, usage: None) -> None:
    text = admin_client.get(f"/admin/models/anthropic/claude-opus-4-5/?{DAYS}").text

    asked = set(form(text, "More filters")) | set(re.findall(r'<input name="(\w+)"', text))
    assert "team" in asked
    assert not {"model", "provider"} & asked
    assert "model" not in options(text, "group")


def test_zones_offered_are_those_of_the_site_and_of_the_organizations_seen(
    admin_client: Client, viewer: Client, administrator: Client
) -> None:
    Organization.objects.filter(slug="globex").update(time_zone="Asia/Tokyo")
    Organization.objects.filter(slug="acme").update(time_zone="Europe/Berlin")

    assert options(page(admin_client, DAYS), "tz") == ["Asia/Tokyo", "Europe/Berlin", "UTC"]
    assert options(page(viewer, DAYS), "tz") == ["Europe/Berlin", "UTC"]
    assert "America/Lima" in options(page(viewer, f"{DAYS}&tz=America/Lima"), "tz")


def test_the_ranges_out_of_sight_are_named_when_they_are_shown(
    admin_client: Client, usage: None
) -> None:
    for query, named in (
        ("range=7d", "More"),
        ("range=year", "12 months"),
        (DAYS, "9 Nov \N{EN DASH} 13"),
    ):
        (summary,) = re.findall(
            r'id="more-ranges">\s*<summary[^>]*>([^<]*)', page(admin_client, query)
        )
        assert summary.startswith(named)


def test_suggestions_are_what_the_view_holds(admin_client: Client, usage: None) -> None:
    answer = admin_client.get(VALUES)

    assert "private" in answer["Cache-Control"]
    found = answer.json()
    assert found["model"] == ["claude-sonnet-4-5", "claude-opus-4-5", "llama-farm-7b"]
    assert found["subject"][0] == "ann"
    assert set(found["subject"]) == {"ann", "bob", "zoe", "(none)"}
    narrow = admin_client.get(f"{VALUES}&organization=globex&model=claude-opus-4-5").json()
    assert narrow["subject"] == ["zoe"]
    assert "model" not in narrow


def test_suggestions_and_choices_hold_nothing_of_other_organizations(viewer: Client) -> None:
    for query in ("", "&organization=globex", "&subject=zoe"):
        found = viewer.get(VALUES + query)
        assert "zoe" not in found.text
        assert "globex" not in found.text
    text = page(viewer, DAYS)
    assert options(text, "organization") == ["all", "acme"]
    assert options(text, "project") == ["all", "api", "web"]


def test_suggestions_are_bounded_in_number_and_in_statements(
    admin_client: Client,
    usage: None,
    django_assert_max_num_queries: DjangoAssertNumQueries,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    with django_assert_max_num_queries(40) as before:
        admin_client.get(VALUES)
    send(event(f"x{n}", at(10), subject=f"p{n}", input_tokens=5) for n in range(510))

    with django_assert_num_queries(len(before)):
        found = admin_client.get(VALUES).json()
    assert len(found["subject"]) == 500


def quick(client: Client) -> dict[str, Any]:
    answer = client.get("/admin/quick/")
    assert "private" in answer["Cache-Control"]
    found: dict[str, Any] = answer.json()
    return found


def test_the_quick_line_sums_today_and_the_month_of_what_one_sees(
    admin_client: Client, viewer: Client
) -> None:
    before = quick(viewer)
    send(
        [event("now", timezone.now(), organization="globex", model=SONNET, input_tokens=1_000_000)]
    )

    assert quick(admin_client)["today"] == "$6.00"
    assert quick(viewer) == before
    assert before == {**before, "today": "$0.00", "level": None, "word": None}


def test_the_quick_line_tells_the_worst_level_of_the_budgets_one_sees(
    admin_client: Client, viewer: Client
) -> None:
    send(
        [event("now", timezone.now(), organization="globex", model=SONNET, input_tokens=1_000_000)]
    )
    for slug, limit in (("acme", "1000000"), ("globex", "0"), ("globex", "1000000")):
        budget(slug, limit, name=f"up to {limit}", period="year")

    assert (quick(admin_client)["level"], quick(admin_client)["word"]) == ("over", "over")
    assert quick(viewer)["word"] == "ok"


def test_the_quick_line_is_for_staff_and_not_on_the_login_page(client: Client, usage: None) -> None:
    assert client.get("/admin/quick/").status_code == 302
    assert "quick" not in client.get("/admin/login/").text
