from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth.models import User
from selenium.webdriver.common.by import By
from selenium.webdriver.support.select import Select

from tests.browser.pages import Open, chart, drawn, resize, sideways, wait
from tests.config.site_data import event, send, staff
from usage.models import Subject

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def calls(prices: None) -> None:
    now = datetime.now(UTC)
    send(
        event(n, now - timedelta(hours=n), project=f"p{n % 3}", subject="ann",
              session_id=f"a-rather-long-session-id-{n // 4}", run_id="nightly" if n % 2 else None,
              input_tokens=10_000 * n)
        for n in range(1, 41)
    )  # fmt: skip
    send([event("now", now - timedelta(minutes=2), session_id="going", subject="bob")])
    Subject.objects.filter(key="ann").update(email="ann@acme.example")


def test_from_a_person_to_a_session_to_its_events(
    open_as: Callable[[User], Open], calls: None
) -> None:
    visit = open_as(User.objects.create_superuser("boss", password="pw"))
    page = visit("/admin/people/acme/ann/?range=7d")
    drawn(page)
    assert chart(page, "chart.data.labels.length") == 7
    page.find_element(By.LINK_TEXT, "Dearest").click()
    wait(page, lambda b: "sessions=dearest" in b.current_url)
    row = page.find_element(By.CSS_SELECTOR, ".tm-episodes tbody tr")
    spent = row.find_element(By.CSS_SELECTOR, ".tm-amount").text
    row.find_element(By.CSS_SELECTOR, "th a").click()
    wait(page, lambda b: "/admin/sessions/acme/" in b.current_url)
    assert page.find_element(By.CSS_SELECTOR, ".tm-kpi .v").text == spent[:-2]
    assert len(page.find_elements(By.CSS_SELECTOR, ".tm-timeline rect")) == 4
    for width in (1280, 800):
        resize(page, width)
        assert not sideways(page)
    page.find_element(By.PARTIAL_LINK_TEXT, "4 events").click()
    wait(page, lambda b: "/usageevent/" in b.current_url)
    assert len(page.find_elements(By.CSS_SELECTOR, "#result_list tbody tr")) == 4


def test_runs_are_ordered_switched_and_filtered_in_the_address(
    open_as: Callable[[User], Open], calls: None
) -> None:
    visit = open_as(User.objects.create_superuser("boss", password="pw"))
    page = visit("/admin/sessions/")
    assert len(page.find_elements(By.CSS_SELECTOR, ".tm-episodes tbody tr")) == 12
    page.find_element(By.LINK_TEXT, "Dearest first").click()
    wait(page, lambda b: "order=dearest" in b.current_url)
    page.find_element(By.LINK_TEXT, "Runs").click()
    wait(page, lambda b: "/admin/runs/" in b.current_url)
    assert "order=dearest" in page.current_url
    Select(page.find_element(By.NAME, "project")).select_by_visible_text("p1")
    wait(page, lambda b: "project=p1" in b.current_url)
    assert parse_qs(urlsplit(page.current_url).query)["order"] == ["dearest"]
    assert "active" in visit("/admin/sessions/acme/going/").page_source


def test_own_usage_needs_no_membership_and_its_bars_stay_on_the_page(
    open_as: Callable[[User], Open], calls: None
) -> None:
    user = staff("ann-login")
    user.email = "Ann@acme.example"
    user.save()
    page = open_as(user)("/admin/my-usage/?range=7d")
    drawn(page)
    assert chart(page, "chart.data.labels.length") == 7
    page.execute_script(
        "const chart = Chart.getChart('spend-chart');"
        "const at = chart.data.datasets[0].data.findIndex((value) => value > 0);"
        "chart.options.onClick({}, [{datasetIndex: 0, index: at}], chart);"
    )
    wait(page, lambda b: "from=" in b.current_url)
    assert "/admin/my-usage/" in page.current_url
    drawn(page)
    assert page.find_element(By.NAME, "from").get_attribute("value")
