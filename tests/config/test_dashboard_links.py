import re
from collections.abc import Iterator
from html import unescape
from urllib.parse import parse_qs, urljoin, urlsplit

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import resolve

from tests.budgets.budget_values import budget
from tests.config.dashboard_routes import OWN, own_pages, shared_pages
from tests.config.tenants import Tenant

WORD = "quokka"
LINK = re.compile(r'<a\b[^>]*?\bhref="([^"]+)"')
PARTS_OF_A_VIEW = {"range": "90d", "tz": "Asia/Tokyo"}
EVENTS = "usage_usageevent_changelist"
SIDEBAR = ("index", "organizations", "projects", "people", "models", "sessions", "my_usage",
           "projects_home", "chargeback", "advice", "unpriced")  # fmt: skip
NOT_RANGED = ("/admin/sessions/quokka/", "/admin/runs/quokka/", "/admin/chargeback/")
"""Sessions and runs are shown whole, and charges by months of each organization's zone."""
Kind = tuple[str, frozenset[str]]


@pytest.fixture
def client(catalogue: None) -> Client:
    Tenant(WORD)
    budget(WORD, limit="0.0001")
    client = Client()
    client.force_login(User.objects.create_superuser("root", password="pw"))
    return client


def links(client: Client, url: str, *, away: bool = False) -> Iterator[str]:
    """Where a page leads inside the admin; with `away` only from its own part to other pages."""
    answer = client.get(url, follow=True)
    assert answer.status_code == 200, url
    if not answer.headers["Content-Type"].startswith("text/html"):
        return
    text = answer.content.decode()
    here = answer.request["PATH_INFO"]
    for href in LINK.findall(text.partition('id="content"')[2] if away else text):
        found = urljoin(here, unescape(href)).partition("#")[0]
        if found.startswith("/admin/") and not (away and urlsplit(found).path == here):
            yield found


def kind_of(url: str) -> Kind:
    parts = urlsplit(url)
    return resolve(parts.path).view_name, frozenset(parse_qs(parts.query))


def test_every_kind_of_link_on_the_dashboards_leads_somewhere(client: Client) -> None:
    pages = [*shared_pages(), *own_pages(WORD).values()]
    found = {kind_of(url): url for page in pages for url in links(client, page)}

    for url in found.values():
        assert client.get(url, follow=True).status_code == 200, url
    assert len(found) > len(pages)
    assert {f"admin:{name}" for name in ("organization_page", *SIDEBAR)} <= {n for n, _ in found}


def test_range_and_zone_go_along_to_every_page_and_to_the_events(client: Client) -> None:
    view = "&".join(f"{name}={value}" for name, value in PARTS_OF_A_VIEW.items())
    seen = set()
    for page in [*shared_pages(), *own_pages(WORD).values()]:
        if page.startswith(NOT_RANGED):
            continue
        for found in links(client, f"{page}?{view}", away=True):
            name = resolve(urlsplit(found).path).url_name
            asked = parse_qs(urlsplit(found).query)
            if name in OWN:
                seen.add(name)
                assert asked.get("tz") == ["Asia/Tokyo"], (page, found)
                assert asked.get("range") == ["90d"], (page, found)
            elif name == EVENTS:
                seen.add(EVENTS)
                assert "from" in asked, (page, found)
                assert "through" in asked, (page, found)
    assert seen >= {EVENTS, "project_page", "subject_page", "model_page", "session_page"}
