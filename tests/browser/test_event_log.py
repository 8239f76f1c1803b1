from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from selenium.webdriver.common.by import By

from tests.browser.pages import Open, resize, serious_findings, set_theme, sideways, wait

pytestmark = pytest.mark.django_db(transaction=True)


def test_rarer_filters_open_hold_and_are_taken_away_again(
    open_as: Callable[[User], Open], boss: User
) -> None:
    page = open_as(boss)("/admin/usage/usageevent/?from=2000-01-01")
    rare = page.find_element(By.CSS_SELECTOR, ".tm-rare")
    rare.find_element(By.TAG_NAME, "summary").click()
    rare.find_element(By.NAME, "team").send_keys("(none)")
    page.find_element(By.NAME, "project").send_keys("p1")
    page.find_element(By.CSS_SELECTOR, '.tm-filter [type="submit"]').click()
    wait(page, lambda b: "project=p1" in b.current_url)
    assert page.find_element(By.CSS_SELECTOR, ".tm-rare").get_attribute("open")
    assert "8 usage events" in page.page_source
    (chip,) = (
        chip for chip in page.find_elements(By.CSS_SELECTOR, ".tm-chip") if "p1" in chip.text
    )
    chip.click()
    wait(page, lambda b: "project=" not in b.current_url)
    assert "team=" in page.current_url
    for theme in ("light", "dark"):
        set_theme(page, theme)
        assert serious_findings(page, "#changelist-filter") == []
    for width in (1280, 800):
        resize(page, width)
        assert not sideways(page)
    page.find_element(By.CSS_SELECTOR, "#result_list tbody .field-project_page a").click()
    wait(page, lambda b: "/admin/projects/" in b.current_url)
