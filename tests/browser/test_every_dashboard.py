import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User
from selenium.webdriver.chrome.webdriver import WebDriver
from selenium.webdriver.common.by import By

from tests.browser.pages import WIDTHS, Open, resize, serious_findings, set_theme, sideways
from tests.budgets.budget_values import budget
from tests.config.dashboard_routes import OWN, shared_pages
from tests.config.site_data import OPUS, UNKNOWN, event, send
from usage.models import Subject

ALSO = (
    "/admin/budgets/budget/",
    "/admin/budgets/budget/add/",
    "/admin/usage/usageevent/",
    "/admin/usage/export/",
    f"/admin/?subject={'x' * 128}&model={'y' * 128}",
)
PAGES = (
    "/admin/organizations/acme/",
    "/admin/projects/acme/p1/ai-cost/",
    "/admin/people/acme/a-person-with-a-rather-long-name-and-no-spaces@example.com/",
    "/admin/sessions/acme/a-session-with-a-rather-long-name-and-no-spaces/",
    "/admin/runs/acme/r1/",
    "/admin/models/anthropic/claude-sonnet-4-5/",
)
TOLD = ("first event", "No ", "no ", "Nothing", "not known yet")
COLOURS_CHANGE_SECONDS = 0.3
OWN_PART, CONTRAST = "#content", "color-contrast"
"""What frames every page is looked at with the overview."""
TABS = ("months", "runs", "recent")


@pytest.fixture
def usage(boss: User) -> None:
    now = datetime.now(UTC)
    person = "a-person-with-a-rather-long-name-and-no-spaces@example.com"
    session = "a-session-with-a-rather-long-name-and-no-spaces"
    send(
        event(
            f"s{n}", now - timedelta(minutes=n), model=(OPUS, UNKNOWN)[n % 2], project="p1",
            subject=person, session_id=session, run_id=f"r{n % 2}", run_trigger="push",
            team="core", agent_type="review", input_tokens=9000, cache_read_tokens=3000,
            output_tokens=800, status="error" if n % 5 == 0 else "success", duration_ms=900,
        )
        for n in range(1, 12)
    )  # fmt: skip
    User.objects.filter(pk=boss.pk).update(email="boss@example.com")
    Subject.objects.filter(key=person).update(email="boss@example.com")
    budget("acme", limit="0.01")
    budget("acme", project="p1", limit="0.3")
    budget("globex", limit="1000", name="All of Globex, with a name that takes some room")


def too_wide(browser: WebDriver, path: str) -> list[tuple[str, str]]:
    found = []
    for width in WIDTHS:
        resize(browser, width)
        if sideways(browser):
            found.append((path, f"sideways at {width}"))
    return found


def findings(visit: Open, paths: list[str]) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for path in paths:
        browser = visit(path)
        found += too_wide(browser, path)
        set_theme(browser, "light")
        found += [(path, finding) for finding in serious_findings(browser, OWN_PART)]
        set_theme(browser, "dark")
        time.sleep(COLOURS_CHANGE_SECONDS)
        found += [(path, finding) for finding in serious_findings(browser, OWN_PART, CONTRAST)]
    return found


def test_no_page_has_a_serious_finding_or_goes_sideways(
    open_as: Callable[[User], Open], boss: User, usage: None
) -> None:
    # A project's short address leads to its page, and its file is none.
    assert len(PAGES) == len(OWN) - 2
    tabs = [f"/admin/projects/acme/p1/ai-cost/?tab={tab}" for tab in TABS]

    assert findings(open_as(boss), [*shared_pages(), *PAGES, *tabs, *ALSO]) == []


def test_empty_pages_say_what_will_be_there(
    open_as: Callable[[User], Open], transactional_db: None
) -> None:
    visit = open_as(User.objects.create_superuser("first", password="pw"))

    for path in shared_pages():
        browser = visit(path)
        assert too_wide(browser, path) == []
        text = browser.find_element(By.ID, "content").text
        told = [word for word in TOLD if word in text]
        assert told, (path, text)
