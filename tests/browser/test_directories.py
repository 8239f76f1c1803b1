from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By

from tests.browser.pages import (
    Open,
    chart,
    drawn,
    wait,
)

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_directory_is_ordered_searched_and_left_for_pages_and_events(
    open_as: Callable[[User], Open], boss: User
) -> None:
    page = open_as(boss)("/admin/projects/")
    drawn(page)
    assert chart(page, "chart.data.datasets.length") == 6
    assert len(page.find_elements(By.CSS_SELECTOR, ".tm-directory tbody tr")) > 6

    page.find_element(By.LINK_TEXT, "Name").click()
    wait(page, lambda b: "order=name" in b.current_url)
    first = page.find_element(By.CSS_SELECTOR, ".tm-directory tbody th a").text
    assert first.endswith("p0")
    page.find_element(By.NAME, "q").send_keys("p1\n")
    wait(page, lambda b: "q=p1" in b.current_url)
    assert "order=name" in page.current_url
    (found,) = page.find_elements(By.CSS_SELECTOR, ".tm-directory tbody tr")
    requests = found.find_element(By.CSS_SELECTOR, "td a")
    shown = requests.text
    requests.click()
    wait(page, lambda b: "/usageevent/" in b.current_url)
    rows = page.find_elements(By.CSS_SELECTOR, "#result_list tbody tr")
    assert len(rows) == int(shown)

    page.back()
    row = wait(page, lambda b: b.find_element(By.CSS_SELECTOR, ".tm-directory tbody tr"))
    cell = row.find_element(By.CSS_SELECTOR, "td:nth-of-type(8)")
    ActionChains(page).move_to_element(cell).click().perform()
    wait(page, lambda b: "/ai-cost/" in b.current_url)
