from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from selenium.webdriver.common.by import By

from tests.browser.pages import (
    Open,
    drawn,
    wait,
)

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_models_page_draws_its_charts_and_map(
    open_as: Callable[[User], Open], boss: User
) -> None:
    page = open_as(boss)("/admin/models/anthropic/claude-sonnet-4-5/")
    for plot in ("spend", "tokens", "requests"):
        assert drawn(page, plot)
    cells = page.find_elements(By.CSS_SELECTOR, ".tm-heat tbody td")
    assert len(cells) == 7 * 24
    warm = {cell.get_attribute("class") for cell in cells}
    assert {"h0", "h5"} <= warm
    shades = {each.value_of_css_property("background-color") for each in cells}
    assert len(shades) == len(warm)
    page.find_element(By.LINK_TEXT, "7 d").click()
    wait(page, lambda b: "range=7d" in b.current_url)
    assert "/models/anthropic/claude-sonnet-4-5/" in page.current_url
