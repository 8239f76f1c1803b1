import os
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from pytest_django.live_server_helper import LiveServer
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.chrome.webdriver import WebDriver

from pricing.publishing import Provenance
from pricing.rating import MeterPrice
from pricing.selectors import MANUAL, named_card
from tests.browser.pages import Open, as_before, console
from tests.budgets.budget_values import budget
from tests.config.site_data import OPUS, UNKNOWN, event, send
from tests.published import publish_price
from usage.models import Subject

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage", "--window-size=1280,1000", "--force-prefers-reduced-motion",
)  # fmt: skip
SEVERE = ("SEVERE", "ERROR")


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebDriver]:
    if not (CHROMIUM and DRIVER) and not os.environ.get("TALLYMAN_TEST_ALL"):
        pytest.skip("chromium and chromedriver are not installed")
    assert CHROMIUM
    assert DRIVER
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    profile = tmp_path_factory.mktemp("profile")
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    driver.set_page_load_timeout(30)
    driver.set_script_timeout(30)
    yield driver
    driver.quit()


@pytest.fixture
def open_as(browser: WebDriver, live_server: LiveServer) -> Iterator[Callable[[User], Open]]:
    """Sign somebody in; visits fail where a page complained in the console or about its policy."""

    def sign_in(user: User) -> Open:
        client = Client()
        client.force_login(user)
        browser.get(f"{live_server.url}/admin/login/")
        cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
        browser.add_cookie({"name": settings.SESSION_COOKIE_NAME, "value": cookie})

        def visit(path: str) -> WebDriver:
            browser.get(live_server.url + path)
            return browser

        return visit

    browser.delete_all_cookies()
    console(browser)
    yield sign_in
    complaints = [entry for entry in console(browser) if entry["level"] in SEVERE]
    as_before(browser)
    browser.execute_script("localStorage.clear()")
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


@pytest.fixture
def busy_site(boss: User) -> None:
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
