from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from selenium.webdriver.chrome.webdriver import WebDriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests.browser.pages import Open, chart, drawn, set_theme, wait

pytestmark = pytest.mark.django_db(transaction=True)


def element(browser: WebDriver, selector: str) -> Any:
    return browser.find_element(By.CSS_SELECTOR, selector)


def tip(browser: WebDriver, plot: str) -> list[str]:
    shown = f"#{plot}-chart ~ .tm-tip.tm-shown"
    text: str = wait(browser, lambda b: element(b, shown).text)
    return text.splitlines()


def texts(browser: WebDriver, selector: str) -> list[str]:
    found = browser.find_elements(By.CSS_SELECTOR, selector)
    return [each.get_attribute("textContent") or "" for each in found]


def expected_tip(browser: WebDriver, period: int) -> list[str]:
    rows = f"#spend-table tbody tr:nth-child({period + 1}) :is(th, td)"
    title, *values, total, _, requests = texts(browser, rows)
    names = texts(browser, "#spend-table thead th.n")
    series = [f"{n} {v}" for n, v in zip(names, values, strict=False) if v != "$0.00"]
    return [title, *reversed(series), f"Total {total}", requests]


def test_a_bar_tells_what_the_table_holds_and_leads_to_its_events(
    open_as: Callable[[User], Open], boss: User
) -> None:
    page = open_as(boss)("/admin/")
    drawn(page)
    canvas = element(page, "#spend-chart")
    assert canvas.get_attribute("role") == "application"
    canvas.send_keys(Keys.END, Keys.LEFT)

    lines = tip(page, "spend")
    *figures, requests = expected_tip(page, 28)
    assert lines[: len(figures)] == figures
    assert lines[len(figures)].endswith(" tokens")
    assert lines[len(figures) + 1] == f"{requests} jobs"
    voice = element(page, "#chart-voice").get_attribute("textContent")
    assert voice.startswith(f"{lines[0]}: {figures[-1]}, ")

    canvas.send_keys(Keys.UP)
    voice = element(page, "#chart-voice").get_attribute("textContent")
    assert voice == f"{figures[-2].replace(' $', ': $')}, {lines[0]}"
    day = chart(page, "tallyman.charts.stateOf('spend-chart').payload.periods[28].from")
    canvas.send_keys(Keys.ENTER)
    wait(page, lambda b: "/usageevent/" in b.current_url)
    assert f"from={day}&through={day}" in page.current_url
    assert "model=claude" in page.current_url
    assert page.find_elements(By.CSS_SELECTOR, "#result_list tbody tr")


def test_a_click_above_a_bar_leads_to_the_whole_period(
    open_as: Callable[[User], Open], boss: User
) -> None:
    page = open_as(boss)("/admin/?range=7d")
    drawn(page)
    page.execute_script(
        "const chart = Chart.getChart('spend-chart'), box = chart.canvas.getBoundingClientRect();"
        "const at = {bubbles: true, clientY: box.top + chart.chartArea.top + 2,"
        " clientX: box.left + chart.getDatasetMeta(0).data[2].x};"
        "chart.canvas.dispatchEvent(new MouseEvent('click', at));"
    )
    wait(page, lambda b: "/usageevent/" in b.current_url)
    assert "model=" not in page.current_url


def test_escape_leaves_a_chart(open_as: Callable[[User], Open], boss: User) -> None:
    page = open_as(boss)("/admin/")
    drawn(page)
    element(page, "#spend-chart").send_keys(Keys.HOME, Keys.ESCAPE)

    wait(page, lambda b: not b.find_elements(By.CSS_SELECTOR, ".tm-tip.tm-shown"))
    assert page.execute_script("return document.activeElement.id") != "spend-chart"
    assert element(page, "#chart-voice").get_attribute("textContent") == ""


def test_a_legend_hides_series_and_a_refresh_leaves_all_as_it_is(
    open_as: Callable[[User], Open], boss: User
) -> None:
    page = open_as(boss)("/admin/?group=project")
    drawn(page)
    first = wait(page, lambda b: element(b, "[data-legend-of=spend-chart] button"))
    name = first.text
    first.send_keys(Keys.ENTER)
    assert first.get_attribute("aria-pressed") == "false"
    assert not chart(page, "chart.isDatasetVisible(0)")

    element(page, "#spend-table summary").click()
    page.execute_script(
        "document.getElementById('spend-rows').scrollTop = 60; window.scrollTo(0, 200);"
        "document.getElementById('figures').dataset.shown = 'older';"
        "document.getElementById('spend-chart').focus({preventScroll: true});"
    )
    times = drawn(page)
    page.execute_script("tallyman.refresh()")
    wait(page, lambda b: drawn(b) > times)

    pressed = element(page, "[data-legend-of=spend-chart] button[aria-pressed=false]")
    assert pressed.text == name
    assert not chart(page, "chart.isDatasetVisible(0)")
    assert element(page, "#spend-table").get_attribute("open")
    assert page.execute_script("return document.getElementById('spend-rows').scrollTop") == 60
    assert page.execute_script("return [document.activeElement.id, scrollY]") == [
        "spend-chart", 200,
    ]  # fmt: skip


def test_a_ring_has_its_shares_beside_it(open_as: Callable[[User], Open], boss: User) -> None:
    page = open_as(boss)("/admin/")
    drawn(page, "providers")
    assert chart(page, "chart.config.type", "providers") == "doughnut"
    total = element(page, "#providers-chart ~ .tm-hole").text
    element(page, "#providers-chart").send_keys(Keys.RIGHT)

    assert tip(page, "providers")[1:3] == [f"anthropic {total} · 100 %", f"Total {total}"]
    assert texts(page, "#providers-table tbody tr > *") == ["anthropic", total, "100 %"]
    element(page, "#providers-chart").send_keys(Keys.ENTER)
    wait(page, lambda b: "provider=anthropic" in b.current_url)


def test_paper_is_light_and_holds_no_controls(open_as: Callable[[User], Open], boss: User) -> None:
    page = open_as(boss)("/admin/?organization=acme")
    drawn(page)
    set_theme(page, "dark")
    dark = wait(page, lambda b: chart(b, "chart.options.scales.x.ticks.color") == "#98a1b0")
    assert dark
    page.execute_script("window.dispatchEvent(new Event('beforeprint'))")
    assert chart(page, "chart.options.scales.x.ticks.color") == "#646c7a"
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    for hidden in ("#filter-bar", "#nav-sidebar", "#header"):
        assert not element(page, hidden).is_displayed()
    assert "organization acme" in element(page, ".tm-printed").text
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    page.execute_script("window.dispatchEvent(new Event('afterprint'))")
    assert chart(page, "chart.options.scales.x.ticks.color") == "#98a1b0"
