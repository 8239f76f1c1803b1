from collections.abc import Callable

from django.contrib.auth.models import User
from selenium.webdriver.common.by import By

from tests.browser.pages import Open
from tests.browser.sweep import findings, too_wide
from tests.config.dashboard_routes import shared_pages

TOLD = ("first event", "No ", "no ", "Nothing", "not known yet")


def test_no_shared_page_has_a_serious_finding_or_goes_sideways(
    open_as: Callable[[User], Open], boss: User, busy_site: None
) -> None:
    assert findings(open_as(boss), shared_pages()) == []


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
