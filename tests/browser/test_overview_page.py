from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from selenium.webdriver.common.by import By
from selenium.webdriver.support.select import Select

from tests.browser.pages import Open, chart, drawn, resize, set_theme, sideways, wait
from tests.budgets.budget_values import budget
from tests.config.site_data import event, send, staff
from usage.formats import money, quantity
from usage.models import APIKey, Membership
from usage.selectors.access import EVERYTHING
from usage.selectors.questions import UsageQuery
from usage.selectors.usage import query_usage

pytestmark = pytest.mark.django_db(transaction=True)


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
    set_theme(page, "dark")
    wait(page, lambda b: drawn(b) > first)
    dark = chart(page, "chart.data.datasets[0].backgroundColor")
    assert light != dark
    assert chart(page, "chart.data.datasets.length") == 6

    table = page.find_element(By.ID, "spend-table")
    table.find_element(By.TAG_NAME, "summary").click()
    for width in (1280, 800):
        resize(page, width)
        assert not sideways(page)


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
    month = page.find_element(By.CSS_SELECTOR, "#quick-stats [data-month]")
    wait(page, lambda _: month.text == "$0.30")

    badge = page.find_element(By.ID, "alerts-badge")
    assert badge.text == "No alerts"
    budget(limit="0.25")
    page.execute_script("document.dispatchEvent(new Event('tallyman:changed'))")
    wait(page, lambda _: badge.text == "2 alerts · critical")
    page.find_element(By.CSS_SELECTOR, "#alerts-line button").click()
    wait(page, lambda b: b.find_element(By.ID, "alerts-badge").text == "1 alert · warning")
    assert page.find_elements(By.CSS_SELECTOR, "#alerts-line button") == []
    assert page.current_url.endswith("/admin/")


def test_an_organization_administrator_sees_nothing_of_another(
    open_as: Callable[[User], Open], boss: User
) -> None:
    visit = open_as(staff("adam", "acme", role=Membership.Role.ADMIN))
    for path in ("", "?group=organization", "usage/usageevent/", "usage/project/"):
        page = visit(f"/admin/{path}")
        assert "acme" in page.page_source
        assert "globex" not in page.page_source
