from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select

from pricing.exchange import DatedRate, set_rates
from pricing.publishing import Provenance
from tests.browser.pages import (
    Open,
    chart,
    drawn,
    resize,
    serious_findings,
    set_theme,
    sideways,
    wait,
)

pytestmark = pytest.mark.django_db(transaction=True)


def test_more_filters_suggest_what_the_view_holds_and_can_be_taken_away(
    open_as: Callable[[User], Open], boss: User
) -> None:
    page = open_as(boss)("/admin/?organization=acme")
    drawn(page)
    menu = page.find_element(By.ID, "more-filters")
    menu.find_element(By.TAG_NAME, "summary").click()
    wait(page, lambda _: menu.get_attribute("data-suggested") == "all")
    models = page.find_elements(By.CSS_SELECTOR, "#values-model option")
    assert {option.get_attribute("value") for option in models} == {
        "claude-opus-4-5", "claude-sonnet-4-5",
    }  # fmt: skip
    menu.find_element(By.NAME, "model").send_keys("claude-opus-4-5", Keys.ENTER)
    wait(page, lambda b: "model=claude-opus-4-5" in b.current_url)
    assert "organization=acme" in page.current_url
    assert "team=" not in page.current_url
    drawn(page)
    assert chart(page, "chart.data.datasets.map(s => s.label)") == ["claude-opus-4-5"]

    page.find_element(By.CSS_SELECTOR, ".tm-chip").click()
    wait(page, lambda b: "model=" not in b.current_url)
    page.back()
    wait(page, lambda b: "model=claude-opus-4-5" in b.current_url)
    assert page.find_element(By.CSS_SELECTOR, ".tm-chip b").text == "claude-opus-4-5"


def test_own_days_zone_and_currency_are_chosen_in_the_bar(
    open_as: Callable[[User], Open], boss: User
) -> None:
    set_rates([DatedRate("USD", "EUR", date(2026, 1, 1), Decimal("0.5"))], Provenance("test"))
    page = open_as(boss)("/admin/?group=project")
    page.execute_cdp_cmd("Emulation.setTimezoneOverride", {"timezoneId": "Asia/Tokyo"})
    page.refresh()
    zones = Select(page.find_element(By.NAME, "tz"))
    assert zones.first_selected_option.text == "UTC"
    zones.select_by_visible_text("Asia/Tokyo (this browser)")
    wait(page, lambda b: "tz=Asia%2FTokyo" in b.current_url)
    page.execute_cdp_cmd("Emulation.setTimezoneOverride", {"timezoneId": ""})
    dollars = page.find_element(By.CSS_SELECTOR, ".tm-kpi .v").text
    Select(page.find_element(By.NAME, "currency")).select_by_visible_text("EUR")
    wait(page, lambda b: "currency=EUR" in b.current_url)
    euros = page.find_element(By.CSS_SELECTOR, ".tm-kpi .v").text
    assert abs(Decimal(dollars[1:]) / 2 - Decimal(euros[1:])) <= Decimal("0.01")
    drawn(page)
    assert chart(page, "chart.scales.y.ticks.every(t => t.label.startsWith('€'))")

    page.find_element(By.CSS_SELECTOR, "#more-ranges summary").click()
    for name in ("from", "through"):
        field = page.find_element(By.CSS_SELECTOR, f"#more-ranges [name={name}]")
        day = "2026-11-02" if name == "from" else "2026-11-05"
        page.execute_script("arguments[0].value = arguments[1]", field, day)
    page.find_element(By.CSS_SELECTOR, "#more-ranges button").click()
    wait(page, lambda b: "range=custom&from=2026-11-02&through=2026-11-05" in b.current_url)
    for kept in ("group=project", "tz=Asia%2FTokyo", "currency=EUR"):
        assert kept in page.current_url
    assert "2 Nov" in page.find_element(By.CSS_SELECTOR, "#more-ranges summary").text


def test_menus_stay_inside_the_page_and_close(open_as: Callable[[User], Open], boss: User) -> None:
    page = open_as(boss)("/admin/")
    for theme, width in (("light", 1280), ("dark", 800)):
        set_theme(page, theme)
        resize(page, width)
        for menu in ("more-ranges", "more-filters"):
            summary = page.find_element(By.CSS_SELECTOR, f"#{menu} summary")
            summary.click()
            assert not sideways(page)
            assert len(page.find_elements(By.CSS_SELECTOR, "#filter-bar details[open]")) == 1
            assert serious_findings(page, "#filter-bar") == []
            summary.send_keys(Keys.ESCAPE)
            assert not page.find_elements(By.CSS_SELECTOR, "#filter-bar details[open]")


def test_the_sidebar_ends_with_what_today_and_the_month_cost(
    open_as: Callable[[User], Open], boss: User
) -> None:
    visit = open_as(boss)
    page = visit("/admin/?range=month")
    month = page.find_element(By.CSS_SELECTOR, ".tm-kpi .v").text
    page = visit("/admin/usage/team/")
    wait(page, lambda b: b.find_element(By.ID, "quick-stats").is_displayed())
    line = page.find_element(By.ID, "quick-stats")
    today, spent = (
        line.find_element(By.CSS_SELECTOR, f"[data-{n}]").text for n in ("today", "month")
    )
    assert today.startswith("$")
    assert spent == month
    line.click()
    wait(page, lambda b: "/admin/?range=month" in b.current_url)
