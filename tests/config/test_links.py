from datetime import UTC, datetime
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from django.urls import resolve, reverse
from hypothesis import given, settings
from hypothesis import strategies as st

from config.dashboards.links import events_url, group_events_url, page_path, page_url
from config.dashboards.parsing import read_question
from config.dashboards.question import Question
from usage.organizations import ensure_organization
from usage.selectors.access import EVERYTHING

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 22, 9, 40, tzinfo=UTC)
# What an identity may be called: up to 128 characters, no control characters.
NAMES = st.text(
    st.characters(min_codepoint=32, exclude_characters="\x7f", exclude_categories=("Cs", "Cc")),
    min_size=1,
    max_size=20,
)


def asked(**parameters: str) -> Question:
    return read_question(parameters, NOW, EVERYTHING)


def parts(url: str) -> dict[str, str]:
    return {name: values[-1] for name, values in parse_qs(urlsplit(url).query).items()}


@settings(deadline=None)
@given(NAMES)
def test_a_name_of_any_characters_has_a_page(name: str) -> None:
    path = page_path("subject", {"organization": "acme", "subject": name})

    assert resolve(unquote(path)).kwargs == {"organization": "acme", "subject": name}


@pytest.mark.parametrize("name", [".", "..", "...", "_", "._", "a/../b", "50%", "a?b#c", "ä b", ""])
def test_names_that_browsers_would_change_survive(name: str) -> None:
    path = reverse("admin:model_page", args=[name, "gpt-5"])

    assert resolve(unquote(path)).kwargs == {"provider": name, "model": "gpt-5"}
    assert set(path.split("/")).isdisjoint({".", ".."})
    assert "//" not in path


def test_usage_that_names_nobody_has_no_page() -> None:
    assert page_path("subject", {"organization": "acme", "subject": None}) == ""
    assert page_path("project", {"organization": None, "project": "web"}) == ""
    assert page_path("model", {"provider": None, "model": "llama"}).endswith("/models/_/llama/")


def test_range_filters_zone_and_currency_go_with_a_link_to_a_page() -> None:
    question = asked(
        range="90d", model="gpt-5", organization="acme", tz="Asia/Tokyo", group="team", step="week"
    )

    url = page_url(question, "project", {"organization": "acme", "project": "web"})

    assert urlsplit(url).path == "/admin/projects/acme/web/ai-cost/"
    assert parts(url) == {"range": "90d", "model": "gpt-5", "tz": "Asia/Tokyo"}


def test_what_a_page_is_about_is_in_its_path_and_in_the_links_that_leave_it() -> None:
    pinned = {"organization": "acme", "project": "web"}
    question = read_question(
        {"range": "7d", "model": "gpt-5", "tab": "trend", "organization": "globex"},
        NOW,
        EVERYTHING,
        pinned=pinned,
        kept=("tab",),
    )

    assert question.filters == {**pinned, "model": "gpt-5"}
    assert parts(question.query_string()) == {"range": "7d", "model": "gpt-5", "tab": "trend"}
    assert parts(question.everywhere()) == {"range": "7d", "model": "gpt-5", **pinned}
    assert parts(events_url(question)) == {
        "from": "2026-11-16", "through": "2026-11-22", "tz": "UTC", "model": "gpt-5", **pinned,
    }  # fmt: skip


def test_events_behind_a_row_that_names_nobody_are_asked_for() -> None:
    url = group_events_url(asked(), {"organization": "acme", "project": None}, status="error")

    assert parts(url)["project"] == "(none)"
    assert parts(url)["status"] == "error"


def test_days_are_those_of_the_only_organization_in_question_unless_asked_otherwise() -> None:
    tenant = ensure_organization("acme")
    tenant.time_zone = "Pacific/Auckland"
    tenant.save()
    ensure_organization("globex")

    assert asked().zone.key == "UTC"
    own = asked(organization="acme")
    assert own.zone.key == "Pacific/Auckland"
    assert "tz" not in parts(own.query_string())
    assert parts(asked(organization="acme", tz="UTC").query_string())["tz"] == "UTC"
