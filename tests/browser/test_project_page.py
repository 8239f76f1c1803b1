from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User
from selenium.webdriver.chrome.webdriver import WebDriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.expected_conditions import presence_of_element_located
from selenium.webdriver.support.select import Select

from tests.browser.pages import (
    Open,
    chart,
    drawn,
    serious_findings,
    wait,
)
from tests.budgets.budget_values import budget
from tests.config.site_data import event, send
from usage.formats import money
from usage.selectors.access import EVERYTHING
from usage.selectors.questions import UsageQuery
from usage.selectors.usage import query_usage

pytestmark = pytest.mark.django_db(transaction=True)
WEB = "/admin/projects/acme/web/ai-cost/"
AGENTS = ("implementation", "ui_ux", "research", "poetry", "testing", "security", "release")
TABS = ("By agent type", "Monthly trend", "Top pipelines", "Recent")


@pytest.fixture
def owner(prices: None) -> User:
    now = datetime.now(UTC)
    send(
        event(
            n,
            now - timedelta(days=n % 20, minutes=n),
            project="web" if n % 5 else "api",
            agent_type=AGENTS[n % 7],
            run_id=f"a-rather-long-name-of-a-pipeline-run-without-spaces-{n % 6}",
            run_trigger="pull_request",
            input_tokens=10_000 * n,
            output_tokens=100,
            status="error" if n % 9 == 0 else "success",
        )
        for n in range(1, 61)
    )
    send([event("now", now, project="web", agent_type=AGENTS[0], input_tokens=10_000)])
    budget(project="web", limit="0.01")
    return User.objects.create_superuser("boss", password="pw")


def wait_for_tab(browser: WebDriver, name: str) -> None:
    current = f"//*[@id='tabs']//a[@aria-current][.='{name}']"
    wait(browser, presence_of_element_located((By.XPATH, current)))


def test_numbers_tabs_and_ranges_of_a_project(open_as: Callable[[User], Open], owner: User) -> None:
    page = open_as(owner)("/admin/ai-cost/")
    wait(page, lambda b: b.current_url.endswith(WEB))
    drawn(page)
    today = datetime.now(UTC).date()
    filters = {"organization": ["acme"], "project": ["web"]}
    totals = query_usage(
        UsageQuery(
            viewer=EVERYTHING, start=today.replace(day=1), end=today + timedelta(days=1),
            filters=filters,
        )
    ).totals  # fmt: skip
    values = [found.text for found in page.find_elements(By.CSS_SELECTOR, ".tm-kpi .v")]
    assert values[0] == money(totals.cost, "USD")
    assert values[2] == str(totals.events - totals.errors)
    assert "over" in page.find_element(By.CSS_SELECTOR, ".tm-limits .tm-badge").text
    assert chart(page, "chart.data.labels.length") == 30

    page.find_element(By.LINK_TEXT, "14 d").click()
    wait(page, lambda b: "range=14d" in b.current_url)
    drawn(page)
    assert chart(page, "chart.data.labels.length") == 14

    for name in TABS[1:]:
        page.find_element(By.LINK_TEXT, name).send_keys(Keys.ENTER)
        wait_for_tab(page, name)
        assert "range=14d" in page.current_url
    assert len(page.find_elements(By.CSS_SELECTOR, ".tm-recent tbody tr")) == 49

    amount = page.find_element(By.CSS_SELECTOR, ".tm-recent tbody th a")
    amount.click()
    wait(page, lambda b: "/usageevent/" in b.current_url)


def test_a_bar_tells_its_day_and_leads_to_its_events(
    open_as: Callable[[User], Open], owner: User
) -> None:
    page = open_as(owner)(WEB)
    drawn(page)
    set_of = "chart.data.datasets[0].data"
    index = chart(page, f"{set_of}.findIndex(value => value > 0)")
    day = (datetime.now(UTC).date() - timedelta(days=29 - index)).isoformat()
    page.execute_script(
        "const chart = Chart.getChart('spend-chart');"
        f"chart.options.onClick({{}}, [{{datasetIndex: 0, index: {index}}}]);"
    )
    wait(page, lambda b: "/usageevent/" in b.current_url)
    assert f"from={day}&through={day}" in page.current_url
    assert "project=web" in page.current_url
    assert "agent_type=" in page.current_url


def test_the_picker_turns_to_another_project(open_as: Callable[[User], Open], owner: User) -> None:
    page = open_as(owner)(f"{WEB}?range=7d&tab=runs")
    Select(page.find_element(By.NAME, "to")).select_by_visible_text("acme / api")
    page.find_element(By.NAME, "to").find_element(By.XPATH, "./../../button").click()
    wait(page, lambda b: "/projects/acme/api/ai-cost/" in b.current_url)
    assert "range=7d" in page.current_url
    wait_for_tab(page, "Top pipelines")


def test_a_project_without_usage_shows_what_will_be_here(
    open_as: Callable[[User], Open], owner: User
) -> None:
    page = open_as(owner)(f"{WEB}?range=custom&from=2020-01-01&through=2020-01-02")
    assert "No usage in January 2020" in page.page_source
    assert not page.find_elements(By.TAG_NAME, "canvas")
    assert serious_findings(page) == []
