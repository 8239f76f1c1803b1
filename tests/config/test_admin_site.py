import re

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from tests.config.site_data import staff

pytestmark = pytest.mark.django_db
GROUPS = ["Dashboards", "Alerts", "Operations", "Data", "Access"]
# A script without a source, a style element, a style or an event attribute.
INLINE = re.compile(rb"<script(?![^>]*\ssrc=)(?![^>]*application/json)|<style|\sstyle=|\son\w+=")


def sidebar(page: bytes) -> list[str]:
    captions = re.findall(rb'<span class="section">([^<]*)</span>', page)
    return [caption.decode() for caption in captions]


def test_the_sidebar_has_its_groups(admin_client: Client) -> None:
    page = admin_client.get("/admin/").content

    assert sidebar(page) == GROUPS
    for name in (
        b"Overview",
        b"Unpriced inbox",
        b"Usage events",
        b"Prices",
        b"People",
        b"API keys",
    ):
        assert b">" + name + b"</a>" in page


def test_the_sidebar_marks_only_the_current_page(admin_client: Client) -> None:
    page = admin_client.get(reverse("admin:usage_project_changelist")).content

    assert re.findall(rb'aria-current="page">([^<]*)<', page) == [b"Projects"]
    inbox = admin_client.get(reverse("admin:unpriced")).content
    assert re.findall(rb'aria-current="page">([^<]*)<', inbox) == [b"Unpriced inbox"]


def test_staff_without_rights_get_only_what_they_may_open(viewer: Client) -> None:
    page = viewer.get("/admin/").content

    assert sidebar(page) == GROUPS
    assert b">Re-ratings</a>" in page
    for name in (b"Users", b"Price syncs", b"Exchange rates", b"Price changes", b"Schedule"):
        assert b">" + name + b"</a>" not in page


def test_staff_of_no_organization_sees_an_empty_overview(client: Client, usage: None) -> None:
    client.force_login(staff("nobody"))

    page = client.get("/admin/")

    assert page.status_code == 200
    assert sidebar(page.content) == ["Dashboards"]
    assert "No usage yet" in page.text


def test_the_key_model_that_nothing_uses_is_not_offered() -> None:
    assert not any(m._meta.app_label == "rest_framework_api_key" for m in admin.site._registry)


def test_people_without_staff_rights_are_sent_to_the_login(client: Client) -> None:
    for name in ("index", "advice", "chargeback"):
        answer = client.get(reverse(f"admin:{name}"))
        assert answer.status_code == 302
        assert "/admin/login/" in answer["Location"]


def test_no_page_has_inline_script_or_style(admin_client: Client, usage: None) -> None:
    request = admin_client.get("/admin/").wsgi_request
    for model, model_admin in admin.site._registry.items():
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        pages = [reverse(f"{name}_changelist")]
        if model_admin.has_add_permission(request):
            pages.append(reverse(f"{name}_add"))
        for page in pages:
            answer = admin_client.get(page)
            assert answer.status_code == 200, page
            assert not INLINE.search(answer.content), page
    for page in (
        "/admin/?range=custom&from=2026-11-09&through=2026-11-13",
        "/admin/usage/",
        "/admin/unpriced/",
    ):
        assert not INLINE.search(admin_client.get(page).content)


def test_answers_carry_a_policy_without_inline_code(admin_client: Client) -> None:
    policy = admin_client.get("/admin/")["Content-Security-Policy"]

    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
