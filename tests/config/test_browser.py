import os
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import User
from pytest_django.live_server_helper import LiveServer
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.chrome.webdriver import WebDriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.select import Select
from selenium.webdriver.support.wait import WebDriverWait

from pricing.publishing import Provenance
from pricing.rating import MeterPrice
from pricing.selectors import MANUAL, named_card
from tests.config.site_data import OPUS, event, send, staff
from tests.published import publish_price
from usage.formats import money, quantity
from usage.models import APIKey, Membership
from usage.selectors.access import EVERYTHING
from usage.selectors.questions import UsageQuery
from usage.selectors.usage import query_usage

if TYPE_CHECKING:
    from pathlib import Path

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        not (CHROMIUM and DRIVER) and not os.environ.get("TALLYMAN_TEST_ALL"),
        reason="chromium and chromedriver are not installed",
    ),
]
FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage",
)  # fmt: skip
SEVERE = ("SEVERE", "ERROR")
Open = Callable[[str], WebDriver]


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebDriver]:
    assert CHROMIUM
    assert DRIVER
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    profile: Path = tmp_path_factory.mktemp("profile")
    for flag in (*FLAGS, f"--user-data-dir={profile}", "--window-size=1280,1000"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    driver.set_page_load_timeout(30)
    yield driver
    driver.quit()


@pytest.fixture
def open_as(browser: WebDriver, live_server: LiveServer) -> Iterator[Callable[[User], Open]]:
    def sign_in(user: User) -> Open:
        browser.get(f"{live_server.url}/admin/login/")
        browser.find_element(By.NAME, "username").send_keys(user.get_username())
        browser.find_element(By.NAME, "password").send_keys("pw")
        browser.find_element(By.CSS_SELECTOR, "[type=submit]").click()

        def visit(path: str) -> WebDriver:
            browser.get(live_server.url + path)
            return browser

        return visit

    browser.delete_all_cookies()
    console(browser)
    yield sign_in
    complaints = [entry for entry in console(browser) if entry["level"] in SEVERE]
    browser.get("about:blank")
    assert complaints == []


@pytest.fixture
def prices(transactional_db: None) -> None:
    card = named_card(MANUAL)
    for model, price in (("claude-sonnet-4-5", 3), (OPUS, 5)):
        publish_price(
            rate_card=card,
            provider="anthropic",
            model=model,
            prices=[MeterPrice("input_tokens", Decimal(price), 1_000_000)],
            effective_from=datetime(2026, 1, 1, tzinfo=UTC),
            source=Provenance("manual"),
        )


@pytest.fixture
def boss(prices: None) -> User:
    now = datetime.now(UTC)
    send(
        event(
            n,
            now - timedelta(days=n % 20, minutes=n),
            organization="globex" if n % 4 == 0 else "acme",
            model=OPUS if n % 3 == 0 else "claude-sonnet-4-5",
            project=f"p{n % 8}",
            subject="a-person-with-a-rather-long-name-and-no-spaces@example.com",
            input_tokens=1000 * n,
            output_tokens=100,
        )
        for n in range(1, 61)
    )
    return User.objects.create_superuser("boss", password="pw")


def console(browser: WebDriver) -> list[dict[str, str]]:
    found: list[dict[str, str]] = browser.execute("getLog", {"type": "browser"})["value"]
    return found


def wait(browser: WebDriver, condition: Callable[[WebDriver], Any]) -> Any:
    return WebDriverWait(browser, 10, poll_frequency=0.05).until(condition)


def drawn(browser: WebDriver) -> int:
    found: str = wait(
        browser,
        lambda b: b.find_element(By.ID, "spend-chart").get_attribute("data-drawn"),
    )
    return int(found)


def chart(browser: WebDriver, expression: str) -> Any:
    return browser.execute_script(
        f"const chart = Chart.getChart('spend-chart'); return {expression};"
    )


def sideways(browser: WebDriver) -> bool:
    script = "return document.documentElement.scrollWidth > window.innerWidth"
    return bool(browser.execute_script(script))


def resize(browser: WebDriver, width: int) -> None:
    size = {"width": width, "height": 1000, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)


def test_the_overview_shows_what_the_selectors_know(
    open_as: Callable[[User], Open], boss: User
) -> None:
    page = open_as(boss)("/admin/")
    drawn(page)

    today = datetime.now(UTC).date()
    start, end = today - timedelta(days=29), today + timedelta(days=1)
    totals = query_usage(UsageQuery(viewer=EVERYTHING, start=start, end=end)).totals
    values = [e.text for e in page.find_elements(By.CSS_SELECTOR, ".tm-kpi .v")]
    assert values[0] == money(totals.cost, "USD")
    assert values[2:] == [quantity(totals.events), "0"]
    assert chart(page, "chart.data.labels.length") == 30
    sets = chart(page, "chart.data.datasets.map(s => s.data.reduce((a, b) => a + b, 0))")
    shown = sum((Decimal(str(value)) for value in sets), Decimal(0))
    assert shown.quantize(Decimal("0.0001")) == totals.cost
    assert len(set(chart(page, "chart.data.datasets.map(s => s.backgroundColor)"))) == 2


def test_ranges_filters_and_bars_change_the_address(
    open_as: Callable[[User], Open], boss: User
) -> None:
    page = open_as(boss)("/admin/")
    page.find_element(By.LINK_TEXT, "7 d").click()
    wait(page, lambda b: "range=7d" in b.current_url)
    drawn(page)
    assert chart(page, "chart.data.labels.length") == 7

    Select(page.find_element(By.NAME, "organization")).select_by_visible_text("globex")
    wait(page, lambda b: "organization=globex" in b.current_url)
    assert "range=7d" in page.current_url
    assert "project=" not in page.current_url
    page.find_element(By.LINK_TEXT, "Week").click()
    wait(page, lambda b: "step=week" in b.current_url)
    drawn(page)
    assert chart(page, "chart.data.labels.length") in (1, 2)

    page.execute_script(
        "const chart = Chart.getChart('spend-chart');"
        "chart.options.onClick({}, [{datasetIndex: 0, index: 0}]);"
    )
    wait(page, lambda b: "/usageevent/" in b.current_url)
    assert "organization=globex" in page.current_url
    assert "model=claude" in page.current_url
    assert page.find_elements(By.CSS_SELECTOR, "#result_list tbody tr")


def test_the_chart_follows_the_theme_and_the_page_fits(
    open_as: Callable[[User], Open], boss: User
) -> None:
    page = open_as(boss)("/admin/?group=project")
    first = drawn(page)
    light = chart(page, "chart.data.datasets[0].backgroundColor")
    for _ in range(2):
        page.find_element(By.CSS_SELECTOR, "#header .theme-toggle").click()
    dark_media = {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", dark_media)
    page.execute_script("document.documentElement.dataset.theme = 'dark'")
    wait(page, lambda b: drawn(b) > first)
    dark = chart(page, "chart.data.datasets[0].backgroundColor")
    assert light != dark
    assert chart(page, "chart.data.datasets.length") == 6

    table = page.find_element(By.ID, "spend-table")
    table.find_element(By.TAG_NAME, "summary").click()
    for width in (1280, 800):
        resize(page, width)
        assert not sideways(page)
    page.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    page.execute_script("localStorage.clear()")


def test_an_empty_page_fills_itself_and_a_key_is_shown_once(
    open_as: Callable[[User], Open], prices: None
) -> None:
    visit = open_as(User.objects.create_superuser("boss", password="pw"))
    page = visit("/admin/")
    page.find_element(By.LINK_TEXT, "Make an API key").click()
    Select(page.find_element(By.NAME, "organization")).select_by_index(0)
    page.find_element(By.NAME, "name").send_keys("first")
    page.find_element(By.CSS_SELECTOR, ".submit-row input").click()
    secret = wait(page, lambda b: b.find_element(By.ID, "secret")).text
    assert APIKey.objects.get_from_key(secret.removeprefix("tm_")).name == "first"
    assert f"Bearer {secret}" in page.find_element(By.ID, "curl-line").text
    visit("/admin/usage/apikey/")
    assert secret not in page.page_source

    visit("/admin/")
    assert "No usage yet" in page.page_source
    send([event(1, datetime.now(UTC) - timedelta(minutes=1), input_tokens=100_000)])
    drawn(page)
    assert page.find_element(By.CSS_SELECTOR, ".tm-kpi .v").text == "$0.30"


def test_an_organization_administrator_sees_nothing_of_another(
    open_as: Callable[[User], Open], boss: User
) -> None:
    visit = open_as(staff("adam", "acme", role=Membership.Role.ADMIN))
    for path in ("", "?group=organization", "usage/usageevent/", "usage/project/"):
        page = visit(f"/admin/{path}")
        assert "acme" in page.page_source
        assert "globex" not in page.page_source
