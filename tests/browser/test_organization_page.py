import csv
import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import User
from django.test import Client
from selenium.webdriver.common.by import By

from tests.browser.pages import Open, chart, drawn, resize, set_theme, sideways, wait
from tests.budgets.budget_values import budget
from tests.config.site_data import staff
from usage.formats import money
from usage.models import Membership
from usage.selectors.access import EVERYTHING
from usage.selectors.questions import UsageQuery
from usage.selectors.usage import query_usage

pytestmark = pytest.mark.django_db(transaction=True)
ACME = "/admin/organizations/acme/"


def test_figures_ranges_and_drill_down_of_an_organization(
    open_as: Callable[[User], Open], boss: User
) -> None:
    page = open_as(boss)(ACME)
    drawn(page)
    today = datetime.now(UTC).date()
    totals = query_usage(
        UsageQuery(
            viewer=EVERYTHING,
            start=today - timedelta(days=29),
            end=today + timedelta(days=1),
            filters={"organization": ["acme"]},
        )
    ).totals
    assert page.find_element(By.CSS_SELECTOR, ".tm-kpi .v").text == money(totals.cost, "USD")
    for plot in ("tokens", "requests"):
        assert drawn(page, plot)
    sums = chart(
        page, "chart.data.datasets.flatMap(s => s.data).reduce((a, b) => a + b, 0)", "tokens"
    )
    assert sums == totals.total_tokens

    page.find_element(By.LINK_TEXT, "7 d").click()
    wait(page, lambda b: "range=7d" in b.current_url)
    drawn(page)
    assert chart(page, "chart.data.labels.length") == 7

    project = page.find_element(By.CSS_SELECTOR, "section[aria-label=Projects] tbody")
    amount = project.find_element(By.CSS_SELECTOR, "a.tm-amount")
    name = project.find_element(By.CSS_SELECTOR, "th a").text
    page.execute_script("arguments[0].click()", amount)
    wait(page, lambda b: "/usageevent/" in b.current_url)
    assert "organization=acme" in page.current_url
    assert f"project={name}" in page.current_url
    page.back()
    wait(page, lambda b: b.find_elements(By.LINK_TEXT, name))
    page.execute_script("arguments[0].click()", page.find_element(By.LINK_TEXT, name))
    wait(page, lambda b: f"/projects/acme/{name}/" in b.current_url)
    assert "range=7d" in page.current_url


def test_an_organizations_page_fits_in_light_and_dark_and_offers_its_table(
    open_as: Callable[[User], Open], boss: User
) -> None:
    budget(limit="0.01")
    page = open_as(boss)(ACME)
    first = drawn(page)
    set_theme(page, "dark")
    wait(page, lambda b: drawn(b) > first)
    page.find_element(By.ID, "spend-table").find_element(By.TAG_NAME, "summary").click()
    for width in (1280, 800):
        resize(page, width)
        assert not sideways(page)

    client = Client()
    client.force_login(boss)
    link = page.find_element(By.CSS_SELECTOR, "#spend-table a[download]").get_attribute("href")
    address = urlsplit(link or "")
    lines = client.get(f"{address.path}?{address.query}").text
    cells = page.find_elements(By.CSS_SELECTOR, "#spend-table tfoot td.n")
    last = list(csv.DictReader(io.StringIO(lines)))[-1]
    assert money(Decimal(last["total USD"]), "USD") in [cell.text for cell in cells]


def test_an_administrator_reaches_no_other_organization(
    open_as: Callable[[User], Open], boss: User
) -> None:
    visit = open_as(staff("adam", "acme", role=Membership.Role.ADMIN))
    assert "globex" not in visit(ACME).page_source
    client = Client()
    client.force_login(User.objects.get(username="adam"))
    assert client.get("/admin/organizations/globex/").status_code == 404
