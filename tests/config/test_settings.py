import pytest
from django.contrib.staticfiles.finders import find
from django.test import Client


@pytest.mark.django_db
def test_pages_allow_no_inline_script_and_no_framing(client: Client) -> None:
    response = client.get("/admin/login/")
    policy = response.headers["Content-Security-Policy"]
    assert response.status_code == 200
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["X-Frame-Options"] == "DENY"


def test_the_root_leads_to_the_admin(client: Client) -> None:
    response = client.get("/")
    assert (response.status_code, response.headers["Location"]) == (302, "/admin/")


def test_chart_js_is_served_from_its_package() -> None:
    assert find("chartjs/chart.js") is not None
